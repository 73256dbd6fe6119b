"""Campaigns of Salesforce and who is in them: once each, and only ever further on."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.forms.chosen import ChosenForm
from integrations.models import Connection, Link, ObjectMapping, Run, SyncEntry
from integrations.simulators.testing import RunningSimulator
from integrations.sync import followers, pull
from integrations.sync.push import push_due
from integrations.tests.sync.crm import SalesforceUser, only, sync
from integrations.tests.sync.test_dry import done, foreseen
from integrations.tests.sync.test_main_ties import HERE, change, make, remote
from integrations.tests.sync.test_push import record, reply
from integrations.tests.sync.test_ties_follow import calls, poll
from leads.models import Campaign, CampaignMember
from leads.services import removal

OBJECTS = ("Lead", "Contact", "Campaign", "CampaignMember")


@pytest.fixture
def seller(
    salesforce: Connection, salesforce_simulator: RunningSimulator
) -> SalesforceUser:
    """People and campaigns both ways, members from here; polled from now on."""
    only(salesforce, *OBJECTS)
    ObjectMapping.objects.filter(remote_object="CampaignMember").update(
        direction=ObjectMapping.Direction.PUSH
    )
    for one in ObjectMapping.objects.filter(active=True, direction="both"):
        pull.ask_pull(one)
    sync(1)
    return SalesforceUser(salesforce_simulator)


def person(workspace: Workspace, name: str = "Ada", **values: object) -> int:
    email = f"{name}@customer.example.org".lower()
    return make(workspace, "lead", last_name=name, email=email, **values)


def joined(workspace: Workspace, lead: int, campaign: int, **values: object) -> int:
    return make(
        workspace, "campaign_member", lead_id=lead, campaign_id=campaign, **values
    )


def members(seller: SalesforceUser) -> list[tuple[str, str, str]]:
    """Return (campaign, lead or contact, status) of each member there."""
    return sorted(
        (
            one["CampaignId"],
            one.get("ContactId") or one.get("LeadId") or "",
            one["Status"],
        )
        for one in seller.has("CampaignMember")
    )


def parked() -> list[tuple[str, str]]:
    rows = WorkItem.objects.filter(state=State.PARKED)
    return list(rows.values_list("error_class", "error"))


# --- campaigns ------------------------------------------------------------------------


def test_a_campaign_of_theirs_comes_in_with_its_name_and_id(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    there = seller.make("Campaign", Name="Spring webinar")

    poll("Campaign")

    campaign = Campaign.objects.get()
    assert campaign.name == "Spring webinar"
    assert remote("campaign", campaign.pk) == there


def test_a_campaign_of_that_name_is_the_one_we_have(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    ours = make(workspace, "campaign", name="Spring", source="lgm")
    there = seller.make("Campaign", Name="Spring")

    sync(3)

    assert Campaign.objects.get().pk == ours
    assert remote("campaign", ours) == there
    assert len(seller.has("Campaign")) == 1


def test_two_of_one_name_there_wait_for_a_person(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    for _ in range(2):
        seller.make("Campaign", Name="Spring")

    make(workspace, "campaign", name="Spring", source="lgm")
    push_due()

    assert [kind for kind, _ in parked()] == ["ambiguous"]
    assert len(seller.has("Campaign")) == 2


# --- members --------------------------------------------------------------------------


def test_a_reply_to_a_campaign_makes_its_person_a_member_who_responded(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    record(workspace, reply())

    sync(4)

    (campaign,), (lead,) = seller.has("Campaign"), seller.has("Lead")
    assert campaign["Name"] == "Autumn outreach"
    assert members(seller) == [(campaign["Id"], lead["Id"], "Responded")]
    assert parked() == []


def test_who_is_a_contact_there_is_a_member_as_that(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    there = seller.make("Contact", LastName="Ada", Email="ada@customer.example.org")
    poll("Contact")
    lead = Link.objects.get(remote_id=there).record_id
    campaign = make(workspace, "campaign", name="Spring")

    joined(workspace, lead, campaign)
    sync(3)

    assert members(seller) == [(remote("campaign", campaign), there, "Sent")]


def test_a_member_waits_for_its_campaign_and_its_person(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    lead, campaign = person(workspace), make(workspace, "campaign", name="Spring")
    sync(2)
    first = calls(seller.simulator)

    made = [joined(workspace, lead, campaign)]
    push_due()

    assert [remote("campaign_member", one) for one in made] == [
        one["Id"] for one in seller.has("CampaignMember")
    ]
    # One query whether they are there, and one call that makes them.
    assert calls(seller.simulator) - first == 2


def test_who_was_a_member_before_us_is_linked_and_not_added_again(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    lead, campaign = person(workspace), make(workspace, "campaign", name="Spring")
    sync(2)
    pair = {"CampaignId": remote("campaign", campaign), "LeadId": remote("lead", lead)}
    there = seller.make("CampaignMember", Status="Sent", **pair)

    made = joined(workspace, lead, campaign, status="responded")
    sync(2)

    assert remote("campaign_member", made) == there
    assert [one["Status"] for one in seller.has("CampaignMember")] == ["Responded"]
    assert parked() == []


def test_a_lost_answer_makes_no_second_member(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    lead, campaign = person(workspace), make(workspace, "campaign", name="Spring")
    sync(2)
    seller.simulator.set_fault("drop_after_apply", method="POST", count=1)

    joined(workspace, lead, campaign)
    sync(4)

    assert len(members(seller)) == 1
    assert CampaignMember.objects.count() == 1
    assert parked() == []


def test_many_members_of_one_campaign_cost_one_query_and_one_call(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    campaign = make(workspace, "campaign", name="Spring")
    leads = [person(workspace, f"P{n}") for n in range(40)]
    sync(3)
    before = calls(seller.simulator)

    for lead in leads:
        joined(workspace, lead, campaign)
    push_due()

    assert len(members(seller)) == 40
    assert calls(seller.simulator) - before == 2


def test_who_is_taken_out_here_and_joins_again_is_the_same_member(
    workspace: Workspace, seller: SalesforceUser, member: int
) -> None:
    lead, campaign = CampaignMember.objects.values_list("lead", "campaign").get()
    removal.delete(workspace, "campaign_member", [member], origin=HERE)
    sync(2)
    there = remote("campaign_member", member)

    again = joined(workspace, lead, campaign, status="responded")
    sync(3)

    assert remote("campaign_member", again) == there
    assert [status for _, _, status in members(seller)] == ["Responded"]
    assert parked() == []


def test_a_member_that_is_another_of_ours_waits_for_a_person(
    workspace: Workspace, seller: SalesforceUser, member: int
) -> None:
    there = remote("campaign_member", member)
    campaign = CampaignMember.objects.get().campaign_id
    other = person(workspace, "Bob")
    sync(2)
    # One was converted into a contact that the other is.
    seller.edit("CampaignMember", there, LeadId=remote("lead", other))

    joined(workspace, other, campaign)
    sync(3)

    assert [kind for kind, _ in parked()] == ["duplicate"]
    assert remote("campaign_member", member) == there


def test_a_dry_run_tells_who_is_a_member_already(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    mapping = ObjectMapping.objects.get(remote_object="CampaignMember")
    mapping.mode = ObjectMapping.Mode.MANUAL
    mapping.save()
    campaign = make(workspace, "campaign", name="Spring")
    leads = [person(workspace, f"P{n}") for n in range(3)]
    sync(2)
    for lead in leads:
        joined(workspace, lead, campaign, status="responded")
    pair = {"CampaignId": remote("campaign", campaign), "LeadId": remote("lead", lead)}
    seller.make("CampaignMember", Status="Sent", **pair)

    dry, real = foreseen(mapping), done(mapping, Run.Kind.BACKFILL)

    assert dry == real == {"created": 2, "updated": 1}


def test_members_are_chosen_by_a_status_of_theirs(seller: SalesforceUser) -> None:
    mapping = ObjectMapping.objects.get(remote_object="CampaignMember")

    form = ChosenForm({"chosen-status": "responded"}, mapping=mapping)

    assert form.is_valid()
    told = [str(one) for one, _ in form.fields["status"].choices]  # type: ignore[attr-defined]
    assert told == ["", "contacted", "responded"]


def test_only_above_members_are_members_looked_for(
    seller: SalesforceUser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    above = ObjectMapping(record_type="company")

    with django_assert_num_queries(0):
        followers.ask_for_members(above, {1})


# --- how far they came ----------------------------------------------------------------


@pytest.fixture
def member(workspace: Workspace, seller: SalesforceUser) -> int:
    """Somebody who was contacted in a campaign, here and there."""
    lead, campaign = person(workspace), make(workspace, "campaign", name="Spring")
    made = joined(workspace, lead, campaign)
    sync(4)
    assert [status for _, _, status in members(seller)] == ["Sent"]
    return made


def test_a_status_moves_on_there(
    workspace: Workspace, seller: SalesforceUser, member: int
) -> None:
    change(workspace, "campaign_member", member, status="responded")
    sync(1)

    assert [status for _, _, status in members(seller)] == ["Responded"]


def test_a_status_never_goes_back_there(
    workspace: Workspace, seller: SalesforceUser, member: int
) -> None:
    seller.edit("CampaignMember", remote("campaign_member", member), Status="Responded")

    change(workspace, "campaign_member", member, status="responded")
    sync(1)
    change(workspace, "campaign_member", member, status="contacted")
    sync(1)

    assert [status for _, _, status in members(seller)] == ["Responded"]


def test_a_status_that_their_admin_added_is_left_to_them(
    workspace: Workspace, seller: SalesforceUser, member: int
) -> None:
    link = Link.objects.get(record_type="campaign_member")
    (there,) = seller.has("CampaignMember")
    label = {"CampaignId": there["CampaignId"], "Label": "Attended"}
    seller.make("CampaignMemberStatus", **label)
    seller.edit("CampaignMember", link.remote_id, Status="Attended")

    change(workspace, "campaign_member", member, status="responded")
    sync(1)

    assert [status for _, _, status in members(seller)] == ["Attended"]
    assert parked() == []


def test_a_first_meeting_sets_nobody_back(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    lead, campaign = person(workspace), make(workspace, "campaign", name="Spring")
    sync(2)
    pair = {"CampaignId": remote("campaign", campaign), "LeadId": remote("lead", lead)}
    seller.make("CampaignMember", Status="Responded", **pair)

    joined(workspace, lead, campaign, status="contacted")
    sync(2)

    assert [status for _, _, status in members(seller)] == ["Responded"]


# --- who is not there -----------------------------------------------------------------


def left_out() -> list[str]:
    rows = SyncEntry.objects.filter(
        record_type="campaign_member", outcome=SyncEntry.Outcome.EXCLUDED
    )
    return list(rows.values_list("message", flat=True))


def test_without_a_mapping_of_campaigns_nobody_is_in_one(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    ObjectMapping.objects.filter(remote_object="Campaign").update(active=False)
    lead, campaign = person(workspace), make(workspace, "campaign", name="Spring")

    joined(workspace, lead, campaign)
    sync(3)

    assert members(seller) == []
    assert left_out() == ["No active mapping takes the campaign it belongs to."]


def test_who_is_sent_later_becomes_a_member_then(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    ObjectMapping.objects.filter(remote_object="Lead").update(engaged_only=True)
    campaign = make(workspace, "campaign", name="Spring")
    lead = person(workspace, source="lgm")
    joined(workspace, lead, campaign)
    sync(3)
    assert (members(seller), len(left_out())) == ([], 1)

    change(workspace, "lead", lead, status="qualified")
    sync(3)

    there = (remote("campaign", campaign), remote("lead", lead), "Sent")
    assert members(seller) == [there]


# --- and on to HubSpot ----------------------------------------------------------------


@pytest.fixture
def marketing(hubspot: Connection, seller: SalesforceUser) -> ObjectMapping:
    """Campaigns go on to HubSpot."""
    mapping = ObjectMapping.objects.get(connection=hubspot, record_type="campaign")
    assert not mapping.active  # an account needs Marketing Hub for them
    mapping.active = True
    mapping.save()
    return mapping


def names(simulator: RunningSimulator) -> list[str]:
    return sorted(
        one["properties"]["hs_name"]
        for one in simulator.dump("campaigns")
        if not one.get("archived")
    )


def test_a_campaign_of_salesforce_is_one_in_hubspot(
    seller: SalesforceUser,
    marketing: ObjectMapping,
    hubspot_simulator: RunningSimulator,
) -> None:
    there = [seller.make("Campaign", Name=f"Webinar {n}") for n in range(3)]
    poll("Campaign")
    sync(2)

    seller.edit("Campaign", there[0], Name="Webinar, moved")
    poll("Campaign")
    sync(2)

    assert names(hubspot_simulator) == ["Webinar 1", "Webinar 2", "Webinar, moved"]
    assert Link.objects.of(marketing).count() == 3
    assert parked() == []


def test_a_campaign_that_hubspot_has_is_found_by_name(
    seller: SalesforceUser,
    marketing: ObjectMapping,
    hubspot_simulator: RunningSimulator,
) -> None:
    seed = [{"object": "campaigns", "properties": {"hs_name": "Spring webinar"}}]
    hubspot_simulator.seed(seed)
    seller.make("Campaign", Name="Spring webinar")

    poll("Campaign")
    sync(2)

    assert names(hubspot_simulator) == ["Spring webinar"]
    assert parked() == []


def test_a_lost_answer_makes_no_second_campaign(
    seller: SalesforceUser,
    marketing: ObjectMapping,
    hubspot_simulator: RunningSimulator,
) -> None:
    path = "/marketing/v3/campaigns/batch/create"
    hubspot_simulator.set_fault("drop_after_apply", method="POST", path=path, count=1)
    for n in range(4):
        seller.make("Campaign", Name=f"Webinar {n}")

    poll("Campaign")
    sync(4)

    (fault,) = hubspot_simulator.control("GET", "faults")["faults"]
    assert fault["count"] == 0  # it happened
    assert names(hubspot_simulator) == [f"Webinar {n}" for n in range(4)]
    assert Link.objects.of(marketing).count() == 4
    assert parked() == []
