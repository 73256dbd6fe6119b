"""Whose turn it is: channels, lanes and groups, by counts and never by time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from django_scopes import scope

from crmsync.core import queue
from crmsync.core.breaker import MAX_IN_A_ROW, SUCCESSES_TO_CLOSE
from crmsync.core.lanes import BATCH, REALTIME, REPLAY
from crmsync.core.models import Channel, WorkItem, Workspace
from crmsync.core.queue import Ask, Turn
from crmsync.core.testing import make_workspace

KIND = "push"
BIGGEST_CALL = 100


@pytest.fixture
def workspace(db: None) -> Iterator[Workspace]:
    made = make_workspace()
    with scope(workspace=made):
        yield made
        assert queue.ledger()["difference"] == 0


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    return queue.channel("connection:1", cap=4)


@pytest.fixture
def other(workspace: Workspace) -> Channel:
    return queue.channel("connection:2", cap=4)


def ask(
    channel: Channel,
    count: int,
    *,
    lane: int = REALTIME,
    group: str = "",
    tag: str = "",
) -> None:
    workspace = Workspace.objects.get()
    for first in range(0, count, 5000):
        queue.ask(
            Ask(
                workspace.pk,
                KIND,
                f"{channel.pk}:{tag}:{lane}:{number}",
                channel.pk,
                lane=lane,
            )
            for number in range(first, min(first + 5000, count))
        )


def work_one_turn(limit: int = BIGGEST_CALL) -> list[WorkItem]:
    """Do what a worker does with the first turn that has something to do."""
    turn = queue.turns(KIND)[0]
    items = queue.claim(KIND, channel_id=turn.channel_id, limit=limit, lane=turn.lane)
    queue.finish(items)
    return items


def work(turns: int, limit: int = BIGGEST_CALL) -> Counter[tuple[int, int]]:
    """Return (channel, lane) -> turns it had."""
    served: Counter[tuple[int, int]] = Counter()
    for _ in range(turns):
        items = work_one_turn(limit)
        served[items[0].channel_id, items[0].lane] += 1
    return served


# --- between lanes --------------------------------------------------------------------


def test_hot_lead_goes_next_during_a_backfill_and_goes_alone(channel: Channel) -> None:
    ask(channel, 1000, lane=BATCH)
    work(5)
    ask(channel, 1, tag="hot")

    items = work_one_turn()

    assert [item.lane for item in items] == [REALTIME]


def test_hot_lead_does_not_wait_for_company_behind_a_call_of_the_backfill(
    channel: Channel,
) -> None:
    ask(channel, 1000, lane=BATCH)
    queue.claim(KIND, channel_id=channel.pk, limit=100)
    ask(channel, 1, tag="hot")

    items = queue.claim(KIND, channel_id=channel.pk, limit=100, full=100)

    assert [item.lane for item in items] == [REALTIME]


def test_who_finds_nothing_in_the_next_lane_is_told_of_the_others(
    channel: Channel, other: Channel
) -> None:
    ask(channel, 5, lane=BATCH)
    ask(channel, 5)
    ask(other, 5, lane=BATCH)

    turns = queue.turns(KIND)

    assert turns == [
        Turn(channel.pk, REALTIME),
        Turn(other.pk, BATCH),
        Turn(channel.pk, BATCH),
    ]
    assert queue.due_channels(KIND) == [channel.pk, other.pk]


def test_flood_of_edits_does_not_stop_a_backfill_or_a_replay(channel: Channel) -> None:
    for lane in (REALTIME, BATCH, REPLAY):
        ask(channel, 300, lane=lane)

    served = work(132, limit=1)

    assert served[channel.pk, REALTIME] >= 80
    assert served[channel.pk, BATCH] >= 30
    assert served[channel.pk, REPLAY] >= 9


def test_lane_without_work_leaves_its_share_to_the_others(channel: Channel) -> None:
    ask(channel, 50, lane=REPLAY)

    served = work(50, limit=1)

    assert served == {(channel.pk, REPLAY): 50}


def test_while_only_the_urgent_lane_is_open_a_backfill_waits(channel: Channel) -> None:
    ask(channel, 10, lane=BATCH)
    queue.pause_batch(channel.pk, 3600)
    held = queue.turns(KIND), queue.claim(KIND, channel_id=channel.pk, limit=10)
    ask(channel, 1, tag="hot")

    turns = queue.turns(KIND)

    assert held == ([], [])
    assert turns == [Turn(channel.pk, REALTIME)]
    assert len(work_one_turn()) == 1


def test_groups_of_a_turn_are_those_with_something_due_in_its_lane(
    channel: Channel,
) -> None:
    workspace = Workspace.objects.get()
    later = timezone.now() + timedelta(hours=1)

    def one(key: str, group: str, lane: int, at: datetime | None = None) -> Ask:
        return Ask(workspace.pk, KIND, key, channel.pk, group, lane, at)

    queue.ask(
        [
            *(one(f"a{number}", "12", BATCH) for number in range(30)),
            *(one(f"b{number}", "7", BATCH) for number in range(30)),
            one("hot", "9", REALTIME),
            one("later", "8", BATCH, later),
        ]
    )

    groups = queue.groups_of(KIND, Turn(channel.pk, BATCH))

    assert groups == ["12", "7"]
    assert [group for _, _, group in queue.due_groups(KIND)] == ["9", "12", "7"]


# --- between channels -----------------------------------------------------------------


def test_hot_lead_of_one_connection_goes_before_the_backfill_of_another(
    channel: Channel, other: Channel
) -> None:
    ask(channel, 500, lane=BATCH)
    ask(other, 500, lane=BATCH)
    work(3)
    for hot in (channel, other):
        ask(hot, 1, tag="hot")

    served = work(2)

    assert served == {(channel.pk, REALTIME): 1, (other.pk, REALTIME): 1}


def test_flood_of_edits_on_one_connection_does_not_stop_the_backfill_of_another(
    channel: Channel, other: Channel
) -> None:
    ask(channel, 6000)
    ask(other, 2000, lane=BATCH)

    served = work(40)

    assert served[other.pk, BATCH] >= 8


def test_connection_that_was_idle_for_long_does_not_shut_out_the_busy_one(
    channel: Channel, other: Channel
) -> None:
    ask(channel, 3000)
    work(20)
    ask(other, 3000)

    served = work(12)

    assert served[channel.pk, REALTIME] >= 3


def test_blocked_connection_s_backlog_does_not_give_others_credit(
    channel: Channel, other: Channel
) -> None:
    blocked = queue.channel("connection:3")
    ask(blocked, 10)
    queue.block(blocked.pk, "Sign in again")
    ask(channel, 3000)
    work(20)
    ask(other, 3000)

    served = work(12)

    assert served[channel.pk, REALTIME] >= 3


def test_a_hundred_thousand_items_delay_twenty_small_connections_by_two_calls(
    channel: Channel,
) -> None:
    ask(channel, 100_000)
    work(5)
    small = [queue.channel(f"connection:{number}") for number in range(2, 22)]
    for one in small:
        ask(one, 50)

    served: Counter[int] = Counter()
    while sum(served[one.pk] for one in small) < 20 * 50:
        items = work_one_turn()
        served[items[0].channel_id] += len(items)

    assert served[channel.pk] <= 2 * BIGGEST_CALL


# --- the breaker ----------------------------------------------------------------------


def fail(channel: Channel, times: int) -> None:
    for _ in range(times):
        queue.note_outcomes(channel.pk, failed=1, rng=random.Random(1))


def end_of_wait(channel: Channel) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Channel.objects.filter(pk=channel.pk).update(breaker_until=past)


def test_open_breaker_holds_everything_and_uses_no_attempts(channel: Channel) -> None:
    ask(channel, 5)

    fail(channel, MAX_IN_A_ROW)

    channel.refresh_from_db()
    assert channel.breaker == Channel.Breaker.OPEN
    assert queue.turns(KIND) == []
    assert queue.claim(KIND, channel_id=channel.pk, limit=10) == []
    assert not WorkItem.objects.exclude(state="ready", attempts=0).exists()


def test_half_open_breaker_lets_one_item_through_at_a_time(channel: Channel) -> None:
    ask(channel, 5)
    fail(channel, MAX_IN_A_ROW)
    end_of_wait(channel)

    first = queue.claim(KIND, channel_id=channel.pk, limit=10)
    second = queue.claim(KIND, channel_id=channel.pk, limit=10)

    channel.refresh_from_db()
    assert (len(first), second, queue.turns(KIND)) == (1, [], [])
    assert channel.breaker == Channel.Breaker.HALF


def test_after_five_successes_there_is_room_for_one_lease_then_two(
    channel: Channel,
) -> None:
    ask(channel, 20)
    fail(channel, MAX_IN_A_ROW)
    end_of_wait(channel)
    for _ in range(SUCCESSES_TO_CLOSE):
        queue.note_outcomes(channel.pk, ok=1)

    def leases() -> int:
        claims = [queue.claim(KIND, channel_id=channel.pk, limit=2) for _ in range(4)]
        for items in claims:
            queue.give_back(items)
        return sum(bool(items) for items in claims)

    at_first = leases()
    queue.note_outcomes(channel.pk, ok=1)

    assert (at_first, leases()) == (1, 2)


def test_breaker_of_one_connection_leaves_the_others_alone(
    channel: Channel, other: Channel
) -> None:
    ask(channel, 5)
    ask(other, 5)

    fail(channel, MAX_IN_A_ROW)

    assert queue.turns(KIND) == [Turn(other.pk, REALTIME)]


def test_signing_in_again_closes_the_breaker(channel: Channel) -> None:
    ask(channel, 5)
    fail(channel, MAX_IN_A_ROW)

    queue.unblock(channel.pk)

    assert queue.turns(KIND) == [Turn(channel.pk, REALTIME)]


# --- being slowed down ----------------------------------------------------------------


def paused_s(channel: Channel) -> float:
    channel.refresh_from_db()
    assert channel.paused_until is not None
    return (channel.paused_until - timezone.now()).total_seconds()


def test_told_wait_is_kept_and_at_most_a_twentieth_longer(channel: Channel) -> None:
    queue.slow_down(channel.pk, 20, random.Random(1))

    assert 19.5 < paused_s(channel) <= 21


def test_absurd_wait_is_cut_to_a_day(channel: Channel) -> None:
    queue.slow_down(channel.pk, 999_999, random.Random(1))

    assert paused_s(channel) <= 86_400


def test_untold_wait_doubles_each_time_until_a_call_goes_through(
    channel: Channel,
) -> None:
    rng = random.Random(1)
    waits = [queue.slow_down(channel.pk, None, rng) for _ in range(9)]

    queue.note_outcomes(channel.pk, ok=1)

    assert waits == [10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert queue.slow_down(channel.pk, None, rng) == 10


# --- the daily budget -----------------------------------------------------------------


def test_daily_budget_is_kept_at_the_channel_of_its_name(channel: Channel) -> None:
    queue.note_daily("connection:1", used=18, limit=5000)
    queue.note_daily("connection:unknown", used=1, limit=2)

    channel.refresh_from_db()
    assert (channel.daily_used, channel.daily_limit) == (18, 5000)
    assert channel.daily_reset_at is not None
    assert channel.daily_reset_at.hour == channel.daily_reset_at.minute == 0


def test_a_count_that_begins_anew_tells_when_the_day_does(channel: Channel) -> None:
    queue.note_daily("connection:1", used=4000, limit=5000)

    queue.note_daily("connection:1", used=3, limit=5000)

    channel.refresh_from_db()
    assert channel.daily_reset_at is not None
    until = channel.daily_reset_at - timezone.now()
    assert timedelta(hours=23, minutes=59) < until <= timedelta(days=1)


def test_turn_of_many_calls_counts_as_many_turns(channel: Channel) -> None:
    ask(channel, 3000, lane=BATCH)
    ask(channel, 2500)

    calls: Counter[int] = Counter()
    for _ in range(40):
        turn = queue.turns(KIND)[0]
        of = {"limit": 500 if turn.lane == BATCH else 50, "full": 50}
        items = queue.claim(KIND, channel_id=channel.pk, lane=turn.lane, **of)
        queue.finish(items)
        calls[turn.lane] += len(items) // 50

    assert 0.2 < calls[BATCH] / calls[REALTIME] < 0.6


def test_the_last_place_of_a_channel_is_kept_for_what_is_urgent(
    channel: Channel,
) -> None:
    ask(channel, 4, lane=BATCH)
    ask(channel, 2, lane=REALTIME)

    for _ in range(3):
        assert queue.claim(KIND, channel_id=channel.pk, limit=1, lane=BATCH)
    assert not queue.claim(KIND, channel_id=channel.pk, limit=1, lane=BATCH)
    assert queue.turns(KIND) == [Turn(channel.pk, REALTIME)]
    assert queue.claim(KIND, channel_id=channel.pk, limit=1, lane=REALTIME)
    # All places are taken now: that is what they are for.
    assert not queue.claim(KIND, channel_id=channel.pk, limit=1, lane=REALTIME)
    WorkItem.objects.update(state="done", wanted=1, applied=1, lease_token=None)


def test_a_channel_of_two_places_keeps_none_free(workspace: Workspace) -> None:
    small = queue.channel("connection:3", cap=2)
    ask(small, 3, lane=BATCH)

    for _ in range(2):
        assert queue.claim(KIND, channel_id=small.pk, limit=1, lane=BATCH)
    assert not queue.claim(KIND, channel_id=small.pk, limit=1, lane=BATCH)
    WorkItem.objects.update(state="done", wanted=1, applied=1, lease_token=None)


def test_urgent_turns_are_only_those(channel: Channel, other: Channel) -> None:
    ask(channel, 1, lane=BATCH)
    assert queue.urgent_turns(KIND) == []

    ask(other, 1, lane=REALTIME)
    ask(other, 1, lane=BATCH)

    assert queue.urgent_turns(KIND) == [Turn(other.pk, REALTIME)]


def test_what_is_urgent_and_new_can_be_left_to_others(channel: Channel) -> None:
    ask(channel, 1, lane=REALTIME)
    ask(channel, 1, lane=BATCH)

    assert queue.turns(KIND, leave_s=60) == [Turn(channel.pk, BATCH)]

    WorkItem.objects.update(not_before=timezone.now() - timedelta(seconds=61))
    assert Turn(channel.pk, REALTIME) in queue.turns(KIND, leave_s=60)
