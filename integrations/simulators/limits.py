"""Rolling request windows and daily counters, as vendors count calls."""

from collections import Counter, deque


class RollingWindows:
    """Counts calls per key over a rolling window. Not thread-safe."""

    def __init__(self) -> None:
        self._calls: dict[str, deque[float]] = {}
        self._days: Counter[tuple[str, int]] = Counter()

    def take(self, key: str, *, limit: int, window_s: float, now: float) -> int:
        """Count a call; return how many remain, or -1 when this one is refused."""
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - window_s:
            calls.popleft()
        if len(calls) >= limit:
            return -1
        calls.append(now)
        return limit - len(calls)

    def count(self, key: str, *, window_s: float, now: float) -> int:
        """Return how many calls a window holds, without adding one."""
        calls = self._calls.get(key)
        while calls and calls[0] <= now - window_s:
            calls.popleft()
        return len(calls) if calls else 0

    def take_daily(self, key: str, *, limit: int, now: float) -> int:
        """Count a call of this UTC day; return how many remain, or -1."""
        day = (key, int(now // 86_400))
        if self._days[day] >= limit:
            return -1
        self._days[day] += 1
        return limit - self._days[day]

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()
        self._days.clear()
