"""What is urgent has a worker of its own, which no backlog keeps waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from celery.signals import before_task_publish
from django.db.models import F

from crmsync.core import queue
from crmsync.core.lanes import BATCH, REALTIME
from crmsync.core.models import WorkItem, Workspace
from crmsync.core.wake import wake
from integrations import tasks
from integrations.models import Connection
from integrations.simulators.testing import RunningSimulator
from integrations.sync import outbox, urgent
from integrations.sync.push import push_due
from integrations.tests.sync.test_lanes import backfill, contact_calls
from integrations.tests.sync.test_push import record, reply

MARK = "nobody.listens"


@pytest.fixture
def woken() -> Iterator[Callable[[], list[str]]]:
    """Give which tasks have been announced since the last time it was asked."""
    names: list[str] = []

    def note(sender: str, **_: object) -> None:
        names.append(sender)

    def asked() -> list[str]:
        # Announced in the order in which they were asked for.
        wake(MARK, "sync")
        deadline = time.monotonic() + 20
        while MARK not in names:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        found = [one for one in names if one != MARK]
        names.clear()
        return found

    before_task_publish.connect(note)
    yield asked
    before_task_publish.disconnect(note)


def left(lane: int) -> int:
    """Return how many rows of a lane are still to be pushed."""
    return WorkItem.objects.filter(kind=outbox.KIND, lane=lane, state="ready").count()


def test_it_pushes_what_is_urgent_and_leaves_the_backlog_to_others(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    backfill(workspace, 150)
    record(workspace, reply())
    assert urgent.is_due()

    urgent.work_off()

    assert contact_calls(hubspot_simulator) == [1]
    assert (left(REALTIME), left(BATCH)) == (0, 150)
    assert not urgent.is_due()


def test_the_others_leave_it_what_has_just_come(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    backfill(workspace, 150)
    record(workspace, reply())

    push_due(leave_s=60)

    assert contact_calls(hubspot_simulator) == [100, 50]
    assert left(REALTIME) > 0


def test_so_does_the_task_that_drains(
    workspace: Workspace,
    hubspot: Connection,
    hubspot_simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(urgent, "LEFT_S", 60)
    record(workspace, reply())

    tasks.drain()

    assert contact_calls(hubspot_simulator) == []
    assert left(REALTIME) > 0


def test_the_others_help_where_it_has_waited_for_long(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    record(workspace, reply())
    WorkItem.objects.update(not_before=F("not_before") - timedelta(seconds=61))

    push_due(leave_s=60)

    assert left(REALTIME) == 0


@pytest.mark.parametrize("busy", [False, True])
def test_others_are_called_to_help_with_much_of_it(
    workspace: Workspace,
    hubspot: Connection,
    hubspot_simulator: RunningSimulator,
    woken: Callable[[], list[str]],
    *,
    busy: bool,
) -> None:
    mapping = backfill(workspace, 60 if busy else 5)
    WorkItem.objects.filter(group=str(mapping.pk)).update(lane=REALTIME)

    urgent.work_off()

    assert ("integrations.tasks.drain" in woken()) is busy


def test_an_edit_wakes_that_worker_alone(
    workspace: Workspace,
    hubspot: Connection,
    woken: Callable[[], list[str]],
) -> None:
    woken()

    record(workspace, reply())

    assert woken() == ["integrations.tasks.rush"]


@pytest.mark.parametrize(("did", "wakes"), [(1, ["integrations.tasks.rush"]), (0, [])])
def test_the_task_goes_on_where_it_did_something_and_something_is_left(
    workspace: Workspace,
    hubspot: Connection,
    hubspot_simulator: RunningSimulator,
    woken: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    did: int,
    wakes: list[str],
) -> None:
    record(workspace, reply())
    woken()
    # What is left without doing anything waits for the calls of another thread.
    monkeypatch.setattr(urgent, "work_off", lambda: did)

    tasks.rush()

    assert left(REALTIME) > 0
    assert woken() == wakes


def test_what_a_webhook_named_is_fetched_there(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    mapping = backfill(workspace, 0)
    queue.ask(
        [
            queue.Ask(
                workspace.pk,
                "fetch",
                f"{mapping.pk}:1",
                hubspot.channel_id or 0,
                group=str(mapping.pk),
            )
        ]
    )

    assert urgent.is_due()
    assert urgent.work_off() == 1
    assert not urgent.is_due()
