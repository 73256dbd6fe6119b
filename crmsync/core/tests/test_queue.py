"""The work item table: what is asked for happens once and is accounted for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from django_scopes import scope

from crmsync.core import queue
from crmsync.core.lanes import BATCH, REALTIME, REPLAY
from crmsync.core.models import Channel, WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.queue import Ask, Failure
from crmsync.core.testing import make_workspace

KIND = "push"
RNG = random.Random(7)
TRANSIENT = Failure("transient", "No answer.")
REJECTED = Failure("rejected", "Not an address.", code="INVALID_EMAIL", field="email")


@pytest.fixture
def workspace(db: None) -> Iterator[Workspace]:
    made = make_workspace()
    with scope(workspace=made):
        yield made


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    return queue.channel("connection:1", cap=2)


def ask(channel: Channel, *keys: str, **more: object) -> None:
    workspace = Workspace.objects.get()
    queue.ask(Ask(workspace.pk, KIND, key, channel.pk, **more) for key in keys)  # type: ignore[arg-type]


def claim(channel: Channel, limit: int = 100, **more: int) -> list[WorkItem]:
    return queue.claim(KIND, channel_id=channel.pk, limit=limit, **more)


def states() -> dict[str, str]:
    return dict(WorkItem.objects.values_list("key", "state"))


@pytest.fixture(autouse=True)
def conserved(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test, each ask is accounted for."""
    workspace = request.getfixturevalue("workspace")
    yield
    with scope(workspace=workspace):
        assert queue.ledger()["difference"] == 0


def test_a_hundred_asks_before_the_work_are_one_piece_of_work(channel: Channel) -> None:
    for _ in range(100):
        ask(channel, "a")

    (item,) = claim(channel)
    queue.finish([item])

    item.refresh_from_db()
    assert (item.state, item.wanted, item.applied, item.coalesced) == (
        "done",
        100,
        1,
        99,
    )


def test_ask_while_it_is_worked_on_makes_it_ready_again_afterwards(
    channel: Channel,
) -> None:
    ask(channel, "a")
    (item,) = claim(channel)
    ask(channel, "a")

    assert claim(channel) == []
    queue.finish([item])

    assert states() == {"a": State.READY}
    assert len(claim(channel)) == 1


def test_what_was_claimed_is_not_claimed_again(channel: Channel) -> None:
    ask(channel, "a", "b", "c")

    first, second = claim(channel, 2), claim(channel, 2)

    assert [item.key for item in first] == ["a", "b"]
    assert [item.key for item in second] == ["c"]


def test_channel_gives_no_more_leases_than_its_cap(channel: Channel) -> None:
    ask(channel, "a", "b", "c")

    claims = [claim(channel, 1) for _ in range(3)]

    assert [len(one) for one in claims] == [1, 1, 0]
    assert queue.due_groups(KIND) == []


def test_finishing_after_the_lease_went_to_another_changes_nothing(
    channel: Channel,
) -> None:
    ask(channel, "a")
    (mine,) = claim(channel)
    WorkItem.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    queue.rescue()
    (theirs,) = claim(channel)

    assert queue.extend([mine]) == []
    assert queue.finish([mine]) == 0
    assert queue.fail(mine, TRANSIENT, RNG) is None
    assert queue.finish([theirs]) == 1


def test_lost_lease_is_free_again_and_the_rescue_is_counted(channel: Channel) -> None:
    ask(channel, "a")
    claim(channel)
    WorkItem.objects.update(leased_until=timezone.now() - timedelta(seconds=1))

    freed = queue.rescue()

    assert freed == 1
    assert WorkItem.objects.get().rescues == 1
    assert len(claim(channel)) == 1


def test_poison_is_claimed_alone_and_parked_in_the_end(channel: Channel) -> None:
    ask(channel, "poison")
    WorkItem.objects.update(rescues=queue.LONELY_RESCUES)
    ask(channel, "good")

    alone = claim(channel)
    WorkItem.objects.filter(key="poison").update(
        rescues=queue.MAX_RESCUES, leased_until=timezone.now() - timedelta(seconds=1)
    )
    queue.rescue()

    assert [item.key for item in alone] == ["poison"]
    assert states() == {"poison": State.PARKED, "good": State.READY}


def test_transient_failure_waits_longer_each_time_and_keeps_its_attempts(
    channel: Channel,
) -> None:
    ask(channel, "a")
    waits = []
    for _ in range(3):
        (item,) = claim(channel)
        queue.fail(item, TRANSIENT, RNG)
        item.refresh_from_db()
        waits.append((item.not_before - timezone.now()).total_seconds())
        WorkItem.objects.update(not_before=timezone.now())

    assert item.attempts == 3
    assert waits == sorted(waits)
    assert 2 < waits[0] <= 5


def test_rejected_item_is_parked_with_its_cause_and_a_retry_starts_afresh(
    channel: Channel,
) -> None:
    ask(channel, "a")
    (item,) = claim(channel)

    state = queue.fail(item, REJECTED, RNG)

    item.refresh_from_db()
    assert state == State.PARKED
    assert (item.error_code, item.error_field) == ("INVALID_EMAIL", "email")
    assert queue.retry([item.pk]) == 1
    assert queue.retry([item.pk]) == 1  # pressed twice: still one piece of work
    (again,) = claim(channel)
    assert again.attempts == 0
    assert queue.finish([again]) == 1


def test_new_ask_of_a_parked_item_tries_it_again(channel: Channel) -> None:
    ask(channel, "a")
    (item,) = claim(channel)
    queue.fail(item, REJECTED, RNG)

    ask(channel, "a")

    assert states() == {"a": State.READY}


def test_item_waits_for_another_until_it_is_released(channel: Channel) -> None:
    ask(channel, "child")
    (item,) = claim(channel)
    queue.wait_for(item, "parent", "Waiting for lead 1.")

    before = claim(channel)
    queue.released(["parent"])

    assert before == []
    assert [one.key for one in claim(channel)] == ["child"]


def test_nothing_starts_before_its_time(channel: Channel) -> None:
    ask(channel, "later", not_before=timezone.now() + timedelta(minutes=10))

    assert queue.due_groups(KIND) == []
    assert claim(channel) == []


def test_paused_and_blocked_channels_hold_everything(channel: Channel) -> None:
    ask(channel, "a")

    queue.pause(channel.pk, 60)
    paused = claim(channel)
    queue.unblock(channel.pk)
    queue.block(channel.pk, "Sign in again")
    blocked = claim(channel)
    queue.unblock(channel.pk)

    assert paused == blocked == []
    assert len(claim(channel)) == 1


def test_shorter_pause_does_not_shorten_a_longer_one(channel: Channel) -> None:
    queue.pause(channel.pk, 600)

    queue.pause(channel.pk, 5)

    channel.refresh_from_db()
    assert channel.paused_until is not None
    assert channel.paused_until > timezone.now() + timedelta(minutes=9)


def test_busy_channel_lets_a_quiet_one_go_first(channel: Channel) -> None:
    quiet = queue.channel("connection:2")
    ask(channel, *[str(number) for number in range(50)])
    ask(quiet, "one")
    claim(channel, 20)

    order = [channel_id for _, channel_id, _ in queue.due_groups(KIND)]

    assert order == [quiet.pk, channel.pk]


def test_channel_that_was_idle_brings_no_credit_along(channel: Channel) -> None:
    ask(channel, *[str(number) for number in range(50)])
    claim(channel, 40)
    idle = queue.channel("connection:2")
    ask(idle, *[f"x{number}" for number in range(50)])

    claim(idle, 10)

    idle.refresh_from_db()
    channel.refresh_from_db()
    assert idle.vtime >= 10
    assert channel.vtime == 40


def test_urgent_lane_goes_first(channel: Channel) -> None:
    ask(channel, "batch", lane=1)
    ask(channel, "hot", lane=0)

    (first,) = claim(channel, 1)

    assert first.key == "hot"


@pytest.mark.parametrize(("lane", "out"), [(REALTIME, 2), (BATCH, 1), (REPLAY, 1)])
def test_while_calls_are_out_a_small_one_waits_for_company(
    channel: Channel, lane: int, out: int
) -> None:
    Channel.objects.filter(pk=channel.pk).update(cap=8)
    alone = []
    for number in range(out):
        ask(channel, f"a{number}", lane=lane)
        alone.append(claim(channel, 2, full=2))
    ask(channel, "b", lane=lane)

    small = claim(channel, 2, full=2)
    ask(channel, "c", lane=lane)
    full = claim(channel, 2, full=2)

    assert [len(items) for items in alone] == [1] * out
    assert small == []
    assert [item.key for item in full] == ["b", "c"]


def test_giving_back_uses_no_attempt(channel: Channel) -> None:
    ask(channel, "a")
    (item,) = claim(channel)

    queue.give_back([item], failure=Failure("throttled", "Slow down."), wait_s=30)

    item.refresh_from_db()
    assert (item.state, item.attempts) == (State.READY, 0)
    assert item.not_before > timezone.now() + timedelta(seconds=25)


def test_skipped_work_is_counted_as_such(channel: Channel) -> None:
    ask(channel, "a")

    queue.finish(claim(channel), skipped=True)

    totals = queue.ledger()
    assert (totals["skipped"], totals["applied"], totals["waiting"]) == (1, 0, 0)
