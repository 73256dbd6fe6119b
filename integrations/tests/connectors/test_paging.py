"""Cutting into calls and walking pages."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors import paging
from integrations.errors import Retryable
from integrations.tests.connectors.fuzz import patient


@patient
@given(st.lists(st.integers(0, 5)), st.integers(1, 4))
def test_distinct_chunks_lose_nothing_and_repeat_no_key(items: Any, size: int) -> None:
    cut = list(paging.distinct_chunks(items, size, key=lambda item: item))

    assert sorted(item for chunk in cut for item in chunk) == sorted(items)
    assert all(len(set(chunk)) == len(chunk) <= size for chunk in cut)


def test_walk_follows_cursors_to_the_end() -> None:
    pages = {None: ([1, 2], "a"), "a": ([3], "b"), "b": ([], None)}

    assert list(paging.walk(pages.__getitem__)) == [1, 2, 3]


def test_walk_stops_at_a_cursor_that_comes_back() -> None:
    pages = {None: ([1], "a"), "a": ([2], "a")}

    with pytest.raises(Retryable, match="circle"):
        list(paging.walk(pages.__getitem__))


def test_walk_stops_at_more_pages_than_can_be() -> None:
    with pytest.raises(Retryable, match="More than 5"):
        list(paging.walk(lambda cursor: ([], str(int(cursor or 0) + 1)), max_pages=5))
