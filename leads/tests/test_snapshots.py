"""Records as a mapping sees them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import make_user
from leads.snapshots import NOTE_UNITS, snapshots
from leads.testing import make_activity, make_lead, make_ready_workspace

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
