"""Cutting lists into calls and walking through pages.

PURE: a page is fetched by a function that is handed in.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from integrations.errors import Retryable

T = TypeVar("T")


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield items in runs of at most size.

    >>> [list(c) for c in chunks([1, 2, 3], 2)]
    [[1, 2], [3]]
    """
    for start in range(0, len(items), size):
        yield items[start : start + size]


def distinct_chunks(
    items: Sequence[T], size: int, key: Callable[[T], Hashable]
) -> Iterator[list[T]]:
    """Yield runs of at most size in which no key comes twice, in order per key.

    Vendors refuse a batch that names one record twice.

    >>> list(distinct_chunks(["a1", "b1", "a2"], 10, key=lambda s: s[0]))
    [['a1', 'b1'], ['a2']]
    """
    rounds: list[list[T]] = []
    seen: dict[Hashable, int] = {}
    for item in items:
        nth = seen.get(key(item), 0)
        seen[key(item)] = nth + 1
        if nth == len(rounds):
            rounds.append([])
        rounds[nth].append(item)
    for one_round in rounds:
        for chunk in chunks(one_round, size):
            yield list(chunk)


def halves(items: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """Split in two; the first is the longer when the count is odd."""
    middle = (len(items) + 1) // 2
    return items[:middle], items[middle:]


def walk(
    fetch_page: Callable[[str | None], tuple[Iterable[T], str | None]],
    *,
    max_pages: int = 10_000,
) -> Iterator[T]:
    """Yield every item of every page; fetch_page gives items and the next cursor.

    Raises Retryable when a cursor comes back a second time: a vendor that does
    that would be asked for ever.
    """
    cursor: str | None = None
    seen: set[str] = set()
    for _ in range(max_pages):
        items, following = fetch_page(cursor)
        yield from items
        if following is None:
            return
        if following in seen:
            raise Retryable("The list of pages runs in a circle", code="PAGING_LOOP")
        seen.add(following)
        cursor = following
    raise Retryable(f"More than {max_pages} pages", code="PAGING_TOO_LONG")
