"""The work item table under races, long backlogs and newer wishes."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope

from crmsync.core import queue
from crmsync.core.models import Channel, WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.queue import Ask, Failure
from crmsync.core.testing import make_workspace

KIND = "push"
RNG = random.Random(7)
REJECTED = Failure("rejected", "Not an address.")
AMBIGUOUS = Failure("ambiguous", "It may be there already.")
on_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="needs PostgreSQL"
)


@pytest.fixture
def workspace(transactional_db: None) -> Iterator[Workspace]:
    made = make_workspace()
    with scope(workspace=made):
        yield made
        assert queue.ledger()["difference"] == 0


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    return queue.channel("connection:1", cap=4)


def asks(channel: Channel, *keys: str, group: str = "") -> list[Ask]:
    workspace = Workspace.objects.get()
    return [Ask(workspace.pk, KIND, key, channel.pk, group) for key in keys]


def claim(channel: Channel, limit: int = 100, **more: int) -> list[WorkItem]:
    return queue.claim(KIND, channel_id=channel.pk, limit=limit, **more)


def test_edit_during_a_try_that_is_refused_gets_a_try_of_its_own(
    channel: Channel,
) -> None:
    queue.ask(asks(channel, "a"))
    (item,) = claim(channel)
    queue.ask(asks(channel, "a"))

    state = queue.fail(item, REJECTED, RNG)

    item.refresh_from_db()
    assert state == item.state == State.READY
    assert (item.wanted, item.dead, item.attempts) == (2, 1, 0)
    (again,) = claim(channel)
    assert queue.finish([again]) == 1
    assert queue.ledger()["waiting"] == 0


def test_edits_before_a_try_that_is_refused_are_given_up_with_it(
    channel: Channel,
) -> None:
    for _ in range(3):
        queue.ask(asks(channel, "a"))
    (item,) = claim(channel)

    state = queue.fail(item, REJECTED, RNG)

    item.refresh_from_db()
    assert state == item.state == State.PARKED
    assert (item.wanted, item.dead, item.coalesced) == (3, 1, 2)


def test_edit_of_what_waits_for_another_lets_it_look_again(channel: Channel) -> None:
    queue.ask(asks(channel, "child"))
    (item,) = claim(channel)
    queue.wait_for(item, "parent", "Waiting for lead 1.")

    queue.ask(asks(channel, "child"))

    item.refresh_from_db()
    assert (item.state, item.waits_for, item.error_class) == (State.READY, "", "")


def test_retry_of_what_waits_for_another_lets_it_look_again(channel: Channel) -> None:
    queue.ask(asks(channel, "child"))
    (item,) = claim(channel)
    queue.wait_for(item, "parent", "Waiting for lead 1.")

    asked = queue.retry([item.pk])

    assert asked == 1
    assert len(claim(channel)) == 1


def test_what_began_to_wait_as_its_parent_was_finished_is_made_ready(
    channel: Channel,
) -> None:
    queue.ask(asks(channel, "parent", "child", "sending", "other"))
    items = {item.key: item for item in claim(channel)}
    queue.finish([items["parent"]])
    queue.wait_for(items["child"], "parent", "Waiting for lead 1.")
    queue.wait_for(items["other"], "sending", "Waiting for lead 2.")

    freed = queue.missed(KIND, ["parent", "sending"])

    assert freed == 1
    assert [item.key for item in claim(channel)] == ["child"]


def test_edit_of_what_may_have_been_sent_does_not_forget_that(channel: Channel) -> None:
    queue.ask(asks(channel, "note"))
    (item,) = claim(channel)
    queue.fail(item, AMBIGUOUS, RNG)

    queue.ask(asks(channel, "note"))

    (again,) = claim(channel)
    assert again.attempts == 1


def test_small_batch_does_not_wait_long_behind_a_call_that_hangs(
    channel: Channel,
) -> None:
    Channel.objects.filter(pk=channel.pk).update(cap=8)
    for hanging in ("hangs", "hangs too"):
        queue.ask(asks(channel, hanging))
        claim(channel)
    queue.ask(asks(channel, "small"))
    at_first = claim(channel, full=100)
    WorkItem.objects.filter(key="small").update(
        not_before=timezone.now() - timedelta(seconds=queue.COMPANY_WAIT_S + 1)
    )

    later = claim(channel, full=100)

    assert at_first == []
    assert [item.key for item in later] == ["small"]


def test_claim_with_nothing_due_writes_nothing(channel: Channel) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert claim(channel) == []

    assert not [one for one in queries if one["sql"].startswith("UPDATE")]


@on_postgresql
def test_a_long_history_is_not_read_to_find_what_is_due(channel: Channel) -> None:
    queue.ask(asks(channel, *[f"old:{number}" for number in range(20_000)]))
    WorkItem.objects.update(state=State.DONE, applied=1)
    queue.ask(asks(channel, *[f"new:{number}" for number in range(50)]))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE core_workitem")

    with CaptureQueriesContext(connection) as queries:
        due = queue.due_channels(KIND)
        claimed = claim(channel, 10)

    plans = [_plan(one["sql"]) for one in queries if one["sql"].startswith("SELECT")]
    assert len(due) == 1
    assert len(claimed) == 10
    assert not [plan for plan in plans if "Seq Scan on core_workitem" in plan]


@on_postgresql
def test_a_long_backlog_is_neither_read_nor_sorted_to_claim_from_it(
    channel: Channel,
) -> None:
    far = timezone.now() + timedelta(days=300)
    backlog = [f"1:{number}" for number in range(10_000)]
    manual = [f"2:{number}" for number in range(10_000)]
    queue.ask(asks(channel, *backlog, group="1"))
    queue.ask(asks(channel, *manual, group="2"))
    WorkItem.objects.filter(group="2").update(not_before=far)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE core_workitem")

    with CaptureQueriesContext(connection) as queries:
        turns = queue.turns(KIND)
        claimed = queue.claim(KIND, channel_id=channel.pk, group="1", limit=10)
        nothing = queue.claim(KIND, channel_id=channel.pk, group="2", limit=10)

    plans = [_plan(one["sql"]) for one in queries if "FROM core_" in one["sql"]]
    assert (len(turns), len(claimed), len(nothing)) == (1, 10, 0)
    assert "work_ready_by_lane" in plans[0]
    assert not [plan for plan in plans if "Seq Scan on core_workitem" in plan]
    items = [_plan(one["sql"]) for one in queries if "LIMIT 10" in one["sql"]]
    assert ["work_ready_by_kind" in plan for plan in items] == [True]
    assert ["Sort" in plan for plan in items] == [False]


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}".replace("%", "%%"))
        return "\n".join(line for (line,) in cursor.fetchall())


# --- two at a time --------------------------------------------------------------------


def _side_by_side(*jobs: Callable[[], None]) -> list[BaseException]:
    """Run each job in a thread of its own; return what they raised."""
    raised: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@on_postgresql
def test_asking_for_and_finishing_the_same_work_at_once_never_deadlocks(
    channel: Channel,
) -> None:
    keys = [f"1:{number}" for number in range(200)]
    forth, back = asks(channel, *keys), asks(channel, *reversed(keys))

    def keep_asking(wishes: list[Ask]) -> Callable[[], None]:
        def job() -> None:
            for _ in range(40):
                with transaction.atomic():
                    queue.ask(wishes)

        return job

    def keep_working() -> None:
        for _ in range(60):
            queue.finish(claim(channel))

    raised = _side_by_side(
        keep_asking(forth), keep_asking(back), keep_working, keep_working
    )

    assert raised == []
