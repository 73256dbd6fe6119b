"""The queue before the database: batches, limits, and a database that is in trouble."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from django.db import OperationalError

from integrations.webhooks import writer as writer_module
from integrations.webhooks.endpoints import EndpointCache, Known
from integrations.webhooks.rejected import RejectedBudget
from integrations.webhooks.store import Row, Stored
from integrations.webhooks.writer import MAX_ROWS, Unavailable, Writer

KNOWN = Known(1, 1, 1, "lgm", ())


def row(number: int, *, size: int = 10) -> Row:
    return Row(
        endpoint=KNOWN,
        received_at=datetime(2026, 11, 20, tzinfo=UTC),
        method="POST",
        headers={},
        body=b"x" * size,
        size=size,
        dedupe_key=str(number),
        trace_id=str(number),
    )


class Database:
    """Stands in for the thread's work: counts flushes, can be held or broken."""

    def __init__(self) -> None:
        self.flushes: list[int] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.broken = False

    def store(self, rows: Sequence[Row]) -> list[Stored | None]:
        self.flushes.append(len(rows))
        self.may_go_on.wait(20)
        if self.broken:
            raise OperationalError("server closed the connection")
        return [Stored(int(one.trace_id), one.trace_id) for one in rows]


def test_what_arrives_during_a_flush_shares_the_next() -> None:
    database = Database()

    async def scenario() -> list[Stored | None]:
        writer = Writer(database.store)
        database.may_go_on.clear()
        first = asyncio.create_task(writer.put(row(0)))
        while not database.flushes:
            await asyncio.sleep(0)
        others = [asyncio.create_task(writer.put(row(n))) for n in range(1, 50)]
        await asyncio.sleep(0)
        database.may_go_on.set()
        return await asyncio.gather(first, *others)

    results = asyncio.run(scenario())

    assert database.flushes == [1, 49]
    assert [one.delivery_id for one in results if one] == list(range(50))


def test_a_flush_has_a_largest_size() -> None:
    database = Database()

    async def scenario() -> None:
        writer = Writer(database.store)
        await asyncio.gather(*[writer.put(row(n)) for n in range(MAX_ROWS + 5)])

    asyncio.run(scenario())

    assert max(database.flushes) == MAX_ROWS
    assert sum(database.flushes) == MAX_ROWS + 5


def test_a_broken_database_is_told_to_everyone_who_waits_and_then_forgotten() -> None:
    database = Database()
    database.broken = True

    async def scenario() -> list[object]:
        writer = Writer(database.store)
        failed = await asyncio.gather(
            *[writer.put(row(n)) for n in range(5)], return_exceptions=True
        )
        database.broken = False
        return [*failed, await writer.put(row(9))]

    *failed, recovered = asyncio.run(scenario())

    assert [type(one) for one in failed] == [Unavailable] * 5
    assert recovered == Stored(9, "9")


def test_a_database_that_hangs_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer_module, "ANSWER_WITHIN_S", 0.05)
    database = Database()
    database.may_go_on.clear()

    async def scenario() -> None:
        writer = Writer(database.store)
        with pytest.raises(Unavailable, match="too long"):
            await writer.put(row(1))
        database.may_go_on.set()
        await writer.drain()

    asyncio.run(scenario())

    assert database.flushes == [1]


def test_a_full_queue_takes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MAX_WAITING", 3)
    database = Database()

    async def scenario() -> list[object]:
        writer = Writer(database.store)
        puts = [asyncio.create_task(writer.put(row(n))) for n in range(5)]
        return await asyncio.gather(*puts, return_exceptions=True)

    results = asyncio.run(scenario())

    assert sum(isinstance(one, Unavailable) for one in results) == 2


def test_draining_stores_what_was_taken() -> None:
    database = Database()

    async def scenario() -> None:
        writer = Writer(database.store)
        waiting = [asyncio.create_task(writer.put(row(n))) for n in range(10)]
        await asyncio.sleep(0)
        await writer.drain()
        assert all(one.done() for one in waiting)

    asyncio.run(scenario())

    assert sum(database.flushes) == 10


def test_a_known_endpoint_is_asked_for_once() -> None:
    asked: list[str] = []

    def look_up(digest: str) -> Known | None:
        asked.append(digest)
        return KNOWN

    async def scenario() -> None:
        cache = EndpointCache(look_up)
        await asyncio.gather(*[cache.find("a-token") for _ in range(20)])
        assert await cache.find("a-token") == KNOWN

    asyncio.run(scenario())

    assert len(asked) == 1


def test_an_unknown_token_is_never_remembered() -> None:
    asked: list[str] = []

    async def scenario() -> None:
        cache = EndpointCache(lambda digest: asked.append(digest))
        assert await cache.find("a-token") is None
        assert await cache.find("a-token") is None

    asyncio.run(scenario())

    assert len(asked) == 2


def test_a_forgotten_endpoint_is_asked_for_again() -> None:
    answers = [KNOWN, None]

    async def scenario() -> None:
        cache = EndpointCache(lambda digest: answers.pop(0))
        assert await cache.find("a-token") == KNOWN
        cache.forget(KNOWN.endpoint_id)
        assert await cache.find("a-token") is None

    asyncio.run(scenario())


def test_refusals_beyond_the_budget_are_not_kept_and_others_have_their_own() -> None:
    budget = RejectedBudget()

    allowed = [budget.allows(1, per_window=3) for _ in range(5)]

    assert allowed == [True, True, True, False, False]
    assert budget.allows(2, per_window=3)
