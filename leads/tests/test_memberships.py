"""Who is in which campaign, and how far they came: by events, and by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from leads.facts import Origin
from leads.models import Campaign, CampaignMember, Change, Tombstone
from leads.services import memberships, records, removal
from leads.services.errors import InvalidFields
from leads.services.memberships import Joining
from leads.services.records import Edit
from leads.testing import make_campaign, make_lead, make_member, make_ready_workspace

pytestmark = pytest.mark.django_db
ORIGIN = Origin("endpoint", "9", "Example outreach", "trace-1")


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    made = make_ready_workspace()
    with in_workspace(made):
        yield made


def joining(lead: int, status: str = "contacted", name: str = "Spring") -> Joining:
    return Joining(lead, "lgm", name, "c-1", status, ORIGIN)


def join(workspace: Workspace, *some: Joining) -> list[tuple[str, str]]:
    """Let them join; return what was told, as (record type, action)."""
    _, told = memberships.join(workspace, some)
    return [(str(one.record_type), one.action) for one in told]


def test_a_campaign_and_its_member_are_made_and_told_once(workspace: Workspace) -> None:
    lead = make_lead(workspace)

    told = join(workspace, joining(lead.pk), joining(lead.pk))
    again = join(workspace, joining(lead.pk))

    campaign, member = Campaign.objects.get(), CampaignMember.objects.get()
    assert (campaign.source, campaign.name, campaign.external_id) == (
        "lgm",
        "Spring",
        "c-1",
    )
    assert (member.campaign, member.lead, member.status) == (
        campaign,
        lead,
        "contacted",
    )
    assert told == [("campaign", "created"), ("campaign_member", "created")]
    assert again == []


def test_a_status_moves_on_and_never_back(workspace: Workspace) -> None:
    lead = make_lead(workspace)

    join(workspace, joining(lead.pk))
    forth = join(workspace, joining(lead.pk, "responded"), joining(lead.pk))
    back = join(workspace, joining(lead.pk, "contacted"))

    member = CampaignMember.objects.get()
    assert (member.status, member.version) == ("responded", 2)
    assert (forth, back) == ([("campaign_member", "updated")], [])


def test_who_responds_first_is_made_so(workspace: Workspace) -> None:
    lead = make_lead(workspace)

    told = join(workspace, joining(lead.pk), joining(lead.pk, "responded"))

    assert CampaignMember.objects.get().status == "responded"
    assert told[-1] == ("campaign_member", "created")


def test_a_campaign_that_another_made_meanwhile_is_joined(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = make_lead(workspace)

    def meanwhile(*_: object) -> bool:
        monkeypatch.undo()
        make_campaign(workspace, name="Spring", source="lgm", external_id="theirs")
        return False

    monkeypatch.setattr(memberships, "_inserted", meanwhile)

    told = join(workspace, joining(lead.pk))

    assert Campaign.objects.get().external_id == "theirs"
    assert told == [("campaign_member", "created")]


def test_one_name_of_two_sources_is_two_campaigns(workspace: Workspace) -> None:
    lead = make_lead(workspace)
    make_campaign(workspace, name="Spring", source="mail")

    join(workspace, joining(lead.pk))

    assert CampaignMember.objects.get().campaign.source == "lgm"


def test_a_campaign_that_a_crm_brought_is_joined_by_its_name(
    workspace: Workspace,
) -> None:
    lead = make_lead(workspace)
    brought = make_campaign(workspace, name="Spring")

    told = join(workspace, joining(lead.pk))

    assert CampaignMember.objects.get().campaign == brought
    assert told == [("campaign_member", "created")]


# --- by hand and through the API ------------------------------------------------------


def test_a_lead_is_in_a_campaign_once(workspace: Workspace) -> None:
    member = make_member(workspace)
    pair = {"lead_id": member.lead_id, "campaign_id": member.campaign_id}

    with pytest.raises(InvalidFields) as caught:
        records.create(workspace, "campaign_member", [pair], origin=ORIGIN)

    (row,) = caught.value.rows
    told = f"This lead is in the campaign already (id {member.pk})."
    assert row.fields == {"lead_id": (told,)}


def test_the_same_pair_twice_in_one_call_is_refused(workspace: Workspace) -> None:
    pair = {
        "lead_id": make_lead(workspace).pk,
        "campaign_id": make_campaign(workspace).pk,
    }

    with pytest.raises(InvalidFields) as caught:
        records.create(workspace, "campaign_member", [pair, pair], origin=ORIGIN)

    assert [row.row for row in caught.value.rows] == [1]
    assert not CampaignMember.objects.exists()


@pytest.mark.parametrize("missing", ["lead_id", "campaign_id"])
def test_a_membership_is_of_two(workspace: Workspace, missing: str) -> None:
    pair = {
        "lead_id": make_lead(workspace).pk,
        "campaign_id": make_campaign(workspace).pk,
    }
    del pair[missing]

    with pytest.raises(InvalidFields) as caught:
        records.create(workspace, "campaign_member", [pair], origin=ORIGIN)

    assert list(caught.value.rows[0].fields) == [missing]


def test_of_which_two_it_is_stays(workspace: Workspace) -> None:
    member = make_member(workspace)
    edit = Edit(member.pk, {"lead_id": make_lead(workspace).pk})

    with pytest.raises(InvalidFields):
        records.update(workspace, "campaign_member", [edit], origin=ORIGIN)


@pytest.mark.parametrize("gone", ["lead", "campaign"])
def test_a_membership_goes_with_either(workspace: Workspace, gone: str) -> None:
    member = make_member(workspace)
    kept = make_member(workspace)

    removal.delete(workspace, gone, [getattr(member, gone).pk], origin=ORIGIN)

    assert CampaignMember.objects.get() == kept
    told = Change.objects.get(record_type="campaign_member", action="deleted")
    assert told.record_id == member.pk
    assert Tombstone.objects.filter(record_type="campaign_member").count() == 1
