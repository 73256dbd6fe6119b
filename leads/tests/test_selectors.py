"""A lead's story: everything that happened, in order, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import make_user
from leads.facts import Message, Origin, PersonFacts
from leads.models import Activity, Lead, Stage
from leads.selectors import TimelineEntry, activity_title, in_order, lead_timeline
from leads.services import engagement, merging, records
from leads.services.records import Edit
from leads.testing import make_lead, make_ready_workspace

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    made = make_ready_workspace()
    with in_workspace(made):
        yield made


@pytest.fixture
def lead(workspace: Workspace) -> Lead:
    """Someone who replied to an outreach."""
    message = Message(
        source="lgm",
        key="m1",
        person=PersonFacts(email="ada@example.com", first_name="Ada"),
        direction="inbound",
        body="Yes, please",
        occurred_at=AT,
        channel="linkedin",
        campaign="Spring",
        trace_id="trace-1",
    )
    origin = Origin("webhook", "lgm", "La Growth Machine")
    engagement.record_messages(workspace, [message], origin=origin)
    return Lead.objects.get()


def test_a_reply_is_told_with_all_that_followed(lead: Lead) -> None:
    told = lead_timeline(lead)

    assert {(one.kind, one.title) for one in told} == {
        ("activity", "Reply by linkedin · Spring"),
        ("lead", "Lead created"),
        ("score", "Score +20"),
        ("deal", "Deal opened"),
    }
    assert (told[-1].at, told[-1].detail) == (AT, "Yes, please")


def test_the_deals_way_is_part_of_the_story(workspace: Workspace, lead: Lead) -> None:
    deal, won = lead.deals.get(), Stage.objects.get(name="Won")
    by = Origin("user", "1", "Rhea")
    edit = Edit(deal.pk, {"stage_id": won.pk})
    records.update(workspace, "deal", [edit], origin=by)

    newest = lead_timeline(lead)[0]

    assert (newest.kind, newest.title) == ("stage", "Deal moved to Won")
    assert newest.actor == "Rhea"
    assert newest.url == deal.get_absolute_url()


def test_changes_are_told_in_words(workspace: Workspace, lead: Lead) -> None:
    rep = make_user(workspace, "rep", first_name="Rhea", last_name="Reppold")
    values = {"city": "Oslo", "owner_id": rep.pk}
    origin = Origin("user", "1", "Alma")
    records.update(workspace, "lead", [Edit(lead.pk, values)], origin=origin)

    newest = lead_timeline(lead)[0]

    assert newest.detail == "City: empty → Oslo; Owner: empty → Rhea Reppold"
    assert newest.actor == "Alma"


def test_a_merge_is_told_in_words(workspace: Workspace, lead: Lead) -> None:
    other = make_lead(workspace)

    merging.merge(
        workspace,
        "lead",
        winner_id=lead.pk,
        loser_id=other.pk,
        origin=Origin("user", "1", "Alma"),
    )

    assert f"Lead {other.pk} was merged into it" in lead_timeline(lead)[0].detail


def test_the_story_of_one_lead_is_not_anothers(
    workspace: Workspace, lead: Lead
) -> None:
    origin = Origin("user")
    records.create(workspace, "lead", [{"email": "b@example.com"}], origin=origin)
    other = Lead.objects.get(email="b@example.com")

    assert [one.title for one in lead_timeline(other)] == ["Lead created"]


def test_of_one_moment_the_cause_is_read_before_the_consequence() -> None:
    kinds = ["sync", "score", "delivery", "deal", "activity"]
    later = TimelineEntry(AT + timedelta(seconds=1), "delivery", "later")
    entries = [TimelineEntry(AT, kind, kind) for kind in kinds]

    told = in_order([*entries, later])

    assert [one.title for one in told] == [
        "later",
        "sync",
        "deal",
        "score",
        "activity",
        "delivery",
    ]


@pytest.mark.parametrize(
    ("direction", "title"),
    [("inbound", "Reply"), ("outbound", "Our message"), ("", "Message")],
)
def test_a_message_is_called_by_who_wrote_it(direction: str, title: str) -> None:
    activity = Activity(kind="message", direction=direction, subject="Hello")

    assert activity_title(activity) == f"{title} · Hello"


def test_a_company_that_a_message_tells_is_named(workspace: Workspace) -> None:
    known = make_lead(workspace, email="bo@works.example.com")
    person = PersonFacts(
        email="bo@works.example.com",
        company_name="Example Works",
        company_domain="works.example.com",
    )
    message = Message(
        source="lgm",
        key="m2",
        person=person,
        direction="inbound",
        body="Hello",
        occurred_at=AT,
    )

    engagement.record_messages(workspace, [message], origin=Origin("webhook"))

    known.refresh_from_db()
    assert known.company is not None
    told = " ".join(one.detail for one in lead_timeline(known))
    assert "Company: empty → Example Works" in told
