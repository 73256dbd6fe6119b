"""Pages are put together until they are worth settling, and read ahead."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest
from django.db import transaction

from integrations.connectors.limits import current_lane, in_lane
from integrations.errors import Retryable
from integrations.records import Page, RemoteRecord
from integrations.sync import pages

SIZE = 100


@pytest.fixture(autouse=True)
def _five_hundred(monkeypatch) -> None:
    monkeypatch.setattr(pages, "ENOUGH", 500)


class Shelf:
    """A CRM with so many records on pages of a hundred; `breaks_at` fails once."""

    def __init__(self, count: int, *, breaks_at: int | None = None) -> None:
        self.count, self.breaks_at = count, breaks_at
        self.asked: list[int] = []
        self.threads: set[str] = set()
        self.lanes: set[int] = set()

    def read(self, cursor: str | None) -> Page:
        start = int(cursor or 0)
        self.asked.append(start)
        self.threads.add(threading.current_thread().name)
        self.lanes.add(current_lane())
        if start == self.breaks_at:
            raise Retryable("Try again")
        end = min(start + SIZE, self.count)
        found = (RemoteRecord("contacts", str(n), {}) for n in range(start, end))
        return Page(tuple(found), str(end) if end < self.count else None)


def numbers(page: Page) -> list[int]:
    return [int(one.remote_id) for one in page.records]


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, [0]), (30, [30]), (500, [500]), (501, [500, 1]), (1230, [500, 500, 230])],
)
def test_pages_are_put_together_until_there_is_enough(
    count: int, sizes: list[int]
) -> None:
    shelf = Shelf(count)

    found = list(pages.together(shelf.read, None))

    assert [len(one.records) for one in found] == sizes
    assert [n for one in found for n in numbers(one)] == list(range(count))
    assert found[-1].cursor is None
    assert shelf.asked == list(range(0, max(count, 1), SIZE))


def test_reading_goes_on_at_the_cursor_of_what_was_settled() -> None:
    first = next(pages.together(Shelf(1230).read, None))

    rest = list(pages.together(Shelf(1230).read, first.cursor))

    assert [n for one in [first, *rest] for n in numbers(one)] == list(range(1230))


def test_an_error_is_raised_once_what_came_before_it_is_settled() -> None:
    shelf = Shelf(1230, breaks_at=700)
    found = pages.together(shelf.read, None)

    settled = [next(found), next(found)]

    assert numbers(settled[1]) == [*range(500, 700)]
    assert settled[1].cursor == "700"
    with pytest.raises(Retryable):
        next(found)


def test_an_error_at_once_is_raised_at_once() -> None:
    with pytest.raises(Retryable):
        next(pages.together(Shelf(30, breaks_at=0).read, None))


def test_after_the_deadline_one_page_is_read_and_no_more() -> None:
    shelf = Shelf(1230)

    (only,) = pages.together(shelf.read, None, deadline=time.monotonic() - 1)

    assert (numbers(only), only.cursor) == ([*range(100)], "100")
    assert shelf.asked == [0]


def test_a_slow_vendor_is_settled_page_by_page(monkeypatch) -> None:
    monkeypatch.setattr(pages, "GATHER_S", 0.0)

    found = list(pages.together(Shelf(230).read, None))

    assert [len(one.records) for one in found] == [100, 100, 30]


def test_the_next_is_read_while_one_is_settled() -> None:
    shelf = Shelf(1230)
    there = threading.Event()

    def read(cursor: str | None) -> Page:
        if cursor == "900":
            there.set()
        return shelf.read(cursor)

    with closing(pages.together(read, None)) as found, in_lane(1):
        next(found)
        assert there.wait(timeout=10)

    assert shelf.asked[:10] == list(range(0, 1000, SIZE))
    assert len(shelf.threads) == 2
    assert not [one for one in threading.enumerate() if one.name.startswith("ahead")]


def test_what_reads_ahead_works_for_the_same_lane() -> None:
    shelf = Shelf(1230)

    with in_lane(1):
        list(pages.together(shelf.read, None))

    assert shelf.lanes == {1}


@pytest.mark.django_db
def test_nothing_is_read_ahead_within_a_transaction() -> None:
    shelf = Shelf(1230)

    with transaction.atomic():
        found = list(pages.together(shelf.read, None))

    assert [len(one.records) for one in found] == [500, 500, 230]
    assert shelf.threads == {threading.current_thread().name}
