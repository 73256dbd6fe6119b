"""Deleting records: what goes along, what stays, what is told and remembered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from leads.facts import Origin, RecordChange
from leads.models import Activity, Change, Company, Deal, Lead, LeadKey, Tombstone
from leads.services import removal
from leads.signals import records_changed
from leads.testing import (
    make_activity,
    make_company,
    make_deal,
    make_lead,
    make_ready_workspace,
)

pytestmark = pytest.mark.django_db
Heard = list[list[RecordChange]]
ORIGIN = Origin("connection", "9", "Example CRM", "trace-1", connection_id=9)


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


def delete(workspace: Workspace, record_type: str, *ids: int) -> list[RecordChange]:
    return removal.delete(workspace, record_type, ids, origin=ORIGIN)


def test_a_deleted_lead_is_gone_with_its_keys_and_activities(
    workspace: Workspace,
) -> None:
    lead, other = make_lead(workspace), make_lead(workspace)
    make_activity(workspace, lead=lead)
    kept = make_activity(workspace, lead=other)

    delete(workspace, "lead", lead.pk)

    assert list(Lead.objects.all()) == [other]
    assert list(LeadKey.objects.values_list("lead", flat=True)) == [other.pk]
    assert list(Activity.objects.all()) == [kept]


def test_a_deal_stays_without_its_lead(workspace: Workspace) -> None:
    lead = make_lead(workspace)
    deal = make_deal(workspace, lead=lead)

    delete(workspace, "lead", lead.pk)

    deal.refresh_from_db()
    assert (deal.lead, deal.version) == (None, 2)


def test_all_that_happened_is_told_at_once(workspace: Workspace, told: Heard) -> None:
    lead = make_lead(workspace, city="Rome")
    activity = make_activity(workspace, lead=lead)
    deal = make_deal(workspace, lead=lead)

    returned = delete(workspace, "lead", lead.pk)

    (heard,) = told
    assert heard == returned
    assert [(one.record_type, one.record_id, one.action) for one in heard] == [
        ("activity", activity.pk, "deleted"),
        ("deal", deal.pk, "updated"),
        ("lead", lead.pk, "deleted"),
    ]
    assert heard[-1].fields["city"] == ("Rome", None)
    assert heard[-1].origin.connection_id == 9


def test_history_says_that_it_was_deleted(workspace: Workspace) -> None:
    lead = make_lead(workspace)

    delete(workspace, "lead", lead.pk)

    row = Change.objects.get(record_type="lead", record_id=lead.pk)
    assert (row.action, row.origin_label) == ("deleted", "Example CRM")


def test_a_tombstone_recognises_the_person_and_names_nobody(
    workspace: Workspace,
) -> None:
    lead = make_lead(workspace, email="ada@example.com", linkedin_id="ada-example")

    delete(workspace, "lead", lead.pk)

    stone = Tombstone.objects.get(record_type="lead", record_id=lead.pk)
    assert set(stone.keys) == {
        removal.hashed(workspace, "email:ada@example.com"),
        removal.hashed(workspace, "linkedin:ada-example"),
    }
    # Whole values: three letters of a name turn up in a hash by chance.
    written = str(list(Tombstone.objects.values()))
    assert "ada@example.com" not in written
    assert "ada-example" not in written


def test_one_address_is_hashed_differently_in_each_workspace(
    workspace: Workspace,
) -> None:
    other = make_ready_workspace()

    hashes = {removal.hashed(one, "email:a@example.com") for one in (workspace, other)}

    assert len(hashes) == 2


def test_a_company_leaves_its_people(workspace: Workspace) -> None:
    company = make_company(workspace, domain="example.com")
    lead = make_lead(workspace, company=company, company_name="Example")

    delete(workspace, "company", company.pk)

    lead.refresh_from_db()
    assert (lead.company, lead.company_name) == (None, "Example")
    stone = Tombstone.objects.get()
    assert stone.keys == [removal.hashed(workspace, "domain:example.com")]


def test_what_is_about_the_lead_as_well_survives_the_deal(workspace: Workspace) -> None:
    lead = make_lead(workspace)
    deal = make_deal(workspace, lead=lead)
    both = make_activity(workspace, lead=lead, deal=deal)
    make_activity(workspace, deal=deal)

    delete(workspace, "deal", deal.pk)

    (left,) = Activity.objects.all()
    assert (left, left.deal) == (both, None)
    assert not Deal.objects.exists()


def test_deleting_again_changes_nothing(workspace: Workspace, told: Heard) -> None:
    company = make_company(workspace)
    delete(workspace, "company", company.pk)
    told.clear()

    assert delete(workspace, "company", company.pk) == []
    assert told == []
    assert Tombstone.objects.count() == 1


def test_a_record_of_another_workspace_stays(workspace: Workspace) -> None:
    other = make_ready_workspace()
    foreign = make_company(other)

    assert delete(workspace, "company", foreign.pk) == []
    with in_workspace(other):
        assert Company.objects.filter(pk=foreign.pk).exists()
