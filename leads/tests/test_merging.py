"""Two records become one, and two again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from leads.facts import Origin, RecordChange
from leads.models import (
    Activity,
    CampaignMember,
    Change,
    Company,
    Conversation,
    Lead,
    LeadKey,
    Merge,
    ScoreEntry,
    Tombstone,
)
from leads.services import merging, records, unmerging
from leads.services.errors import InvalidFields, NoSuchRecord
from leads.services.unmerging import CannotUndo
from leads.signals import records_changed
from leads.testing import (
    make_activity,
    make_campaign,
    make_company,
    make_deal,
    make_lead,
    make_member,
    make_ready_workspace,
)

pytestmark = pytest.mark.django_db
Heard = list[list[RecordChange]]
ORIGIN = Origin("user", "7", "Ada Example", "trace-1")


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    made = make_ready_workspace()
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


def merge(winner: Any, loser: Any) -> Merge:
    return merging.merge(
        winner.workspace,
        type(winner).__name__.lower(),
        winner_id=winner.pk,
        loser_id=loser.pk,
        origin=ORIGIN,
    )


def undo(row: Merge) -> Merge:
    return unmerging.undo(row, origin=ORIGIN)


def update(record: Any, **values: object) -> None:
    record_type = type(record).__name__.lower()
    edit = records.Edit(record.pk, values)
    records.update(record.workspace, record_type, [edit], origin=ORIGIN)


def columns(row: Model, *, but: tuple[str, ...] = ("version", "updated_at")) -> Any:
    """Return all that is stored of a row, without what rises with every change."""
    fields = type(row)._meta.concrete_fields
    fresh = type(row)._default_manager.get(pk=row.pk)
    return {f.attname: getattr(fresh, f.attname) for f in fields if f.name not in but}


# --- merging --------------------------------------------------------------------------


def test_blanks_of_the_winner_take_the_losers_values(workspace: Workspace) -> None:
    winner = make_lead(workspace, city="Rome", custom={"tier": "gold"})
    loser = make_lead(
        workspace, city="Oslo", phone="+12025550143", custom={"tier": "x", "size": 1}
    )

    merge(winner, loser)

    winner.refresh_from_db()
    assert (winner.city, winner.phone) == ("Rome", "+12025550143")
    assert winner.custom == {"tier": "gold", "size": 1}
    assert list(Lead.objects.all()) == [winner]


def test_all_that_belongs_to_the_loser_goes_to_the_winner(workspace: Workspace) -> None:
    winner, loser = make_lead(workspace, score=5), make_lead(workspace, score=20)
    activity = make_activity(workspace, lead=loser)
    deal = make_deal(workspace, lead=loser)
    _traces(loser)

    merge(winner, loser)

    winner.refresh_from_db()
    assert winner.score == 25
    for model in (Conversation, ScoreEntry, CampaignMember):
        assert model._default_manager.get().lead_id == winner.pk
    activity.refresh_from_db()
    deal.refresh_from_db()
    assert (activity.lead, deal.lead) == (winner, winner)


def _traces(lead: Lead) -> None:
    mine: Any = {"workspace": lead.workspace, "lead": lead}
    Conversation.objects.create(source="lgm", external_id="t1", **mine)
    ScoreEntry.objects.create(points=20, reason="Replied", **mine)
    make_member(lead.workspace, lead=lead)


def test_both_addresses_find_the_winner(workspace: Workspace) -> None:
    winner = make_lead(workspace, email="a@example.com")
    loser = make_lead(workspace, email="b@example.com")

    merge(winner, loser)

    held = dict(LeadKey.objects.values_list("value", "lead"))
    assert held == {"a@example.com": winner.pk, "b@example.com": winner.pk}


def test_a_campaign_both_were_in_has_one_member(workspace: Workspace) -> None:
    winner, loser = make_lead(workspace), make_lead(workspace)
    campaign = make_campaign(workspace)
    for lead in (winner, loser):
        make_member(workspace, campaign=campaign, lead=lead)

    merge(winner, loser)

    assert CampaignMember.objects.get().lead_id == winner.pk


def test_the_member_that_came_further_stays_so(workspace: Workspace) -> None:
    winner, loser = make_lead(workspace), make_lead(workspace)
    campaign = make_campaign(workspace)
    kept = make_member(workspace, campaign=campaign, lead=winner)
    make_member(workspace, campaign=campaign, lead=loser, status="responded")

    merge(winner, loser)

    kept.refresh_from_db()
    assert (kept.status, kept.version) == ("responded", 2)
    change = Change.objects.get(record_type="campaign_member", action="updated")
    assert change.fields == {"status": ["contacted", "responded"]}


def test_both_sides_are_told_in_one_signal(workspace: Workspace, told: Heard) -> None:
    winner, loser = make_lead(workspace), make_lead(workspace, city="Oslo")
    deal = make_deal(workspace, lead=loser)

    merge(winner, loser)

    (heard,) = told
    by_record = {(one.record_type, one.record_id): one for one in heard}
    assert by_record["lead", loser.pk].action == "merged"
    assert by_record["lead", loser.pk].fields == {"merged_into": (None, winner.pk)}
    assert by_record["lead", winner.pk].fields["city"] == ("", "Oslo")
    assert by_record["deal", deal.pk].fields == {"lead_id": (loser.pk, winner.pk)}


def test_the_tombstone_says_where_the_loser_went(workspace: Workspace) -> None:
    winner, loser = make_lead(workspace), make_lead(workspace)

    merge(winner, loser)

    assert Tombstone.objects.get(record_id=loser.pk).merged_into == winner.pk


def test_a_company_takes_over_the_losers_domain(workspace: Workspace) -> None:
    winner = make_company(workspace, domain="")
    loser = make_company(workspace, domain="example.com")
    lead = make_lead(workspace, company=loser)

    merge(winner, loser)

    winner.refresh_from_db()
    lead.refresh_from_db()
    assert (winner.domain, lead.company) == ("example.com", winner)


def test_an_amount_is_taken_over_with_its_currency(workspace: Workspace) -> None:
    winner = make_deal(workspace, currency="USD")
    loser = make_deal(workspace, amount=Decimal(10), currency="EUR")

    merge(winner, loser)

    winner.refresh_from_db()
    assert (winner.amount, winner.currency) == (Decimal(10), "EUR")


def test_a_record_is_not_merged_into_itself(workspace: Workspace) -> None:
    lead = make_lead(workspace)

    with pytest.raises(InvalidFields):
        merge(lead, lead)


def test_a_record_of_another_workspace_is_not_there(workspace: Workspace) -> None:
    foreign = make_lead(make_ready_workspace())

    with pytest.raises(NoSuchRecord):
        merge(make_lead(workspace), foreign)


# --- undoing --------------------------------------------------------------------------


def _pair(workspace: Workspace) -> tuple[Lead, Lead]:
    at = datetime(2026, 3, 1, 9, 30, 1, 5, tzinfo=UTC)
    winner = make_lead(workspace, score=5, custom={"tier": "gold"})
    loser = make_lead(
        workspace,
        score=20,
        city="Oslo",
        linkedin_id="ada-example",
        company=make_company(workspace),
        company_name="Example",
        last_reply_at=at,
        custom={"size": 1},
    )
    make_deal(workspace, lead=loser)
    make_activity(workspace, lead=loser)
    make_activity(workspace, lead=winner)
    _traces(loser)
    campaign = make_campaign(workspace)
    for lead in (winner, loser):
        make_member(workspace, campaign=campaign, lead=lead)
    return winner, loser


def _everything(workspace: Workspace) -> dict[str, Any]:
    models: tuple[Any, ...] = (Lead, LeadKey, Activity, Conversation, ScoreEntry)
    rows = [row for m in (*models, CampaignMember) for row in m.objects.order_by("pk")]
    return {f"{type(row).__name__} {row.pk}": columns(row) for row in rows}


def test_undoing_brings_both_back_exactly(workspace: Workspace) -> None:
    winner, loser = _pair(workspace)
    before = _everything(workspace)

    undo(merge(winner, loser))

    assert _everything(workspace) == before
    assert not Tombstone.objects.exists()


def test_undoing_is_told(workspace: Workspace, told: Heard) -> None:
    winner, loser = _pair(workspace)
    row = merge(winner, loser)
    told.clear()

    undo(row)

    (heard,) = told
    by_record = {(one.record_type, one.record_id): one for one in heard}
    assert by_record["lead", loser.pk].action == "created"
    assert by_record["lead", winner.pk].fields["city"] == ("Oslo", "")


def test_what_came_after_the_merge_stays_with_the_winner(workspace: Workspace) -> None:
    winner, loser = _pair(workspace)
    row = merge(winner, loser)
    later = make_activity(workspace, lead=winner)
    Lead.objects.filter(pk=winner.pk).update(score=35, country="Italy")

    undo(row)

    winner.refresh_from_db()
    later.refresh_from_db()
    assert (later.lead, winner.country, winner.score) == (winner, "Italy", 15)


def test_a_merge_is_not_undone_over_a_newer_change(workspace: Workspace) -> None:
    winner, loser = _pair(workspace)
    row = merge(winner, loser)
    update(winner, city="Bergen")
    before = _everything(workspace)

    with pytest.raises(CannotUndo, match="city"):
        undo(row)

    assert _everything(workspace) == before
    assert Merge.objects.get().undone_at is None


def test_a_merge_is_not_undone_when_the_losers_address_was_given_away(
    workspace: Workspace,
) -> None:
    winner, loser = make_lead(workspace), make_lead(workspace, email="b@example.com")
    row = merge(winner, loser)
    LeadKey.objects.filter(value="b@example.com").update(lead=make_lead(workspace))

    with pytest.raises(CannotUndo, match="b@example"):
        undo(row)

    assert not Lead.objects.filter(pk=loser.pk).exists()


def test_a_merge_is_undone_once(workspace: Workspace) -> None:
    row = merge(make_lead(workspace), make_lead(workspace))
    undo(row)

    with pytest.raises(CannotUndo):
        undo(row)


def test_a_merge_can_be_undone_for_thirty_days(workspace: Workspace) -> None:
    row = merge(make_lead(workspace), make_lead(workspace))
    Merge.objects.update(at=row.at - timedelta(days=31))

    with pytest.raises(CannotUndo, match="30 days"):
        undo(row)


def test_a_loser_whose_company_is_gone_comes_back_without_it(
    workspace: Workspace,
) -> None:
    winner = make_lead(workspace, company_name="Own")
    loser = make_lead(workspace, company=make_company(workspace))
    row = merge(winner, loser)
    Company.objects.all().delete()

    undo(row)

    assert Lead.objects.get(pk=loser.pk).company is None


def test_a_company_gets_its_domain_back(workspace: Workspace) -> None:
    winner = make_company(workspace, domain="")
    loser = make_company(workspace, domain="example.com")
    before = [columns(one) for one in (winner, loser)]

    undo(merge(winner, loser))

    assert [columns(one) for one in (winner, loser)] == before


def test_a_deals_money_and_dates_come_back_exactly(workspace: Workspace) -> None:
    winner = make_deal(workspace)
    loser = make_deal(
        workspace, amount=Decimal("10.50"), currency="EUR", close_date="2026-03-31"
    )
    before = [columns(one) for one in (winner, loser)]

    undo(merge(winner, loser))

    assert [columns(one) for one in (winner, loser)] == before


def test_what_an_old_merge_keeps_of_the_loser_is_forgotten(
    workspace: Workspace,
) -> None:
    old = merge(make_lead(workspace), make_lead(workspace))
    Merge.objects.update(at=old.at - timedelta(days=31))
    young = merge(make_lead(workspace), make_lead(workspace))

    count = unmerging.forget_old(young.at)

    old.refresh_from_db()
    young.refresh_from_db()
    assert (count, old.kept, bool(young.kept)) == (1, {}, True)


def test_a_merge_of_before_members_were_records_is_undone(workspace: Workspace) -> None:
    winner, loser = _pair(workspace)
    before = {row.pk: row.lead_id for row in CampaignMember.objects.all()}
    made = merge(winner, loser)
    kept = made.kept
    for row in kept["memberships"]:
        row["since"] = row.pop("created_at")
        for name in ("custom", "version", "updated_at"):
            del row[name]
    kept["moved"]["campaignmember.lead_id"] = kept["moved"].pop(
        "campaign_member.lead_id"
    )
    made.save()

    migration = import_module("leads.migrations.0007_campaign_members")
    migration.as_records(apps, None)
    made.refresh_from_db()
    undo(made)

    assert {row.pk: row.lead_id for row in CampaignMember.objects.all()} == before
