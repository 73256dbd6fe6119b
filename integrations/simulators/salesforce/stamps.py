"""Which records bear which SystemModstamp, in order, for the delta query.

A bucket per second. Moving a record leaves its id behind in the old bucket; whoever
reads compares with the record. An empty bucket goes.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator


class _Bucket:
    """Ids of one second; sorted when read."""

    __slots__ = ("dirty", "ids", "live")

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.dirty = False
        self.live = 0

    def add(self, identifier: str) -> None:
        if self.ids and identifier <= self.ids[-1]:
            self.dirty = True
        self.ids.append(identifier)
        self.live += 1

    def ordered(self) -> list[str]:
        if self.dirty:
            self.ids = sorted(set(self.ids))
            self.dirty = False
        return self.ids


class StampIndex:
    """Ids by (second, id)."""

    def __init__(self) -> None:
        self._buckets: dict[int, _Bucket] = {}
        self._seconds: list[int] = []

    def add(self, second: int, identifier: str) -> None:
        """Note a record's stamp."""
        bucket = self._buckets.get(second)
        if bucket is None:
            bucket = self._buckets[second] = _Bucket()
            if self._seconds and second < self._seconds[-1]:
                insort(self._seconds, second)
            else:
                self._seconds.append(second)
        bucket.add(identifier)

    def leave(self, second: int) -> None:
        """Note that a record left a second; its id stays until the bucket is empty."""
        bucket = self._buckets[second]
        bucket.live -= 1
        if bucket.live <= 0:
            del self._buckets[second]
            del self._seconds[bisect_left(self._seconds, second)]

    def between(
        self, low: int, high: int, *, after: str = ""
    ) -> Iterator[tuple[int, str]]:
        """Yield (second, id) in order; `after` skips ids of the first second.

        May yield ids that have left: compare with the record.
        """
        first = bisect_left(self._seconds, low)
        last = bisect_right(self._seconds, high)
        for second in self._seconds[first:last]:
            bucket = self._buckets.get(second)
            ids = bucket.ordered() if bucket else []
            if after and second == low:
                ids = ids[bisect_right(ids, after) :]
            for identifier in ids:
                yield second, identifier

    def backwards(self, low: int, high: int) -> Iterator[tuple[int, str]]:
        """Yield (second, id), the latest first."""
        first = bisect_left(self._seconds, low)
        last = bisect_right(self._seconds, high)
        for second in reversed(self._seconds[first:last]):
            bucket = self._buckets.get(second)
            for identifier in reversed(bucket.ordered() if bucket else []):
                yield second, identifier
