"""What a CRM's hints lead to: rows that fetch, however often and in whatever order."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.models import (
    Connection,
    Delivery,
    Endpoint,
    Event,
    ObjectMapping,
    ToldValue,
)
from integrations.sync import hints, pull
from integrations.sync.hints import is_silent, take
from integrations.testing import make_connection, make_endpoint, make_mapping
from integrations.tests.webhooks.deliveries import item_of, receive, states
from integrations.webhooks import inbox, samples
from integrations.webhooks.base import Hint

pytestmark = pytest.mark.django_db(transaction=True)

PORTAL = samples.ACCOUNTS["hubspot"]
ORG = samples.ACCOUNTS["salesforce"]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_heard(settings: pytest.FixtureRequest) -> None:
    # Of this process alone: clearing the shared one empties that of the tests beside.
    settings.CACHES = {  # type: ignore[attr-defined]
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    }
    cache.clear()


@pytest.fixture
def connection(workspace: Workspace) -> Connection:
    return make_connection(workspace, account_id=PORTAL)


@pytest.fixture
def mapping(connection: Connection) -> ObjectMapping:
    """Leads and contacts, both ways."""
    return make_mapping(connection, direction="both")


@pytest.fixture
def crm_endpoint(connection: Connection, mapping: ObjectMapping) -> Endpoint:
    return make_endpoint(connection.workspace, source="hubspot", connection=connection)


def changed(remote_id: str, **given: object) -> Hint:
    values = {"remote_object": "contacts", "kind": "changed", **given}
    return Hint(remote_id=remote_id, **values)  # type: ignore[arg-type]


def told(*given: Hint) -> list[tuple[Hint, str]]:
    return [(one, "trace-1") for one in given]


def asked(kind: str = "fetch") -> list[str]:
    rows = WorkItem.objects.filter(kind=kind).order_by("key")
    return list(rows.values_list("key", flat=True))


# --- taking ---------------------------------------------------------------------------


def test_a_hint_asks_for_its_record(mapping: ObjectMapping) -> None:
    outcomes = take(mapping.connection, told(changed("501")))

    item = WorkItem.objects.get(kind="fetch")
    assert outcomes == ["fetch"]
    assert (item.key, item.group, item.lane) == (
        f"{mapping.pk}:501",
        str(mapping.pk),
        0,
    )
    assert item.channel_id == mapping.connection.channel_id
    assert item.trace_id == "trace-1"


def test_of_a_merge_both_records_are_fetched(mapping: ObjectMapping) -> None:
    take(mapping.connection, told(changed("511", kind="merged", other_id="520")))

    assert asked() == [f"{mapping.pk}:511", f"{mapping.pk}:520"]


def test_the_other_end_of_a_tie_is_not_of_this_object(mapping: ObjectMapping) -> None:
    take(mapping.connection, told(changed("501", kind="association", other_id="601")))

    assert asked() == [f"{mapping.pk}:501"]


def test_every_mapping_that_takes_the_object_in_is_asked(
    connection: Connection, mapping: ObjectMapping
) -> None:
    second = make_mapping(connection, record_type="company", direction="pull")

    take(connection, told(changed("501")))

    assert asked() == sorted(f"{one.pk}:501" for one in (mapping, second))


@pytest.mark.parametrize("given", [{"direction": "push"}, {"active": False}])
def test_a_mapping_that_takes_nothing_in_is_left_alone(
    connection: Connection, given: dict[str, object]
) -> None:
    make_mapping(connection, **{"direction": "both", **given})

    assert take(connection, told(changed("501"))) == ["skipped"]
    assert asked() == []


def test_an_unknown_object_is_skipped_beside_the_others(mapping: ObjectMapping) -> None:
    outcomes = take(
        mapping.connection,
        told(changed("1", remote_object="tickets"), changed("501")),
    )

    assert outcomes == ["skipped", "fetch"]
    assert asked() == [f"{mapping.pk}:501"]


def test_a_disconnected_account_is_not_fetched_from(mapping: ObjectMapping) -> None:
    mapping.connection.status = Connection.Status.DISCONNECTED

    assert take(mapping.connection, told(changed("501"))) == ["skipped"]


def test_our_own_write_is_not_fetched_but_noted(mapping: ObjectMapping) -> None:
    outcomes = take(mapping.connection, told(changed("501", origin="crmsync")))

    assert outcomes == ["echo"]
    assert asked() == []
    assert hints.heard_at(mapping.connection, "contacts") is not None
    assert hints.heard_at(mapping.connection, "companies") is None


def test_what_is_rolled_back_was_not_heard(mapping: ObjectMapping) -> None:
    with transaction.atomic():
        take(mapping.connection, told(changed("501")))
        transaction.set_rollback(True)

    assert asked() == []
    assert hints.heard_at(mapping.connection, "contacts") is None


def test_an_overflow_pulls_the_object_at_once(mapping: ObjectMapping) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    pull.ask_pull(mapping, not_before=tomorrow)

    outcomes = take(mapping.connection, told(changed(""), changed("")))

    item = WorkItem.objects.get(kind="pull")
    assert outcomes == ["pull", "pull"]
    assert item.key == str(mapping.pk)
    assert item.not_before <= timezone.now()
    assert asked() == []


def test_hints_in_any_order_and_number_ask_for_the_same(mapping: ObjectMapping) -> None:
    each = [changed(str(number)) for number in range(30)]
    disorder = random.Random(4)

    for _ in range(5):
        disorder.shuffle(each)
        take(mapping.connection, told(*each, *each[:7]))

    assert asked() == sorted(f"{mapping.pk}:{number}" for number in range(30))


# --- through the inbox ----------------------------------------------------------------


def outcomes_of(delivery_id: int) -> set[tuple[str, str, str]]:
    rows = Event.objects.filter(delivery_id=delivery_id)
    return set(rows.values_list("kind", "key", "outcome"))


def test_a_delivery_of_hints_becomes_rows_that_fetch(
    crm_endpoint: Endpoint, mapping: ObjectMapping
) -> None:
    body = samples.body_of("hubspot", "contact_changed")
    [delivery_id] = receive(crm_endpoint, body)

    assert inbox.process_due(take) == 1

    assert states() == ["processed"]
    assert asked() == [f"{mapping.pk}:501", f"{mapping.pk}:502"]
    assert item_of(delivery_id).state == State.DONE
    assert outcomes_of(delivery_id) == {
        ("hint.changed", "contacts", "fetch"),
        ("hint.changed", "companies", "skipped"),
    }
    event = Event.objects.get(key="contacts")
    assert event.detail == "2 to be read again: 501, 502"
    delivery = Delivery.objects.get()
    item = WorkItem.objects.filter(kind="fetch").first()
    assert item is not None
    assert item.trace_id == delivery.trace_id


def test_no_value_of_a_hint_is_copied_into_its_events(crm_endpoint: Endpoint) -> None:
    receive(crm_endpoint, samples.body_of("hubspot", "contact_changed"))

    inbox.process_due(take)

    assert "Opérations" not in json.dumps(list(Event.objects.values_list("detail")))


def test_the_same_delivery_again_changes_nothing(
    crm_endpoint: Endpoint, mapping: ObjectMapping
) -> None:
    first = receive(crm_endpoint, samples.body_of("hubspot", "contact_changed"))
    second = receive(crm_endpoint, samples.body_of("hubspot", "delivered_again"))
    inbox.process_due(take)

    assert first == second
    assert len(asked()) == 2


def test_a_replayed_delivery_asks_once_more_and_tells_it_once(
    crm_endpoint: Endpoint,
) -> None:
    [delivery_id] = receive(crm_endpoint, samples.body_of("hubspot", "contact_changed"))
    inbox.process_due(take)

    inbox.replay([delivery_id])
    inbox.process_due(take)

    assert Event.objects.count() == 2
    assert set(WorkItem.objects.filter(kind="fetch").values_list("wanted")) == {(2,)}


def test_events_of_another_portal_are_passed_over(
    crm_endpoint: Endpoint, connection: Connection
) -> None:
    deals = make_mapping(
        connection, record_type="deal", remote_object="deals", direction="pull"
    )
    receive(crm_endpoint, samples.body_of("hubspot", "two_portals"))

    inbox.process_due(take)

    assert asked() == [f"{deals.pk}:811"]


def test_a_delivery_of_another_account_fails_visibly(
    crm_endpoint: Endpoint, connection: Connection
) -> None:
    receive(crm_endpoint, samples.body_of("hubspot", "contact_changed"))
    Connection.objects.filter(pk=connection.pk).update(account_id="4100099")

    inbox.process_due(take)

    assert states() == ["failed"]
    assert asked() == []


def test_hints_that_nobody_takes_are_not_lost_silently(crm_endpoint: Endpoint) -> None:
    receive(crm_endpoint, samples.body_of("hubspot", "contact_changed"))

    inbox.process_due()

    assert states() == ["failed"]


def test_hints_of_salesforce_become_rows_and_echoes(workspace: Workspace) -> None:
    connection = make_connection(workspace, vendor="salesforce", account_id=ORG)
    mapping = make_mapping(connection, remote_object="Lead", direction="both")
    endpoint = make_endpoint(workspace, source="salesforce", connection=connection)
    cases = ("outbound_message", "own_write", "gaps")
    ids = receive(endpoint, *[samples.body_of("salesforce", one) for one in cases])

    inbox.process_due(take)

    assert states() == ["processed"] * 3
    assert asked() == [
        f"{mapping.pk}:00Q8x00000Lead1EAB",
        f"{mapping.pk}:00Q8x00000Lead2EAB",
    ]
    assert asked("pull") == [str(mapping.pk)]
    assert outcomes_of(ids[1]) == {("hint.changed", "Lead", "echo")}


# --- silence --------------------------------------------------------------------------


def ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("writes", "silent"),
    [
        ([(60, None), (50, None), (40, None)], True),
        # What came before the write is no echo of it, but for what is noted late.
        ([(60, 70), (50, 57), (40, 300)], True),
        ([(60, None), (50, None), (40, 43)], False),
        ([(60, 59), (50, None), (40, None)], False),
        ([(60, None), (50, 1), (40, None)], False),
        # Two are not three, and what was written just now may still come back.
        ([(60, None), (50, None)], False),
        ([(60, None), (50, None), (14, None), (13, None), (12, None)], False),
        ([(60, None), (50, None), (15, None)], True),
        ([(90, 89), (80, 79), (60, None), (40, None), (50, None)], True),
        ([], False),
    ],
)
def test_three_writes_in_a_row_without_an_echo_are_silence(
    writes: Sequence[tuple[int, int | None]], *, silent: bool
) -> None:
    pairs = [
        (ago(wrote), ago(heard) if heard is not None else None)
        for wrote, heard in writes
    ]

    assert is_silent(pairs, now=NOW) is silent


# --- what is told ---------------------------------------------------------------------


def kept() -> list[tuple[str, str, str]]:
    rows = ToldValue.objects.order_by("remote_id", "field", "value")
    return list(rows.values_list("remote_id", "field", "value"))


def test_what_is_told_of_mapped_fields_is_kept(mapping: ObjectMapping) -> None:
    values = {"email": "ada@example.com", "shoe_size": "44"}

    take(mapping.connection, told(changed("501", at=NOW, fields=values)))

    row = ToldValue.objects.get()
    assert kept() == [("501", "email", "ada@example.com")]
    assert (row.workspace, row.connection) == (mapping.workspace, mapping.connection)
    assert (row.remote_object, row.at, row.trace_id) == ("contacts", NOW, "trace-1")


def test_what_is_told_twice_is_kept_once(mapping: ObjectMapping) -> None:
    hint = changed("501", at=NOW, fields={"email": None})

    take(mapping.connection, told(hint, hint))
    take(mapping.connection, told(hint))

    assert kept() == [("501", "email", "")]


@pytest.mark.parametrize(
    "given",
    [
        {"origin": "crmsync"},
        {"at": None},
        {"remote_object": "tickets"},
        {"remote_id": ""},
        {"fields": {"email": "x" * 256}},
        {"fields": {}},
    ],
)
def test_what_no_read_could_explain_is_not_kept(
    mapping: ObjectMapping, given: dict[str, object]
) -> None:
    values = {"remote_id": "501", "at": NOW, "fields": {"email": "a@b.example"}}

    take(mapping.connection, told(changed(**{**values, **given})))  # type: ignore[arg-type]

    assert kept() == []


@pytest.mark.parametrize(
    "given", [{"direction": "push"}, {"active": False}, {"suspended_because": "Gone"}]
)
def test_a_field_that_is_not_taken_in_is_not_kept(
    mapping: ObjectMapping, given: dict[str, object]
) -> None:
    mapping.rows.update(**given)

    take(mapping.connection, told(changed("501", at=NOW, fields={"email": "a@b.c"})))

    assert kept() == []


def test_the_values_of_many_hints_are_one_statement(mapping: ObjectMapping) -> None:
    each = [
        changed(str(number), at=NOW, fields={"email": f"p{number}@example.com"})
        for number in range(50)
    ]

    with CaptureQueriesContext(database) as queries:
        take(mapping.connection, told(*each))

    table = ToldValue._meta.db_table
    assert len([one for one in queries if table in one["sql"]]) == 1
    assert len(kept()) == 50


@pytest.mark.parametrize("direction", ["both", "pull"])
def test_salesforce_tells_values_in_its_change_events(
    workspace: Workspace, direction: str
) -> None:
    connection = make_connection(workspace, vendor="salesforce", account_id=ORG)
    rows = (("job_title", "Title"), ("phone", "Phone"))
    make_mapping(connection, remote_object="Lead", direction=direction, rows=rows)
    endpoint = make_endpoint(workspace, source="salesforce", connection=connection)
    event: dict[str, object] = {
        "ChangeEventHeader": {
            "entityName": "Lead",
            "recordIds": ["00Q8x00000Lead1EAB"],
            "changeType": "UPDATE",
            "changeOrigin": "com/salesforce/api/rest/64.0",
            "commitTimestamp": int(NOW.timestamp() * 1000),
            "transactionKey": "key-1",
            "sequenceNumber": 1,
            "changedFields": ["Title", "Phone"],
            "nulledFields": ["Phone"],
        },
        "Title": "Head of Sales",
    }
    receive(endpoint, event)

    inbox.process_due(take)

    assert {one[1:] for one in kept()} == {("Title", "Head of Sales"), ("Phone", "")}
    assert {one.at for one in ToldValue.objects.all()} == {NOW}
