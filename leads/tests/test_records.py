"""Writing records: cleaned, checked, told once, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import make_user
from leads.facts import Origin, RecordChange
from leads.models import Activity, Change, Lead, LeadKey, Stage, StageChange
from leads.services import records
from leads.services.errors import InvalidFields, NoSuchRecord, Stale
from leads.services.fields import AnyRecord
from leads.services.records import Edit
from leads.signals import records_changed
from leads.testing import (
    make_activity,
    make_campaign,
    make_company,
    make_custom_field,
    make_deal,
    make_lead,
    make_pipeline,
    make_ready_workspace,
)

pytestmark = pytest.mark.django_db
Heard = list[list[RecordChange]]
Told = Mapping[str, tuple[str, ...]]
ORIGIN = Origin("user", "7", "Ada Example", "trace-1")


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


def create(workspace: Workspace, record_type: str, **values: object) -> Any:
    return records.create(workspace, record_type, [values], origin=ORIGIN)[0]


def update(workspace: Workspace, record: AnyRecord, **values: object) -> Any:
    edit = Edit(record.pk, values)
    record_type = type(record).__name__.lower()
    return records.update(workspace, record_type, [edit], origin=ORIGIN)[0]


def errors_of(workspace: Workspace, record_type: str, /, **values: object) -> Told:
    with pytest.raises(InvalidFields) as caught:
        records.create(workspace, record_type, [values], origin=ORIGIN)
    return caught.value.fields


# --- leads ----------------------------------------------------------------------------


def test_a_lead_is_stored_in_normal_form(workspace: Workspace) -> None:
    lead = create(
        workspace,
        "lead",
        email=" Ada.Lovelace@EXAMPLE.com ",
        phone="030 901820",
        linkedin_id="https://www.linkedin.com/in/Ada-Example/?trk=x",
        first_name=" Ada ",
    )

    lead.refresh_from_db()
    assert lead.email == "ada.lovelace@example.com"
    assert lead.phone == "+4930901820"
    assert lead.linkedin_id == "ada-example"
    assert lead.first_name == "Ada"
    assert {(key.kind, key.value) for key in lead.keys.all()} == {
        ("email", "ada.lovelace@example.com"),
        ("linkedin", "ada-example"),
    }


def test_one_signal_and_one_history_row_tell_of_a_write(
    workspace: Workspace, told: Heard
) -> None:
    made = records.create(
        workspace,
        "lead",
        [{"email": "a@example.com"}, {"email": "b@example.com"}],
        origin=ORIGIN,
    )

    assert [[change.record_id for change in batch] for batch in told] == [
        [lead.pk for lead in made]
    ]
    row = Change.objects.get(record_type="lead", record_id=made[0].pk)
    assert row.fields["email"] == [None, "a@example.com"]
    assert (row.action, row.origin_label, row.trace_id) == (
        "created",
        "Ada Example",
        "trace-1",
    )


def test_absent_is_unchanged_and_null_clears(workspace: Workspace) -> None:
    lead = make_lead(workspace, first_name="Ada", city="Berlin", score=7)

    update(workspace, lead, city=None)

    lead.refresh_from_db()
    assert (lead.first_name, lead.city, lead.score) == ("Ada", "", 7)


def test_an_update_without_a_difference_changes_nothing(
    workspace: Workspace, told: Heard
) -> None:
    lead = make_lead(workspace, first_name="Ada")

    update(workspace, lead, first_name="Ada")

    lead.refresh_from_db()
    assert lead.version == 1
    assert told == []
    assert not Change.objects.exists()


def test_an_update_raises_the_version_and_tells_old_and_new(
    workspace: Workspace, told: Heard
) -> None:
    lead = make_lead(workspace, first_name="Ada")

    update(workspace, lead, first_name="Grace")

    lead.refresh_from_db()
    assert lead.version == 2
    assert told[0][0].fields == {"first_name": ("Ada", "Grace")}


def test_a_stale_version_is_refused(workspace: Workspace) -> None:
    lead = make_lead(workspace, version=3)

    with pytest.raises(Stale) as caught:
        records.update(
            workspace, "lead", [Edit(lead.pk, {"city": "Rome"}, 2)], origin=ORIGIN
        )

    assert (caught.value.given, caught.value.current) == (2, 3)
    assert Lead.objects.get().city == ""


def keys_of(lead: Lead) -> dict[str, bool]:
    return dict(lead.keys.values_list("value", "former"))


def test_a_lead_is_known_by_its_former_address_too(workspace: Workspace) -> None:
    lead = make_lead(workspace, email="old@example.com")

    update(workspace, lead, email="new@example.com")

    assert keys_of(lead) == {"old@example.com": True, "new@example.com": False}


def test_a_former_address_can_be_given_to_another_lead(workspace: Workspace) -> None:
    lead, other = make_lead(workspace, email="old@example.com"), make_lead(workspace)
    update(workspace, lead, email="new@example.com")

    update(workspace, other, email="old@example.com")

    assert keys_of(lead) == {"new@example.com": False}
    assert keys_of(other)["old@example.com"] is False


def test_a_lead_can_have_its_former_address_again(workspace: Workspace) -> None:
    lead = make_lead(workspace, email="old@example.com")
    update(workspace, lead, email="new@example.com")

    update(workspace, lead, email="old@example.com")

    assert keys_of(lead) == {"old@example.com": False, "new@example.com": True}


def test_clearing_the_address_frees_the_key(workspace: Workspace) -> None:
    lead = make_lead(workspace, email="old@example.com")

    update(workspace, lead, email=None)

    assert not LeadKey.objects.exists()


def test_a_taken_address_names_the_lead_that_has_it(workspace: Workspace) -> None:
    holder = make_lead(workspace, email="a@example.com", first_name="Ada")

    told = errors_of(workspace, "lead", email="A@example.com")

    assert f"(lead {holder.pk})" in told["email"][0]
    assert Lead.objects.count() == 1


def test_a_second_address_of_the_same_lead_is_no_conflict(workspace: Workspace) -> None:
    lead = make_lead(workspace, email="a@example.com")
    LeadKey.objects.create(
        workspace=workspace, lead=lead, kind="email", value="b@example.com"
    )

    update(workspace, lead, email="b@example.com")

    assert keys_of(lead) == {"a@example.com": True, "b@example.com": False}


def test_two_new_leads_cannot_share_an_address(workspace: Workspace) -> None:
    rows = [{"email": "a@example.com"}, {"email": "a@example.com"}]

    with pytest.raises(InvalidFields) as caught:
        records.create(workspace, "lead", rows, origin=ORIGIN)

    assert [row.row for row in caught.value.rows] == [1]
    assert not Lead.objects.exists()


def test_the_same_address_in_another_workspace_is_free(workspace: Workspace) -> None:
    make_lead(make_ready_workspace(), email="a@example.com")

    lead = create(workspace, "lead", email="a@example.com")

    assert lead.pk


def test_a_company_gives_the_lead_its_name(workspace: Workspace) -> None:
    company = make_company(workspace, name="Northwind")

    lead = create(workspace, "lead", email="a@example.com", company_id=company.pk)

    assert lead.company_name == "Northwind"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("email", 5),
        ("phone", "tomorrow"),
        ("linkedin_id", "https://www.linkedin.com/company/x"),
        ("first_name", "x" * 101),
        ("first_name", "a\x00b"),
        ("first_name", "\ud800"),
        ("status", "sleepy"),
        ("status", None),
        ("score", 99),
        ("version", 9),
        ("workspace_id", 1),
        ("workspace", 1),
        ("id", 1),
        ("created_at", "2026-01-01T00:00:00Z"),
        ("company_id", 10**30),
        ("company_id", True),
        ("owner_id", 987654),
        ("custom", ["tier"]),
    ],
)
def test_what_does_not_fit_is_refused_by_field(
    workspace: Workspace, field: str, value: object
) -> None:
    told = errors_of(workspace, "lead", **{"last_name": "Example", field: value})

    assert list(told) == [field]
    assert not Lead.objects.exists()


def test_a_lead_must_be_someone(workspace: Workspace) -> None:
    assert "email" in errors_of(workspace, "lead", city="Rome")


def test_ids_of_another_workspace_are_unknown(workspace: Workspace) -> None:
    other = make_ready_workspace()
    foreign = {
        "company_id": make_company(other).pk,
        "owner_id": make_user(other).pk,
    }

    told = errors_of(workspace, "lead", email="a@example.com", **foreign)

    assert set(told) == {"company_id", "owner_id"}


def test_a_record_of_another_workspace_does_not_exist(workspace: Workspace) -> None:
    foreign = make_lead(make_ready_workspace())

    with pytest.raises(NoSuchRecord):
        update(workspace, foreign, city="Rome")


def test_an_owner_is_a_member(workspace: Workspace) -> None:
    rep = make_user(workspace, "rep")

    lead = create(workspace, "lead", email="a@example.com", owner_id=rep.pk)

    assert lead.owner == rep


# --- custom fields --------------------------------------------------------------------

OPTIONS = [{"value": "hot", "label": "Hot"}, {"value": "cold", "label": "Cold"}]


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("text", "  hello ", "hello"),
        ("number", "12.5", 12.5),
        ("number", 3, 3),
        ("bool", True, True),
        ("date", "2026-03-31", "2026-03-31"),
        ("datetime", "2026-03-31T09:30:00+02:00", "2026-03-31T07:30:00+00:00"),
        ("enum", "hot", "hot"),
        ("multi_enum", ["hot", "cold", "hot"], ["hot", "cold"]),
        ("email", "A@Example.com", "a@example.com"),
        ("phone", "030 901820", "+4930901820"),
        ("url", "https://example.com/x", "https://example.com/x"),
    ],
)
def test_a_custom_value_is_kept_by_its_type(
    workspace: Workspace, kind: str, given: object, stored: object
) -> None:
    options = OPTIONS if "enum" in kind else []
    make_custom_field(workspace, name="mine", type=kind, options=options)

    lead = create(workspace, "lead", email="a@example.com", custom={"mine": given})

    lead.refresh_from_db()
    assert lead.custom == {"mine": stored}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("text", 5),
        ("number", "many"),
        ("number", True),
        ("number", "NaN"),
        ("number", "1e999999"),
        ("bool", "yes"),
        ("date", "31.03.2026"),
        ("date", 20260331),
        ("datetime", "2026-03-31T09:30:00"),
        ("datetime", "0001-01-01T00:00:00+14:00"),
        ("enum", "warm"),
        ("enum", ["hot"]),
        ("multi_enum", "hot"),
        ("multi_enum", ["warm"]),
        ("email", "nobody"),
        ("phone", "soon"),
        ("url", "javascript:alert(1)"),
        ("url", "http://[oops"),
    ],
)
def test_a_custom_value_of_the_wrong_type_is_refused(
    workspace: Workspace, kind: str, given: object
) -> None:
    options = OPTIONS if "enum" in kind else []
    make_custom_field(workspace, name="mine", type=kind, options=options)

    told = errors_of(workspace, "lead", email="a@example.com", custom={"mine": given})

    assert list(told) == ["custom.mine"]


def test_custom_values_are_merged_and_null_takes_one_away(
    workspace: Workspace, told: Heard
) -> None:
    make_custom_field(workspace, name="one")
    make_custom_field(workspace, name="two")
    lead = make_lead(workspace, custom={"one": "1", "two": "2"})

    update(workspace, lead, custom={"one": None})

    lead.refresh_from_db()
    assert lead.custom == {"two": "2"}
    assert told[0][0].fields == {"custom.one": ("1", None)}


def test_unknown_archived_and_foreign_custom_fields_are_refused(
    workspace: Workspace,
) -> None:
    make_custom_field(workspace, name="old", archived=True)
    make_custom_field(make_ready_workspace(), name="foreign")
    make_custom_field(workspace, name="of_deals", record_type="deal")
    given = {"old": "1", "foreign": "1", "of_deals": "1", "nothing": "1"}

    told = errors_of(workspace, "lead", email="a@example.com", custom=given)

    assert set(told) == {f"custom.{name}" for name in given}


# --- companies and campaigns ----------------------------------------------------------


def test_a_domain_belongs_to_one_company(workspace: Workspace) -> None:
    holder = make_company(workspace, name="Northwind", domain="example.com")

    told = errors_of(workspace, "company", name="Other", domain="https://EXAMPLE.com/x")

    assert f"Northwind (id {holder.pk})" in told["domain"][0]


def test_a_campaign_name_is_taken_once_per_source(workspace: Workspace) -> None:
    make_campaign(workspace, name="Spring", source="lgm")

    other = create(workspace, "campaign", name="Spring", source="mail")

    assert other.pk
    assert "name" in errors_of(workspace, "campaign", name="Spring", source="lgm")


# --- deals ----------------------------------------------------------------------------


def test_a_deal_starts_in_the_first_open_stage_and_says_so(
    workspace: Workspace,
) -> None:
    lead = make_lead(
        workspace, company=make_company(workspace), owner=make_user(workspace)
    )

    deal = create(workspace, "deal", name="Big one", lead_id=lead.pk)

    assert deal.stage.name == "New reply"
    assert (deal.company_id, deal.owner_id) == (lead.company_id, lead.owner_id)
    assert StageChange.objects.get(deal=deal).from_stage is None


def test_moving_a_deal_writes_its_stage_history(workspace: Workspace) -> None:
    deal = create(workspace, "deal", name="Big one")
    won = Stage.objects.get(name="Won")

    update(workspace, deal, stage_id=won.pk)

    way = StageChange.objects.filter(deal=deal, from_stage__name="New reply")
    told = [(str(one.to_stage), one.origin) for one in way]
    assert told == [("Won", "Ada Example")]


def test_editing_a_deal_elsewhere_leaves_its_stage_history(
    workspace: Workspace,
) -> None:
    deal = create(workspace, "deal", name="Big one")

    update(workspace, deal, name="Bigger one")

    assert StageChange.objects.count() == 1


def test_a_stage_of_another_pipeline_is_refused(workspace: Workspace) -> None:
    sales = Stage.objects.get(name="Won").pipeline
    stage = make_pipeline(workspace).stages.first()

    told = errors_of(
        workspace, "deal", name="x", pipeline_id=sales.pk, stage_id=stage.pk
    )

    assert list(told) == ["stage_id"]


def test_moving_to_another_pipeline_enters_its_first_open_stage(
    workspace: Workspace,
) -> None:
    deal = create(workspace, "deal", name="Big one")
    other = make_pipeline(workspace)

    update(workspace, deal, pipeline_id=other.pk)

    deal.refresh_from_db()
    assert deal.stage.name == "Open"
    assert deal.stage.pipeline == other


def test_money_is_exact_and_has_a_currency(workspace: Workspace) -> None:
    deal = create(workspace, "deal", name="x", amount="1200.5", currency="eur")

    deal.refresh_from_db()
    assert (deal.amount, deal.currency) == (Decimal("1200.50"), "EUR")
    assert list(errors_of(workspace, "deal", name="x", amount=5)) == ["currency"]


@pytest.mark.parametrize(
    "amount", ["1.005", "1e20", "NaN", "Infinity", "ten", True, [1], "9" * 5000]
)
def test_an_amount_that_is_none_is_refused(
    workspace: Workspace, amount: object
) -> None:
    told = errors_of(workspace, "deal", name="x", amount=amount, currency="EUR")

    assert list(told) == ["amount"]


def test_a_deal_needs_a_name(workspace: Workspace) -> None:
    assert list(errors_of(workspace, "deal", amount=None)) == ["name"]


# --- activities -----------------------------------------------------------------------


def test_an_activity_takes_the_lead_of_its_deal(workspace: Workspace) -> None:
    deal = make_deal(workspace, lead=make_lead(workspace))

    note = create(workspace, "activity", kind="note", body="Hi", deal_id=deal.pk)

    assert note.lead_id == deal.lead_id
    assert note.occurred_at is not None


def test_an_activity_about_nobody_is_refused(workspace: Workspace) -> None:
    assert list(errors_of(workspace, "activity", kind="note")) == ["lead_id"]


def test_nobody_writes_messages_by_hand(workspace: Workspace) -> None:
    lead = make_lead(workspace)

    told = errors_of(workspace, "activity", kind="message", lead_id=lead.pk)

    assert list(told) == ["kind"]


def test_a_message_stays_as_it_was_said(workspace: Workspace) -> None:
    message = make_activity(
        workspace, kind="message", body="Yes", lead=make_lead(workspace)
    )

    with pytest.raises(InvalidFields) as caught:
        update(workspace, message, body="No")

    assert list(caught.value.fields) == ["body"]


def test_a_note_does_not_become_a_task(workspace: Workspace) -> None:
    note = make_activity(workspace, lead=make_lead(workspace))

    with pytest.raises(InvalidFields):
        update(workspace, note, kind="task")


def test_a_task_is_done(workspace: Workspace) -> None:
    task = make_activity(workspace, kind="task", lead=make_lead(workspace))

    update(workspace, task, done_at="2026-05-01T10:00:00+02:00")

    task.refresh_from_db()
    assert task.done_at == datetime(2026, 5, 1, 8, tzinfo=UTC)


def test_an_activity_shows_the_lead_as_lively_but_is_no_news_of_it(
    workspace: Workspace, told: Heard
) -> None:
    lead = make_lead(workspace)

    create(workspace, "activity", kind="note", body="Hi", lead_id=lead.pk)

    lead.refresh_from_db()
    assert lead.last_activity_at is not None
    assert [change.record_type for change in told[0]] == ["activity"]


def test_a_meeting_scores_once_and_the_score_is_news(
    workspace: Workspace, told: Heard
) -> None:
    lead = make_lead(workspace)

    create(workspace, "activity", kind="meeting", lead_id=lead.pk)

    lead.refresh_from_db()
    assert lead.score == 30
    assert [entry.points for entry in lead.score_entries.all()] == [30]
    assert [(c.record_type, dict(c.fields)) for c in told[0]][1] == (
        "lead",
        {"score": (0, 30)},
    )


def test_what_a_source_sent_is_stored_once(workspace: Workspace) -> None:
    lead = make_lead(workspace)
    values = {"kind": "call", "lead_id": lead.pk, "source": "x", "external_id": "1"}
    create(workspace, "activity", **values)

    told = errors_of(workspace, "activity", **values)

    assert list(told) == ["external_id"]
    assert Activity.objects.count() == 1
