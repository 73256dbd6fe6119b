"""What came in: a bounded request log, and counts per method and path template."""

import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from integrations.simulators.wire import Request

KEPT_REQUESTS = 100_000


@dataclass(slots=True)
class LogLine:
    """One request. at: epoch seconds on arrival; status 0: dropped unanswered."""

    seq: int
    at: float
    ms: float
    method: str
    path: str
    template: str
    status: int
    inputs: int
    caller: str
    fault: str


class Traffic:
    """Every request since the last reset."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=KEPT_REQUESTS)
        self._counts: Counter[tuple[str, int]] = Counter()
        self._inputs: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._seq = 0

    def note(
        self, request: Request, *, at: float, ms: float, status: int, fault: str
    ) -> None:
        """Keep one request. at: epoch seconds; ms: how long it took; fault: kinds."""
        with self._lock:
            self._seq += 1
            line = LogLine(
                seq=self._seq,
                at=at,
                ms=ms,
                method=request.method,
                path=request.path,
                template=request.template,
                status=status,
                inputs=request.inputs,
                caller=request.caller,
                fault=fault,
            )
            self._lines.append(line)
            key = f"{line.method} {line.template}"
            self._counts[key, status] += 1
            self._inputs[key] += line.inputs

    def lines(self, *, since: float, after: int, limit: int) -> list[dict[str, Any]]:
        """Return requests since a time (epoch s) and after a number."""
        with self._lock:
            wanted = (x for x in self._lines if x.at >= since and x.seq > after)
            return [asdict(line) for line in islice(wanted, limit)]

    def stats(self) -> dict[str, Any]:
        """Return {total, inputs, by_status, routes: "METHOD template" -> counts}."""
        with self._lock:
            routes: dict[str, dict[str, Any]] = {}
            by_status: Counter[str] = Counter()
            for (key, status), count in self._counts.items():
                route = routes.setdefault(
                    key, {"count": 0, "inputs": self._inputs[key], "statuses": {}}
                )
                route["count"] += count
                route["statuses"][str(status)] = count
                by_status[str(status)] += count
            return {
                "total": sum(by_status.values()),
                "inputs": sum(self._inputs.values()),
                "by_status": dict(by_status),
                "routes": dict(sorted(routes.items())),
            }

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._lines.clear()
            self._counts.clear()
            self._inputs.clear()
