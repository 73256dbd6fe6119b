"""Health checks of containers, in an image that has no curl.

python -m crmsync.platform.probe url http://127.0.0.1:8000/readyz
python -m crmsync.platform.probe heartbeat /tmp/heartbeat
python -m crmsync.platform.probe port 8900
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from crmsync.platform.programs import accepts, is_ok, why_not_ok

# Worker and beat touch their file every few seconds while they reach the broker.
_STALE_S = 60.0


def heartbeat_age_s(path: Path) -> float:
    """Return how long ago a process last said that it works."""
    return time.time() - path.stat().st_mtime if path.exists() else float("inf")


def _probe_url(url: str) -> str:
    return "" if is_ok(url) else why_not_ok(url)


def _probe_heartbeat(path: str) -> str:
    age_s = heartbeat_age_s(Path(path))
    return "" if age_s < _STALE_S else f"last sign of life {age_s:.0f} s ago"


def _probe_port(port: str) -> str:
    return "" if accepts(int(port)) else f"nothing listens on {port}"


PROBES: dict[str, Callable[[str], str]] = {
    "url": _probe_url,
    "heartbeat": _probe_heartbeat,
    "port": _probe_port,
}


def main() -> None:
    """Exit 0 when the probe finds nothing wrong, else say what is and exit 1."""
    problem = PROBES[sys.argv[1]](sys.argv[2])
    if problem:
        sys.exit(problem)


if __name__ == "__main__":
    main()
