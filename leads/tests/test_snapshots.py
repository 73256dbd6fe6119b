"""Records as a mapping sees them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import make_user
from leads.snapshots import FIELDS, NOTE_UNITS, Snapshot, snapshots
from leads.testing import (
    make_activity,
    make_company,
    make_deal,
    make_lead,
    make_ready_workspace,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    made = make_ready_workspace()
    with in_workspace(made):
        yield made


def test_owner_is_named_in_lower_case_as_a_crm_lists_them(workspace: Workspace) -> None:
    lead = make_lead(workspace, owner=make_user(workspace, email="Ada.M@example.com"))

    (snapshot,) = snapshots("lead", [lead.pk]).values()

    assert snapshot.values["owner_email"] == "ada.m@example.com"


def test_record_of_another_workspace_is_not_seen(workspace: Workspace) -> None:
    foreign = make_lead(make_ready_workspace())

    assert snapshots("lead", [foreign.pk]) == {}


def test_a_lead_is_seen_with_all_its_fields(workspace: Workspace) -> None:
    at, company = datetime(2026, 3, 1, tzinfo=UTC), make_company(workspace)
    lead = make_lead(
        workspace,
        email="ada@example.com",
        first_name="Ada",
        last_name="Example",
        linkedin_id="ada-example",
        company=company,
        score=5,
        last_reply_at=at,
        custom={"tier": "gold"},
    )

    snapshot = snapshots("lead", [lead.pk])[lead.pk]

    assert snapshot == Snapshot(
        "lead",
        lead.pk,
        "Ada Example",
        {
            "email": "ada@example.com",
            "first_name": "Ada",
            "last_name": "Example",
            "phone": "",
            "linkedin_url": "https://www.linkedin.com/in/ada-example",
            "linkedin_id": "ada-example",
            "job_title": "",
            "company_name": "",
            "city": "",
            "country": "",
            "status": "new",
            "score": 5,
            "source": "",
            "owner_email": "",
            "last_reply_at": at,
            "custom.tier": "gold",
        },
        {"company": company.pk},
    )


def test_every_record_is_called_as_its_page_calls_it(workspace: Workspace) -> None:
    nameless = {"first_name": "", "last_name": ""}
    leads = [
        make_lead(workspace),
        make_lead(workspace, **nameless),
        make_lead(workspace, **nameless, email="", linkedin_id="ada"),
        make_lead(workspace, **nameless, email=""),
    ]
    companies = [make_company(workspace), make_company(workspace, name="")]
    deal = make_deal(workspace)

    labels = [one.label for one in snapshots("lead", [x.pk for x in leads]).values()]
    seen = snapshots("company", [one.pk for one in companies])

    assert sorted(labels) == sorted(str(one) for one in leads)
    assert [seen[one.pk].label for one in companies] == [str(one) for one in companies]
    assert snapshots("deal", [deal.pk])[deal.pk].label == str(deal)


def test_every_field_a_mapping_can_read_is_there(workspace: Workspace) -> None:
    records = {
        "lead": make_lead(workspace),
        "company": make_company(workspace),
        "deal": make_deal(workspace),
        "activity": make_activity(workspace),
    }

    for record_type, record in records.items():
        (seen,) = snapshots(record_type, [record.pk]).values()
        assert {one.name for one in FIELDS[record_type]} <= set(seen.values)


def test_note_that_fits_is_whole(workspace: Workspace) -> None:
    body = "x" * (NOTE_UNITS - 1000)
    activity = make_activity(workspace, body=body, subject="Hello", kind="message")

    (snapshot,) = snapshots("activity", [activity.pk]).values()

    assert snapshot.values["note_html"] == f"{body}<br><br>Subject: Hello"


@pytest.mark.parametrize("shown_as_one", ["👩‍👩‍👧", "é", "👍🏽", "&", "\n"])
def test_note_is_cut_between_what_is_shown_and_never_within(
    workspace: Workspace, shown_as_one: str
) -> None:
    activity = make_activity(workspace, body=shown_as_one * 70_000)

    (snapshot,) = snapshots("activity", [activity.pk]).values()

    text = str(snapshot.values["note_html"])
    kept = text.partition("…")[0].replace("<br>", "\n").replace("&amp;", "&")
    assert len(text.encode("utf-16-le")) // 2 <= NOTE_UNITS
    assert len(kept) % len(shown_as_one) == 0
    assert kept == shown_as_one * (len(kept) // len(shown_as_one))
