"""What is waiting for a run: asked for, held, freed, cancelled and counted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from django_scopes import scope

from crmsync.core import queue, runs
from crmsync.core.models import Channel, WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.queue import Ask, Failure
from crmsync.core.testing import make_workspace

KIND = "push"
RUN, OTHER = 71, 72
RNG = random.Random(7)
TRANSIENT = Failure("transient", "No answer.")


@pytest.fixture
def workspace(db: None) -> Iterator[Workspace]:
    made = make_workspace()
    with scope(workspace=made):
        yield made
        assert queue.ledger()["difference"] == 0


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    return queue.channel("connection:1", cap=4)


def ask(
    channel: Channel,
    *keys: str,
    run: int | None = None,
    lane: int = 0,
    not_before: datetime | None = None,
) -> None:
    workspace = Workspace.objects.get()
    queue.ask(
        Ask(
            workspace.pk,
            KIND,
            key,
            channel.pk,
            lane=lane,
            run=run,
            not_before=not_before,
        )
        for key in keys
    )


def claim(channel: Channel, limit: int = 100) -> list[WorkItem]:
    return queue.claim(KIND, channel_id=channel.pk, limit=limit)


def row(key: str = "a") -> WorkItem:
    return WorkItem.objects.get(key=key)


def next_hour() -> datetime:
    return timezone.now() + timedelta(hours=1)


# --- asking ---------------------------------------------------------------------------


def test_run_takes_a_row_that_waits_for_its_slot_and_makes_it_due(
    channel: Channel,
) -> None:
    ask(channel, "a", lane=1, not_before=next_hour())

    ask(channel, "a", lane=1, run=RUN)

    assert row().run == RUN
    assert [item.run for item in claim(channel)] == [RUN]


def test_row_of_one_run_stays_in_it_when_another_asks(channel: Channel) -> None:
    ask(channel, "a", lane=1, run=RUN)

    ask(channel, "a", lane=2, run=OTHER)

    assert (row().run, row().lane) == (RUN, 1)


def test_edit_during_a_run_makes_its_row_urgent_and_leaves_it_in_the_run(
    channel: Channel,
) -> None:
    ask(channel, "a", lane=1, run=RUN)

    ask(channel, "a")

    assert (row().run, row().lane, row().wanted) == (RUN, 0, 2)


def test_run_that_asks_for_its_row_again_asks_once(channel: Channel) -> None:
    ask(channel, "a", lane=1, run=RUN)

    ask(channel, "a", lane=1, run=RUN)

    assert row().wanted == 1


def test_settled_row_belongs_to_whoever_asks_next(channel: Channel) -> None:
    ask(channel, "a", run=RUN)
    queue.finish(claim(channel))

    ask(channel, "a")

    assert (row().run, row().state) == (None, State.READY)


def test_edit_during_the_call_of_a_run_is_no_longer_the_run_s(channel: Channel) -> None:
    ask(channel, "a", run=RUN)
    items = claim(channel)
    ask(channel, "a")

    queue.finish(items)

    assert (row().run, row().state) == (None, State.READY)


def test_run_that_asks_during_the_call_of_another_gets_a_call_of_its_own(
    channel: Channel,
) -> None:
    ask(channel, "a", "b", run=RUN)
    items = claim(channel)
    ask(channel, "a", run=OTHER)

    queue.finish(items)

    assert (row().run, row().state) == (OTHER, State.READY)
    assert (row("b").run, row("b").state) == (RUN, State.DONE)


def test_earlier_wish_makes_a_row_due_that_waits_for_its_slot(
    channel: Channel,
) -> None:
    ask(channel, "a", lane=1, not_before=next_hour())

    ask(channel, "a")

    assert len(claim(channel)) == 1


def test_later_wish_does_not_put_a_row_off(channel: Channel) -> None:
    ask(channel, "a")

    ask(channel, "a", lane=1, not_before=next_hour())

    assert len(claim(channel)) == 1


def test_edit_does_not_shorten_the_wait_after_a_failure_but_a_run_does(
    channel: Channel,
) -> None:
    ask(channel, "a")
    queue.fail(claim(channel)[0], TRANSIENT, RNG)

    ask(channel, "a")
    after_edit = claim(channel)
    ask(channel, "a", run=RUN)

    assert after_edit == []
    assert len(claim(channel)) == 1


# --- pausing --------------------------------------------------------------------------


def test_paused_run_holds_its_rows_and_nobody_else_s(channel: Channel) -> None:
    ask(channel, "a", "b", lane=1, run=RUN)
    ask(channel, "c", lane=1, run=OTHER)

    held = runs.hold_run(RUN)

    assert held == 2
    assert [item.key for item in claim(channel)] == ["c"]


def test_resumed_run_goes_on_with_what_was_held(channel: Channel) -> None:
    ask(channel, "a", "b", lane=1, run=RUN)
    runs.hold_run(RUN)

    released = runs.release_run(RUN)

    assert released == 2
    assert {item.run for item in claim(channel)} == {RUN}


def test_edit_of_a_held_row_is_sent_at_once(channel: Channel) -> None:
    ask(channel, "a", "b", lane=1, run=RUN)
    runs.hold_run(RUN)

    ask(channel, "a")

    assert [item.key for item in claim(channel)] == ["a"]
    assert row("b").state == State.WAITING


def test_edit_that_came_before_the_pause_goes_on(channel: Channel) -> None:
    ask(channel, "a")
    ask(channel, "a", lane=1, run=RUN)

    runs.hold_run(RUN)

    assert len(claim(channel)) == 1


def test_edit_for_a_slot_frees_a_held_row_at_that_slot(channel: Channel) -> None:
    ask(channel, "a", lane=1, run=RUN)
    runs.hold_run(RUN)

    ask(channel, "a", lane=1, not_before=next_hour())

    assert row().state == State.READY
    assert claim(channel) == []


def test_run_that_is_still_asking_does_not_free_what_its_pause_holds(
    channel: Channel,
) -> None:
    ask(channel, "a", lane=1, run=RUN)
    runs.hold_run(RUN)

    ask(channel, "a", lane=1, run=RUN)

    assert row().state == State.WAITING
    assert runs.release_run(RUN) == 1


def test_sweep_for_orphans_does_not_free_what_a_pause_holds(channel: Channel) -> None:
    ask(channel, "a", lane=1, run=RUN)
    runs.hold_run(RUN)

    freed = queue.set_free(WorkItem.objects.filter(state=State.WAITING))

    assert freed == 0
    assert claim(channel) == []


# --- cancelling and counting ----------------------------------------------------------


def test_cancelled_run_ends_its_rows_as_skipped(channel: Channel) -> None:
    ask(channel, "a", "b", lane=1, run=RUN)
    ask(channel, "c")
    runs.hold_run(RUN)

    ended = runs.cancel_run(RUN)

    assert ended == 2
    assert queue.ledger()["skipped"] == 2
    assert [item.key for item in claim(channel)] == ["c"]


def test_cancelling_loses_no_edit(channel: Channel) -> None:
    ask(channel, "a", lane=1, run=RUN)
    runs.hold_run(RUN)
    ask(channel, "a", lane=1, not_before=timezone.now())

    ended = runs.cancel_run(RUN)

    assert ended == 0
    assert [item.run for item in claim(channel)] == [None]


def test_more_rows_than_one_batch_are_all_held_and_all_cancelled(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "BATCH", 3)
    ask(channel, *[str(number) for number in range(10)], lane=1, run=RUN)

    held, ended = runs.hold_run(RUN), runs.cancel_run(RUN)

    assert (held, ended) == (10, 10)


def test_run_s_unfinished_rows_are_counted_by_state(channel: Channel) -> None:
    ask(channel, "leased", run=RUN)
    claim(channel)
    ask(channel, "ready", "also", lane=1, run=RUN)
    ask(channel, "of another", run=OTHER)

    counts = runs.run_counts(RUN)

    assert counts == {State.READY: 2, State.LEASED: 1, State.WAITING: 0}
