"""A person's edit that was over before its record was read is in the history."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_httpserver import HTTPServer

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from crmsync.core.roles import Role
from crmsync.core.testing import make_user
from integrations import tasks
from integrations.connectors.session import open_connector
from integrations.models import (
    Connection,
    Delivery,
    Link,
    ObjectMapping,
    SyncEntry,
    ToldValue,
)
from integrations.simulators.testing import CLIENT_SECRET, RunningSimulator
from integrations.sync import failures_in, hints, history, intake, passing, pull, window
from integrations.sync.fetches import fetch_due
from integrations.sync.pull import pull_due
from integrations.sync.push import push_due
from integrations.sync.terms import terms_of
from integrations.testing import make_endpoint
from integrations.tests.sync.crm import (
    HubSpotUser,
    SalesforceUser,
    both_ways,
    make_due,
    only,
    sync,
)
from integrations.tests.sync.told import SECRET, Post
from integrations.tests.webhooks.deliveries import states
from integrations.webhooks import inbox
from leads.facts import Origin
from leads.models import Change, Lead
from leads.services import records, removal
from leads.services.records import Edit
from leads.signals import records_changed

HERE = Origin("user", "1", "Ada Example")
# Longer than two clocks are apart as far as the engine can tell.
APART_S = 2.5
TOLD = ("phone", "city", "jobtitle", "hubspot_owner_id")
X, Y, Z = "Oslo", "Bergen", "Tromsø"


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    found = ObjectMapping.objects.get(connection=hubspot, remote_object="contacts")
    ObjectMapping.objects.exclude(pk=found.pk).update(active=False)
    return both_ways(found, city={"rule": "hub", "clear_blanks": True})


@pytest.fixture
def lead(workspace: Workspace, mapping: ObjectMapping) -> Lead:
    """Somebody whose city is X, here and there."""
    values = {"email": "ada@customer.example.org", "city": X, "phone": "+12025550101"}
    (made,) = records.create(workspace, "lead", [values], origin=HERE)
    sync()
    assert isinstance(made, Lead)
    return made


@pytest.fixture
def post(
    lead: Lead,
    hubspot: Connection,
    hubspot_simulator: RunningSimulator,
    httpserver: HTTPServer,
) -> Post:
    """The CRM's webhooks from now on."""
    endpoint = make_endpoint(
        hubspot.workspace, source="hubspot", connection=hubspot, secrets=CLIENT_SECRET
    )
    made = Post(endpoint, hubspot_simulator, httpserver)
    made.subscribe(TOLD)
    return made


@pytest.fixture
def person(lead: Lead, post: Post) -> HubSpotUser:
    return HubSpotUser(post.simulator)


def remote_id() -> str:
    return Link.objects.get().remote_id


def enter_there(person: HubSpotUser, post: Post, *cities: str) -> None:
    """Let a person enter cities in the CRM, each told by itself."""
    for city in cities:
        person.edit(remote_id(), city=city)
        post.collect()


def enter_here(lead: Lead, city: str) -> None:
    records.update(lead.workspace, "lead", [Edit(lead.pk, {"city": city})], origin=HERE)


def passed(field: str = "city") -> list[tuple[object, object]]:
    """Return the steps that only the history knows, by time."""
    rows = Change.objects.filter(action="passed").order_by("at", "id")
    return [tuple(one.fields[field]) for one in rows]


def lines() -> list[str]:
    rows = SyncEntry.objects.filter(message__contains="changed again")
    return list(rows.values_list("message", flat=True))


@contextmanager
def announced() -> Iterator[list[Any]]:
    """Collect the changes that are announced meanwhile."""
    heard: list[Any] = []

    def receiver(*, changes: list[Any], **_: object) -> None:
        heard.extend(changes)

    records_changed.connect(receiver)
    try:
        yield heard
    finally:
        records_changed.disconnect(receiver)


# --- there and back -------------------------------------------------------------------


def test_an_edit_that_came_and_went_is_in_the_history(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y, X)
    post.bring()
    assert ToldValue.objects.count() == 2

    fetch_due()

    lead.refresh_from_db()
    assert (lead.city, person.sees(remote_id(), "city")) == (X, {"city": X})
    assert passed() == [(X, Y), (Y, X)]
    assert not ToldValue.objects.exists()
    there, back = Change.objects.filter(action="passed").order_by("at")
    assert (there.origin_kind, there.origin_label) == ("connection", "HubSpot")
    trace_ids = set(Delivery.objects.values_list("trace_id", flat=True))
    assert {there.trace_id, back.trace_id} <= trace_ids


def test_each_step_has_the_time_that_was_told(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y, X)
    events = [json.loads(one.body)[0] for one in post.waiting]
    post.bring()

    fetch_due()

    at = [one.at for one in Change.objects.filter(action="passed").order_by("at")]
    told = [event["occurredAt"] / 1000 for event in events]
    # On our clock, which is known to about a second.
    assert [one.timestamp() for one in at] == pytest.approx(told, abs=2)
    assert (at[1] - at[0]).total_seconds() == pytest.approx(told[1] - told[0], abs=0.01)


def test_nothing_follows_from_what_passed(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    version, score = lead.version, lead.score
    pushes = set(WorkItem.objects.filter(kind="push").values_list("key", "wanted"))
    enter_there(person, post, Y, X)
    post.bring()

    with announced() as heard:
        fetch_due()

    lead.refresh_from_db()
    assert passed() == [(X, Y), (Y, X)]
    assert heard == []
    assert (lead.version, lead.score) == (version, score)
    found = WorkItem.objects.filter(kind="push").values_list("key", "wanted")
    assert set(found) == pushes


def test_the_journal_says_so_without_the_value(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y, X)
    post.bring()

    fetch_due()

    assert lines() == ["Changed there and changed again before it was read: city."]
    told = SyncEntry.objects.get(message__contains="changed again")
    assert (told.record_id, told.direction, told.undo) == (lead.pk, "pull", {})
    assert Y not in json.dumps(list(SyncEntry.objects.values()), default=str)


def test_the_pages_of_the_lead_show_it(
    lead: Lead, post: Post, person: HubSpotUser, workspace: Workspace
) -> None:
    enter_there(person, post, Y, X)
    post.bring()
    fetch_due()
    client = Client()
    client.force_login(make_user(workspace, Role.ADMIN))

    shown = client.get(lead.get_absolute_url()).content.decode()

    assert "Changed in a CRM for a while" in shown
    assert f"City: {X} → {Y}" in shown
    assert f"City: {Y} → {X}" in shown


def test_several_edits_in_passing_are_a_chain(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y, Z, "", X)
    post.bring()

    fetch_due()

    assert passed() == [(X, Y), (Y, Z), (Z, None), (None, X)]


def test_what_passed_on_the_way_to_something_new_is_told_beside_it(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y, Z)
    post.bring()

    fetch_due()

    lead.refresh_from_db()
    assert lead.city == Z
    assert passed() == [(X, Y)]
    taken = Change.objects.filter(action="updated", origin_kind="connection")
    assert [one.fields["city"] for one in taken] == [[X, Z]]


def test_an_owner_in_passing_is_told_by_who_it_was(
    lead: Lead, post: Post, person: HubSpotUser, hubspot: Connection
) -> None:
    owner = hubspot.owners[0]
    person.edit(remote_id(), hubspot_owner_id=owner["id"])
    post.collect()
    person.edit(remote_id(), hubspot_owner_id="")
    post.bring()

    fetch_due()

    email = owner["email"].lower()
    assert passed("owner_id") == [(None, email), (email, None)]


# --- what is no person's edit ---------------------------------------------------------


def test_what_is_read_as_it_was_told_is_only_taken_in(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y)
    post.bring()

    fetch_due()

    lead.refresh_from_db()
    assert lead.city == Y
    assert (passed(), lines(), ToldValue.objects.count()) == ([], [], 0)


def test_our_own_writes_coming_back_are_no_edits(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    for city in (Y, Z, X):
        enter_here(lead, city)
        push_due()
        post.collect()
    post.bring()
    assert ToldValue.objects.count() == 3

    fetch_due()

    assert (passed(), ToldValue.objects.count()) == ([], 0)


def test_an_edit_to_what_we_had_written_before_is_a_persons(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_here(lead, Y)
    push_due()
    enter_here(lead, X)
    push_due()
    # The echoes of both are lost.
    post.lose()
    time.sleep(APART_S)
    enter_there(person, post, Y, X)
    post.bring()

    fetch_due()

    lead.refresh_from_db()
    assert lead.city == X
    assert passed() == [(X, Y), (Y, X)]


def test_a_later_equal_change_is_not_swallowed(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_here(lead, Y)
    push_due()
    enter_here(lead, X)
    push_due()
    post.lose()
    time.sleep(APART_S)
    enter_there(person, post, Y)
    post.bring()

    fetch_due()

    lead.refresh_from_db()
    assert (lead.city, passed()) == (Y, [])


def test_our_write_of_which_no_answer_came_is_no_edit(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_here(lead, Y)
    path = "contacts/batch/update"
    post.simulator.set_fault("drop_after_apply", path=path, count=1)
    push_due()
    post.collect()
    enter_there(person, post, Z)
    post.bring()

    fetch_due()

    assert passed() == []


def test_other_words_for_the_same_are_no_edit(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    for phone in ("(202) 555-0101", "202.555.0101", "+1 202 555 0101"):
        person.edit(remote_id(), phone=phone)
        post.collect()
    post.bring()
    assert ToldValue.objects.count() == 3

    fetch_due()

    lead.refresh_from_db()
    assert lead.phone == "+12025550101"
    assert (passed(), ToldValue.objects.count()) == ([], 0)


def test_a_phone_in_passing_is_kept_in_the_one_form(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    for phone in ("(202) 555-0199", "202.555.0199", "+1 202 555 0101"):
        person.edit(remote_id(), phone=phone)
        post.collect()
    post.bring()

    fetch_due()

    first, other = "+12025550101", "+12025550199"
    assert passed("phone") == [(first, other), (other, first)]


def test_a_record_that_was_not_known_begins_as_it_is_read(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    made = person.make(email="bea@customer.example.org", city=Y)
    post.collect()
    person.edit(made, city=Z)
    post.bring()

    fetch_due()

    assert Lead.objects.get(email="bea@customer.example.org").city == Z
    assert (passed(), ToldValue.objects.count()) == ([], 0)


def test_two_that_were_never_compared_have_nothing_to_come_back_to(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    Link.objects.update(base={})
    enter_there(person, post, Y, X)
    post.bring()

    fetch_due()

    assert (passed(), ToldValue.objects.count()) == ([], 0)


# --- doubled, late and out of order ---------------------------------------------------


def test_a_delivery_that_comes_again_tells_it_once(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y, X)
    requests = list(post.collect())
    post.bring()
    fetch_due()

    # As if they had been forgotten; then each once more, and one by itself.
    Delivery.objects.all().delete()
    post.carry(requests)
    fetch_due()
    Delivery.objects.all().delete()
    post.carry(requests[:1])
    assert ToldValue.objects.count() == 1
    fetch_due()

    assert passed() == [(X, Y), (Y, X)]
    assert (len(lines()), ToldValue.objects.count()) == (1, 0)


def test_a_replay_before_the_read_adds_nothing(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y, X)
    post.bring()
    inbox.replay(list(Delivery.objects.values_list("pk", flat=True)))
    inbox.process_due(hints.take)
    assert states() == ["processed", "processed"]
    assert ToldValue.objects.count() == 2

    fetch_due()

    assert passed() == [(X, Y), (Y, X)]


def test_the_order_of_arrival_does_not_matter(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y, Z, X)
    requests = list(reversed(post.collect()))
    for one in requests:
        post.carry([one])

    fetch_due()

    assert passed() == [(X, Y), (Y, Z), (Z, X)]


def test_an_edit_that_is_told_after_the_next_was_read_is_not_lost(
    lead: Lead, post: Post, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    enter_there(person, post, Y, Z)
    first, second = post.collect()
    post.carry([second])
    fetch_due()

    post.carry([first])
    fetch_due()

    lead.refresh_from_db()
    assert (lead.city, passed()) == (Z, [(X, Y)])


def test_what_has_been_taken_in_is_not_told_again(
    lead: Lead, post: Post, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    enter_there(person, post, Y)
    queue.ask(failures_in.asks(mapping, [remote_id()]))
    fetch_due()
    enter_there(person, post, Z)
    queue.ask(failures_in.asks(mapping, [remote_id()]))
    fetch_due()

    post.bring()
    fetch_due()

    lead.refresh_from_db()
    assert (lead.city, passed(), ToldValue.objects.count()) == (Z, [], 0)


def test_who_comes_second_finds_nothing_left(
    lead: Lead, post: Post, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    enter_there(person, post, Y, X)
    post.bring()
    told = passing.heard(mapping, [remote_id()], slack=timedelta(seconds=2))
    connector, _ = open_connector(mapping.connection)
    terms = terms_of(mapping, connector)
    found = connector.fetch("contacts", [remote_id()], fields=terms.pulled)
    cases = intake.take_in(mapping, found, connector).cases
    # Both have heard of it, and neither knows of the other's history.
    fetch_due()
    Change.objects.filter(action="passed").delete()

    passing.settle(mapping, told, cases, terms)

    assert passed() == []


# --- polls ----------------------------------------------------------------------------


def poll(mapping: ObjectMapping) -> None:
    pull.ask_pull(mapping)
    WorkItem.objects.filter(kind="fetch").update(not_before=queue.now() + timedelta(1))
    WorkItem.objects.filter(kind="pull").update(not_before=queue.now())
    pull_due()


def test_a_poll_settles_it_and_the_fetch_finds_nothing_more(
    lead: Lead, post: Post, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    enter_there(person, post, Y, X)
    post.bring()

    poll(mapping)

    assert (passed(), ToldValue.objects.count()) == ([(X, Y), (Y, X)], 0)
    make_due()
    fetch_due()
    assert passed() == [(X, Y), (Y, X)]


def test_a_poll_says_what_was_before_it(
    lead: Lead, post: Post, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    enter_there(person, post, Y, Z)
    poll(mapping)
    post.bring()

    fetch_due()

    lead.refresh_from_db()
    assert (lead.city, passed()) == (Z, [(X, Y)])


def test_where_nothing_was_told_a_poll_asks_no_more(
    lead: Lead, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    person.edit(remote_id(), city=Y)

    with CaptureQueriesContext(
        database,
    ) as queries:
        poll(mapping)

    lead.refresh_from_db()
    assert lead.city == Y
    table = ToldValue._meta.db_table
    about = [one["sql"] for one in queries if table in one["sql"]]
    assert len(about) == 1
    assert "integrations_objectmapping" in about[0]


def test_what_is_told_while_a_poll_reads_is_left_to_the_fetch(
    lead: Lead, post: Post, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    enter_there(person, post, Y)
    connector, _ = open_connector(mapping.connection)
    post.bring()

    window.read(mapping, connector, told_up_to=0)

    assert ToldValue.objects.count() == 1


def test_an_old_picture_settles_nothing(
    lead: Lead, post: Post, person: HubSpotUser, mapping: ObjectMapping
) -> None:
    connector, _ = open_connector(mapping.connection)
    terms = terms_of(mapping, connector)
    old = connector.fetch("contacts", [remote_id()], fields=terms.pulled)
    enter_there(person, post, Y)
    post.bring()

    told = passing.heard(mapping, [remote_id()])
    taken = intake.take_in(mapping, old, connector)
    passing.settle(mapping, told, taken.cases, terms)

    assert (passed(), ToldValue.objects.count()) == ([], 1)
    fetch_due()
    lead.refresh_from_db()
    assert (lead.city, passed(), ToldValue.objects.count()) == (Y, [], 0)


# --- merges ---------------------------------------------------------------------------


def test_what_passed_there_changes_nothing_about_who_was_last_here(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    def told() -> object:
        since = queue.now() - timedelta(days=1)
        return (
            history.hub_times("lead", [lead.pk]),
            history.replaced("lead", [lead.pk], since=since),
        )

    before = told()
    enter_there(person, post, Y, X)
    post.bring()

    fetch_due()

    assert passed() != []
    assert told() == before


# --- gone -----------------------------------------------------------------------------


def test_what_was_told_of_a_record_that_is_deleted_here_goes_with_it(
    lead: Lead, post: Post, person: HubSpotUser, workspace: Workspace
) -> None:
    enter_there(person, post, Y, X)
    post.bring()

    removal.delete(workspace, "lead", [lead.pk], origin=HERE)

    assert not ToldValue.objects.exists()
    fetch_due()
    assert passed() == []


def test_nothing_is_written_about_a_record_that_is_deleted_meanwhile(
    lead: Lead,
    post: Post,
    person: HubSpotUser,
    mapping: ObjectMapping,
    workspace: Workspace,
) -> None:
    enter_there(person, post, Y, X)
    post.bring()
    told = passing.heard(mapping, [remote_id()], slack=timedelta(seconds=2))
    connector, _ = open_connector(mapping.connection)
    terms = terms_of(mapping, connector)
    found = connector.fetch("contacts", [remote_id()], fields=terms.pulled)
    cases = intake.take_in(mapping, found, connector).cases
    Lead.objects.filter(pk=lead.pk).delete()

    passing.settle(mapping, told, cases, terms)

    assert (passed(), lines(), ToldValue.objects.count()) == ([], [], 0)


def test_what_was_told_of_a_record_that_is_deleted_there_is_forgotten(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y, X)
    post.bring()
    person.delete(remote_id())

    fetch_due()

    assert (passed(), ToldValue.objects.count()) == ([], 0)


def test_what_nobody_has_read_within_a_day_is_forgotten(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y, X)
    post.bring()
    old, new = ToldValue.objects.order_by("pk")
    ToldValue.objects.filter(pk=old.pk).update(
        heard_at=queue.now() - timedelta(hours=25)
    )

    tasks.prune()

    assert list(ToldValue.objects.values_list("pk", flat=True)) == [new.pk]


def test_a_read_that_fails_leaves_what_was_told(
    lead: Lead, post: Post, person: HubSpotUser
) -> None:
    enter_there(person, post, Y, X)
    post.bring()
    post.simulator.set_fault("500", path="contacts/batch/read", count=1)

    fetch_due()

    assert ToldValue.objects.count() == 2
    make_due()
    fetch_due()
    assert (passed(), ToldValue.objects.count()) == ([(X, Y), (Y, X)], 0)


# --- Salesforce -----------------------------------------------------------------------


def test_change_events_tell_it_as_well(
    workspace: Workspace,
    salesforce: Connection,
    salesforce_simulator: RunningSimulator,
    httpserver: HTTPServer,
) -> None:
    only(salesforce, "Lead")
    values = {"email": "ada@customer.example.org", "last_name": "A", "city": X}
    (lead,) = records.create(workspace, "lead", [values], origin=HERE)
    push_due()
    endpoint = make_endpoint(
        workspace, source="salesforce", connection=salesforce, secrets=SECRET
    )
    post = Post(endpoint, salesforce_simulator, httpserver)
    post.subscribe_to_events()
    for city in (Y, X):
        SalesforceUser(salesforce_simulator).edit("Lead", remote_id(), City=city)
        post.collect()
    post.bring()
    assert ToldValue.objects.filter(field="City").count() == 2

    fetch_due()

    lead.refresh_from_db()
    assert (lead.city, passed()) == (X, [(X, Y), (Y, X)])  # type: ignore[union-attr]
    assert not ToldValue.objects.exists()
