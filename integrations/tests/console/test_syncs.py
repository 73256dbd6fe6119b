"""The console's pages of syncs both ways: runs, conflicts, links, rows left out."""

from __future__ import annotations

import pytest
from django_scopes import scopes_disabled

from crmsync.core.models import AuditEntry, Channel, WorkItem
from crmsync.core.models.work import State
from integrations.models import (
    Conflict,
    Connection,
    Cursor,
    FieldMapping,
    Link,
    ObjectMapping,
    Run,
    SyncEntry,
)
from integrations.testing import (
    make_alias,
    make_conflict,
    make_connection,
    make_link,
    make_mapping,
    make_parked_item,
    make_run,
)
from integrations.tests.console.ground import (
    act,
    make_one_of_each,
    page,
    refresh,
    told,
)
from leads.testing import make_lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def mapping(workspace) -> ObjectMapping:
    return make_mapping(make_connection(workspace), direction="both")


def audited() -> list[str]:
    with scopes_disabled():
        return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        (Run.State.RUNNING, "pause", Run.State.PAUSED),
        (Run.State.PAUSED, "resume", Run.State.RUNNING),
        (Run.State.QUEUED, "cancel", Run.State.CANCELLED),
    ],
)
def test_runs_are_steered(console, mapping, before, step, after) -> None:
    run, over = make_run(mapping, state=before), make_run(mapping)

    answer = act(console, Run, step, run, over)

    refresh(run)
    refresh(over)
    assert (run.state, over.state) == (after, Run.State.DONE)
    assert "Done for 1." in told(answer)
    assert audited() == [f"run.{step}"]


def test_a_stopped_run_says_how_much_there_is_to_approve(console, mapping) -> None:
    make_run(mapping, state="stopped", mass_change="deletes", mass_count=37)

    assert "37 deletions" in console.get(page(Run)).content.decode()


def test_what_failed_in_a_run_is_tried_again(workspace, console, mapping) -> None:
    run = make_run(mapping, state=Run.State.DONE_WITH_ERRORS)
    mine, other = make_parked_item(workspace, run=run.pk), make_parked_item(workspace)

    act(console, Run, "retry_failed", run)

    refresh(mine)
    refresh(other)
    assert (mine.state, other.state) == (State.READY, State.PARKED)


def test_a_pull_is_asked_for_where_something_is_taken_in(
    workspace, console, mapping
) -> None:
    only_out = make_mapping(make_connection(workspace))

    answer = act(console, ObjectMapping, "pull_now", mapping, only_out)

    with scopes_disabled():
        assert WorkItem.objects.get(kind="pull").key == str(mapping.pk)
    assert "takes nothing in" in told(answer)


def test_a_pair_is_parted_and_joined(console, mapping) -> None:
    lead = make_lead(mapping.workspace)
    link = make_link(mapping.connection, record_id=lead.pk)

    act(console, Link, "unlink", link)
    parted = console.get(page(Link, "change", link.pk)).content.decode()
    act(console, Link, "relink", link)

    refresh(link)
    assert "Unlinked by hand" in parted
    assert link.state == Link.State.LINKED
    assert audited() == ["link.unlinked", "link.relinked"]


def test_a_link_is_found_by_an_id_it_had_before(console, mapping) -> None:
    link = make_link(mapping.connection, record_id=1)
    make_alias(link, remote_id="4711")
    other = make_link(mapping.connection, record_id=2)

    text = console.get(page(Link), {"q": "4711"}).content.decode()

    assert page(Link, "change", link.pk) in text
    assert page(Link, "change", other.pk) not in text


def test_suspended_rows_and_waiting_decisions_are_pointed_at(console, mapping) -> None:
    with scopes_disabled():
        mapping.rows.update(suspended_because="HubSpot has no field email.")
    make_conflict(mapping, make_link(mapping.connection, record_id=1))
    make_run(mapping, state=Run.State.STOPPED)

    overview = console.get("/admin/").content.decode()
    rows = console.get(page(FieldMapping), {"suspended_because__isempty": "0"})

    for title in ("Suspended rows", "Open conflicts", "Runs to approve"):
        assert title in overview
    assert "HubSpot has no field email." in rows.content.decode()


def test_a_breaker_and_the_calls_of_the_day_show(workspace, console) -> None:
    connection = make_connection(workspace)
    Channel.objects.filter(pk=connection.channel_id).update(
        breaker="open", daily_used=4321, daily_limit=100_000
    )

    text = console.get(page(Connection)).content.decode()

    assert "Stopped after many failures" in text
    assert "4,321 of 100,000" in text


@pytest.mark.parametrize("model", [Run, Conflict, Link, Cursor, SyncEntry])
def test_what_syncs_wrote_cannot_be_edited(console, workspace, model) -> None:
    rows = make_one_of_each(workspace)

    answer = console.post(page(model, "change", rows[model].pk), {"state": "done"})

    assert answer.status_code == 403
