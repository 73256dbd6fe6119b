"""Pages are settled side by side, and come out in their order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.db import transaction

from crmsync.core.aside import Aside
from integrations.connectors.limits import current_lane, in_lane
from integrations.errors import Retryable
from integrations.records import Page
from integrations.sync import abreast
from integrations.sync.turns import Turn

WAIT_S = 10.0


@pytest.fixture(autouse=True)
def _several_transactions(monkeypatch) -> None:
    kept = SimpleNamespace(vendor="postgresql")
    monkeypatch.setattr(abreast, "connection", kept)


def pages(count: int, *, breaks_at: int | None = None) -> Iterator[Page]:
    for number in range(count):
        if number == breaks_at:
            raise Retryable("Try again")
        yield Page((), str(number))


def always() -> bool:
    return True


def test_two_pages_are_settled_at_once_and_come_out_in_order() -> None:
    both = threading.Barrier(2, timeout=WAIT_S)

    def settle(page: Page, _: Turn | None) -> None:
        both.wait()

    found = [one.cursor for one in abreast.settled(pages(6), settle, wanted=always)]

    assert found == [str(number) for number in range(6)]
    assert not [t for t in threading.enumerate() if t.name.startswith("settle")]


def test_a_page_waits_for_the_one_before_it() -> None:
    first_may_end, second_ended = threading.Event(), threading.Event()
    ended: list[str | None] = []

    def settle(page: Page, _: Turn | None) -> None:
        if page.cursor == "0":
            assert second_ended.wait(WAIT_S)
            assert first_may_end.wait(WAIT_S)
        ended.append(page.cursor)
        if page.cursor == "1":
            second_ended.set()
            first_may_end.set()

    found = [one.cursor for one in abreast.settled(pages(2), settle, wanted=always)]

    assert ended == ["1", "0"]
    assert found == ["0", "1"]


def test_after_a_page_that_fails_none_comes_out() -> None:
    settled: list[str | None] = []

    def settle(page: Page, _: Turn | None) -> None:
        if page.cursor == "1":
            raise ValueError("It does not fit.")
        settled.append(page.cursor)

    out: list[str | None] = []
    with pytest.raises(ValueError, match="does not fit"):
        out.extend(
            one.cursor for one in abreast.settled(pages(5), settle, wanted=always)
        )

    assert out == ["0"]
    assert "4" not in settled


def test_what_was_begun_comes_out_when_nothing_more_is_wanted() -> None:
    asked = iter([True, True, False])

    found = abreast.settled(pages(9), lambda *_: None, wanted=lambda: next(asked))

    assert [one.cursor for one in found] == ["0", "1"]


def test_what_was_begun_comes_out_before_an_error_in_reading() -> None:
    out: list[str | None] = []
    found = abreast.settled(pages(9, breaks_at=3), lambda *_: None, wanted=always)

    with pytest.raises(Retryable):
        out.extend(one.cursor for one in found)

    assert out == ["0", "1", "2"]


def test_it_is_settled_for_the_same_lane() -> None:
    lanes: list[int] = []

    def settle(page: Page, _: Turn | None) -> None:
        lanes.append(current_lane())

    with in_lane(1):
        list(abreast.settled(pages(3), settle, wanted=always))

    assert lanes == [1, 1, 1]


@pytest.mark.django_db
def test_within_a_transaction_one_page_is_settled_after_the_other() -> None:
    threads: set[str] = set()

    def settle(page: Page, _: Turn | None) -> None:
        threads.add(threading.current_thread().name)

    with transaction.atomic():
        list(abreast.settled(pages(3), settle, wanted=always))

    assert threads == {threading.current_thread().name}


@pytest.mark.django_db
def test_a_job_is_done_when_asked_for_where_no_thread_can_be() -> None:
    done: list[int] = []
    with transaction.atomic(), Aside[None]("aside") as hand:
        hand.start(lambda: done.append(1))
        assert not done
        hand.result()
    assert done == [1]
