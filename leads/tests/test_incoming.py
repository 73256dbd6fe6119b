"""Taking in records of other systems: each judged by itself, the rest written."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from django.db import connection
from django.db.models import Model
from django_scopes import scopes_disabled

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import make_user, make_workspace
from leads.facts import Origin, RecordChange
from leads.models import (
    Activity,
    Change,
    Company,
    Deal,
    Lead,
    LeadKey,
    Stage,
    StageChange,
)
from leads.services import incoming
from leads.services.incoming import Incoming, Taken
from leads.signals import records_changed
from leads.snapshots import FIELDS, FieldInfo, snapshots
from leads.testing import (
    make_activity,
    make_campaign,
    make_company,
    make_custom_field,
    make_deal,
    make_lead,
    make_member,
    make_pipeline,
    make_ready_workspace,
)

pytestmark = pytest.mark.django_db
T = TypeVar("T", bound=Model)
Heard = list[list[RecordChange]]
ORIGIN = Origin("connection", "9", "Example CRM", "trace-1", connection_id=9)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    made = make_ready_workspace(phone_region="DE")
    with in_workspace(made):
        yield made


@pytest.fixture
def told() -> Iterator[Heard]:
    heard: Heard = []

    def hear(sender: object, changes: list[RecordChange], **_: object) -> None:
        heard.append(changes)

    records_changed.connect(hear)
    yield heard
    records_changed.disconnect(hear)


def new(ref: str, /, **values: object) -> Incoming:
    return Incoming(ref, None, values)


def known(record: Any, values: Mapping[str, object], **given: Any) -> Incoming:
    return Incoming(str(record.pk), record.pk, values, **given)


def take(workspace: Workspace, record_type: str, *rows: Incoming) -> list[Taken]:
    return incoming.take(workspace, record_type, rows, origin=ORIGIN)


def stored(model: type[T], result: Taken) -> T:
    assert result.record_id is not None
    return model._default_manager.get(pk=result.record_id)


def take_one(workspace: Workspace, record_type: str, row: Incoming) -> Taken:
    (result,) = take(workspace, record_type, row)
    return result


# --- new records ----------------------------------------------------------------------


def test_a_new_lead_is_stored_with_its_keys(workspace: Workspace) -> None:
    row = new(
        "r1",
        email=" Ada@EXAMPLE.com",
        linkedin_url="https://www.linkedin.com/in/Ada-Example/",
        phone="030 901820",
    )

    result = take_one(workspace, "lead", row)

    lead = stored(Lead, result)
    assert (result.ref, result.created, result.errors) == ("r1", True, {})
    assert (lead.email, lead.linkedin_id) == ("ada@example.com", "ada-example")
    assert lead.phone == "+4930901820"
    assert set(LeadKey.objects.values_list("kind", "value")) == {
        ("email", "ada@example.com"),
        ("linkedin", "ada-example"),
    }


def test_results_come_in_the_order_of_the_rows(workspace: Workspace) -> None:
    old = make_lead(workspace)
    rows = [new("b", email="b@example.com"), known(old, {"city": "Rome"})]
    rows.append(new("a", email="a@example.com"))

    results = take(workspace, "lead", *rows)

    assert [one.ref for one in results] == ["b", str(old.pk), "a"]
    stored = Lead.objects.in_bulk([one.record_id for one in results])
    assert [stored[one.record_id or 0].email for one in results] == [
        "b@example.com",
        old.email,
        "a@example.com",
    ]


def test_one_signal_tells_of_all_with_the_connection_they_came_by(
    workspace: Workspace, told: Heard
) -> None:
    old = make_lead(workspace)

    take(
        workspace,
        "lead",
        new("a", email="a@example.com"),
        known(old, {"city": "Rome"}),
    )

    (changes,) = told
    assert [one.action for one in changes] == ["created", "updated"]
    assert {one.origin.connection_id for one in changes} == {9}


def test_history_keeps_what_came_in(workspace: Workspace) -> None:
    lead = make_lead(workspace, city="Bonn")

    take(workspace, "lead", known(lead, {"city": "Rome"}))

    row = Change.objects.get(record_type="lead", record_id=lead.pk)
    assert row.fields == {"city": ["Bonn", "Rome"]}
    assert (row.action, row.origin_label) == ("updated", "Example CRM")


def test_an_activity_of_a_kind_is_made_under_its_lead(workspace: Workspace) -> None:
    lead = make_lead(workspace)
    row = Incoming(
        "t1",
        None,
        {"subject": "Call back", "task_status": "done"},
        parents={"lead": lead.pk},
        kind="task",
    )

    result = take_one(workspace, "activity", row)

    task = stored(Activity, result)
    assert (task.kind, task.lead_id, task.subject) == ("task", lead.pk, "Call back")
    assert task.done_at is not None


def test_a_deal_starts_in_the_stage_it_has_there(workspace: Workspace) -> None:
    stage = make_pipeline(workspace).stages.order_by("position")[1]
    row = new("d1", name="Big one", stage_id=str(stage.pk), amount="10", currency="EUR")

    result = take_one(workspace, "deal", row)

    deal = stored(Deal, result)
    assert (deal.stage, deal.pipeline) == (stage, stage.pipeline)
    assert deal.amount == Decimal(10)
    assert StageChange.objects.filter(deal=deal, to_stage=stage).count() == 1


# --- known records --------------------------------------------------------------------


def test_what_changed_is_told_as_stored(workspace: Workspace) -> None:
    lead = make_lead(workspace, city="Bonn", country="Germany")

    result = take_one(
        workspace, "lead", known(lead, {"city": " Rome ", "country": "Germany"})
    )

    assert result.changed == {"city": ("Bonn", "Rome")}
    lead.refresh_from_db()
    assert (lead.city, lead.version) == ("Rome", 2)


def test_nothing_new_writes_nothing(workspace: Workspace, told: Heard) -> None:
    lead = make_lead(workspace, city="Rome")

    result = take_one(workspace, "lead", known(lead, {"city": "Rome"}))

    lead.refresh_from_db()
    assert (result.changed, told, lead.version) == ({}, [], 1)


def test_absent_is_unchanged_and_none_clears(workspace: Workspace) -> None:
    lead = make_lead(workspace, city="Rome", country="Italy")

    take(workspace, "lead", known(lead, {"city": None}))

    lead.refresh_from_db()
    assert (lead.city, lead.country) == ("", "Italy")


def test_own_fields_are_written_one_by_one(workspace: Workspace) -> None:
    make_custom_field(workspace, name="tier")
    make_custom_field(workspace, name="size")
    lead = make_lead(workspace, custom={"tier": "gold", "size": "big"})

    take(workspace, "lead", known(lead, {"custom.tier": "lead", "custom.size": None}))

    lead.refresh_from_db()
    assert lead.custom == {"tier": "lead"}


def test_an_owner_is_known_by_e_mail(workspace: Workspace) -> None:
    owner = make_user(workspace, email="Rep@example.com")
    lead = make_lead(workspace)

    take(workspace, "lead", known(lead, {"owner_email": "rep@EXAMPLE.com"}))

    lead.refresh_from_db()
    assert lead.owner == owner


def test_a_stage_that_moved_is_in_the_deals_history(workspace: Workspace) -> None:
    deal = make_deal(workspace)
    won = Stage.objects.get(pipeline=deal.pipeline, outcome="won")

    take(workspace, "deal", known(deal, {"stage_id": won.pk}))

    (moved,) = StageChange.objects.filter(deal=deal)
    assert (moved.from_stage, moved.to_stage) == (deal.stage, won)


def test_a_lead_goes_to_the_company_it_has_there(workspace: Workspace) -> None:
    lead, company = make_lead(workspace), make_company(workspace, name="Example")

    take(workspace, "lead", known(lead, {}, parents={"company": company.pk}))

    lead.refresh_from_db()
    assert (lead.company, lead.company_name) == (company, "Example")


# --- what was decided on --------------------------------------------------------------


def test_a_record_changed_since_the_decision_is_left_alone(
    workspace: Workspace, told: Heard
) -> None:
    lead = make_lead(workspace, city="Oslo", country="Norway")
    values = {"city": "Rome", "country": "Italy"}
    expected = {"city": "Bonn", "country": "Norway"}

    result = take_one(workspace, "lead", known(lead, values, expected=expected))

    lead.refresh_from_db()
    assert (result.stale, result.changed, told) == (True, {}, [])
    assert lead.country == "Norway"


@pytest.mark.parametrize("record_type", sorted(FIELDS))
def test_every_value_of_a_snapshot_is_as_expected_right_after(
    workspace: Workspace, record_type: str
) -> None:
    record = _full_record(workspace, record_type)
    seen = snapshots(record_type, [record.pk])[record.pk].values

    result = take_one(workspace, record_type, known(record, {}, expected=seen))

    assert not result.stale


def _full_record(workspace: Workspace, record_type: str) -> Any:
    owner = make_user(workspace, email="Owner@example.com")
    at = datetime(2026, 3, 1, tzinfo=UTC)
    made: Mapping[str, Any] = {
        "lead": lambda: make_lead(
            workspace, owner=owner, linkedin_id="ada", custom={"a": 1}
        ),
        "company": lambda: make_company(workspace, employees=5),
        "deal": lambda: make_deal(
            workspace, owner=owner, amount=Decimal("5.50"), currency="EUR"
        ),
        "activity": lambda: make_activity(workspace, owner=owner, due_at=at),
        "campaign": lambda: make_campaign(workspace, source="lgm", external_id="c1"),
        "campaign_member": lambda: make_member(workspace),
    }
    return made[record_type]()


def test_a_person_somebody_else_made_meanwhile_is_to_be_looked_for_again(
    workspace: Workspace,
) -> None:
    make_lead(workspace, email="ada@example.com")

    result = take_one(workspace, "lead", new("r1", email="ada@example.com"))

    assert (result.stale, result.record_id) == (True, None)
    assert Lead.objects.count() == 1


def test_one_person_twice_in_a_batch_is_made_once(workspace: Workspace) -> None:
    first, second = take(
        workspace,
        "lead",
        new("r1", email="ada@example.com"),
        new("r2", email="ADA@example.com"),
    )

    assert first.created
    assert second.stale
    assert Lead.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="needs PostgreSQL")
def test_two_systems_that_bring_the_same_people_at_once_make_each_once(
    workspace: Workspace,
) -> None:
    start = threading.Barrier(4)
    addresses = [f"person-{number}@example.com" for number in range(20)]
    results: list[Taken] = []
    raised: list[BaseException] = []

    def bring(turn: int) -> None:
        mixed = random.Random(turn).sample(addresses, 20)
        start.wait()
        try:
            results.extend(take(workspace, "lead", *(new(a, email=a) for a in mixed)))
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=bring, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert raised == []
    assert sorted(one.ref for one in results if one.created) == sorted(addresses)
    assert sum(one.stale for one in results) == 60
    assert Lead.objects.count() == LeadKey.objects.count() == 20


# --- what does not fit ----------------------------------------------------------------


BAD: list[tuple[str, object]] = [
    ("email", "not an address"),
    ("email", 7),
    ("email", "x" * 10_000),
    ("phone", ["+49"]),
    ("linkedin_url", {"a": 1}),
    ("city", "x" * 101),
    ("city", "a\x00b"),
    ("city", "\ud800"),
    ("status", "hot"),
    ("score", 5),
    ("owner_email", "nobody@example.com"),
    ("owner_email", 5),
    ("custom.nowhere", "x"),
    ("custom.amount", float("nan")),
    ("custom.amount", 10**400),
    ("no_such_field", 1),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_left_out_and_the_rest_is_written(
    workspace: Workspace, name: str, value: object
) -> None:
    make_custom_field(workspace, name="amount", type="number")
    lead = make_lead(workspace)
    before = lead.email

    result = take_one(workspace, "lead", known(lead, {name: value, "country": "Italy"}))

    lead.refresh_from_db()
    assert list(result.errors) == [name]
    assert (lead.country, lead.email, lead.city) == ("Italy", before, "")


HOSTILE: list[object] = [
    *(0, -1, 2**63, 10**400, 1.5, float("nan"), float("inf"), True, False),
    *("", " ", "\x00", "\ud800", "x" * 200_000, "9" * 5000, "1e999999", "²", "İ"),
    *([], ["a"], [[1]], {}, {"a": 1}, b"bytes", object(), "2026-13-45"),
    *(datetime.max, datetime.min.replace(tzinfo=UTC), Decimal("NaN"), Decimal("1E+50")),
]
EVERY_FIELD = [
    (record_type, info.name)
    for record_type, infos in FIELDS.items()
    for info in (*infos, FieldInfo("custom.mine", "", ""), FieldInfo("custom.", "", ""))
]


@pytest.mark.parametrize(("record_type", "name"), EVERY_FIELD)
def test_nothing_a_vendor_says_breaks_a_batch(
    workspace: Workspace, record_type: str, name: str
) -> None:
    for one in FIELDS:
        make_custom_field(workspace, record_type=one, name="mine", type="number")
    record = _full_record(workspace, record_type)
    rows = [known(record, {name: value}) for value in HOSTILE]
    rows += [new(f"n{place}", **{name: value}) for place, value in enumerate(HOSTILE)]

    results = take(workspace, record_type, *rows)
    found = incoming.find(workspace, record_type, [row.values for row in rows])

    assert len(results) == len(found) == len(rows)
    json.dumps([dict(one.errors) for one in results]).encode()
    assert "\x00" not in str([one.errors for one in results])


def test_a_bad_row_does_not_spoil_the_others(workspace: Workspace) -> None:
    bad, good = take(
        workspace, "lead", new("r1", city="Rome"), new("r2", email="b@example.com")
    )

    assert bad.record_id is None
    assert "email" in bad.errors
    assert good.created


def test_an_address_of_another_lead_is_refused_by_name(workspace: Workspace) -> None:
    other = make_lead(workspace, email="ada@example.com", first_name="Ada")
    lead = make_lead(workspace)
    values = {"email": "ada@example.com", "city": "Rome"}

    result = take_one(workspace, "lead", known(lead, values))

    lead.refresh_from_db()
    assert f"lead {other.pk}" in result.errors["email"]
    assert (result.changed, lead.city) == ({"city": ("", "Rome")}, "Rome")


def test_a_record_that_is_gone_is_told(workspace: Workspace) -> None:
    foreign = make_lead(make_ready_workspace())

    result = take_one(workspace, "lead", known(foreign, {"city": "Rome"}))

    assert result.record_id is None
    assert result.errors


def test_an_amount_without_a_currency_is_left_out(workspace: Workspace) -> None:
    result = take_one(workspace, "deal", new("d1", name="Big one", amount="10"))

    deal = stored(Deal, result)
    assert (deal.name, deal.amount) == ("Big one", None)
    assert "currency" in result.errors["amount"]


def test_what_was_wrong_before_does_not_hold_up_other_fields(
    workspace: Workspace,
) -> None:
    deal = make_deal(workspace, amount=Decimal(5), currency="")

    result = take_one(workspace, "deal", known(deal, {"name": "Renamed"}))

    deal.refresh_from_db()
    assert (result.errors, deal.name) == ({}, "Renamed")


def test_clearing_the_last_name_of_a_company_is_refused(workspace: Workspace) -> None:
    company = make_company(workspace, name="", domain="example.com")
    values = {"domain": None, "city": "Rome"}

    result = take_one(workspace, "company", known(company, values))

    company.refresh_from_db()
    assert (company.domain, company.city) == ("example.com", "Rome")
    assert list(result.errors) == ["domain"]


def test_a_stage_of_another_workspace_is_left_out(workspace: Workspace) -> None:
    with scopes_disabled():
        foreign = make_pipeline(make_workspace()).stages.get(outcome="open")
    deal = make_deal(workspace)

    result = take_one(workspace, "deal", known(deal, {"stage_id": foreign.pk}))

    deal.refresh_from_db()
    assert list(result.errors) == ["stage_id"]
    assert deal.stage.pipeline.workspace_id == workspace.pk


def test_a_parent_of_another_workspace_is_left_out(workspace: Workspace) -> None:
    foreign = make_company(make_ready_workspace())
    row = Incoming(
        "r1", None, {"email": "a@example.com"}, parents={"company": foreign.pk}
    )

    result = take_one(workspace, "lead", row)

    assert list(result.errors) == ["company"]
    assert stored(Lead, result).company is None


def test_the_last_thing_a_lead_is_known_by_is_not_cleared(workspace: Workspace) -> None:
    lead = make_lead(workspace, first_name="", last_name="")

    result = take_one(workspace, "lead", known(lead, {"email": None}))

    lead.refresh_from_db()
    assert lead.email
    assert "email" in result.errors


# --- finding --------------------------------------------------------------------------


def found(
    workspace: Workspace, record_type: str, /, **row: object
) -> tuple[int | None, tuple[int, ...]]:
    (one,) = incoming.find(workspace, record_type, [row])
    return one.record_id, one.candidates


def test_a_lead_is_found_by_e_mail_or_linkedin(workspace: Workspace) -> None:
    lead = make_lead(workspace, email="ada@example.com", linkedin_id="ada-example")
    address = "https://linkedin.com/in/Ada-Example"

    assert found(workspace, "lead", email="ADA@example.com")[0] == lead.pk
    assert found(workspace, "lead", linkedin_url=address)[0] == lead.pk


def test_a_person_who_may_be_two_leads_is_none_of_them(workspace: Workspace) -> None:
    one = make_lead(workspace, email="ada@example.com")
    other = make_lead(workspace, linkedin_id="ada-example")

    result = found(workspace, "lead", email=one.email, linkedin_id="ada-example")

    assert result == (None, (one.pk, other.pk))


def test_a_lead_of_another_workspace_is_not_found(workspace: Workspace) -> None:
    make_lead(make_ready_workspace(), email="ada@example.com")

    assert found(workspace, "lead", email="ada@example.com") == (None, ())


@pytest.mark.parametrize("value", [7, None, ["a"], "a\x00b", "\ud800", "x" * 100_000])
def test_what_is_no_key_finds_nobody(workspace: Workspace, value: object) -> None:
    row = dict.fromkeys(("email", "linkedin_url", "phone", "external_id"), value)

    assert found(workspace, "lead", **row) == (None, ())
    assert found(workspace, "company", domain=value, name=value) == (None, ())


def test_a_company_is_found_by_its_domain(workspace: Workspace) -> None:
    company = make_company(workspace, domain="example.com", name="Other name")

    result = found(workspace, "company", domain="https://www.example.com/", name="Ex")

    assert result[0] == company.pk


def test_a_free_mail_domain_finds_no_company(workspace: Workspace) -> None:
    make_company(workspace, domain="gmail.com", name="Mail")

    assert found(workspace, "company", domain="gmail.com", name="Ex") == (None, ())


def test_a_company_without_domain_is_found_by_name_and_country(
    workspace: Workspace,
) -> None:
    company = make_company(workspace, name="Example", country="Italy")
    make_company(workspace, name="Example", country="Spain")

    assert found(workspace, "company", name="Example", country="Italy")[0] == company.pk


def test_companies_of_one_name_are_never_guessed_at(workspace: Workspace) -> None:
    both = [make_company(workspace, name="Example").pk for _ in range(2)]

    assert found(workspace, "company", name="Example") == (None, tuple(both))


def test_another_domain_is_another_company_of_the_same_name(
    workspace: Workspace,
) -> None:
    make_company(workspace, name="Example", domain="example.com")

    result = found(workspace, "company", name="Example", domain="example.org")

    assert result == (None, ())


def test_new_records_share_nothing_with_each_other(workspace: Workspace) -> None:
    make_custom_field(workspace, name="website")
    rows = [
        new("a", last_name="A", **{"custom.website": "a"}),
        new("b", first_name="B"),
    ]

    first, second = take(workspace, "lead", *rows)

    assert stored(Lead, first).custom == {"website": "a"}
    assert stored(Lead, second).custom == {}
    assert stored(Lead, second).last_name == ""


def test_deals_are_never_matched(workspace: Workspace) -> None:
    make_deal(workspace, name="Big one")

    assert found(workspace, "deal", name="Big one") == (None, ())


def test_a_free_mail_domain_is_left_out_where_it_is_taken(workspace: Workspace) -> None:
    make_company(workspace, domain="gmail.com")

    result = take_one(workspace, "company", new("c1", name="Ex", domain="gmail.com"))

    assert result.created
    assert stored(Company, result).domain == ""


# --- putting back ---------------------------------------------------------------------


def test_what_a_run_changed_is_put_back(workspace: Workspace) -> None:
    lead = make_lead(workspace, city="Bonn")
    changed = take_one(workspace, "lead", known(lead, {"city": "Rome"})).changed

    count = incoming.put_back(workspace, "lead", lead.pk, changed, origin=ORIGIN)

    lead.refresh_from_db()
    assert (count, lead.city) == (1, "Bonn")


def test_what_somebody_changed_since_stays(workspace: Workspace) -> None:
    lead = make_lead(workspace, city="Bonn", country="Germany")
    values = {"city": "Rome", "country": "Italy"}
    changed = take_one(workspace, "lead", known(lead, values)).changed
    Lead.objects.filter(pk=lead.pk).update(city="Oslo")

    count = incoming.put_back(workspace, "lead", lead.pk, changed, origin=ORIGIN)

    lead.refresh_from_db()
    assert (count, lead.city, lead.country) == (1, "Oslo", "Germany")
