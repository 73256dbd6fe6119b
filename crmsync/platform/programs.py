"""The commands of the product's processes, as `bin/demo` runs them.

docker-compose.yml says the same for production, one container each.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

from crmsync.platform.ports import LOOPBACK
from crmsync.platform.supervisor import Program

# httptools costs 0.16 ms of CPU per webhook where h11 costs 0.41; a slow socket costs
# 4 kB. Senders and proxies keep idle connections for 60 s: closing first would lose the
# request they are about to send on one. Above the concurrency limit: 503 at once.
WEB_OPTIONS = (
    f"--log-config={Path(__file__).with_name('uvicorn.json')}",
    "--http=httptools",
    "--no-access-log",
    "--no-server-header",
    "--timeout-keep-alive=75",
    "--timeout-graceful-shutdown=10",
    "--limit-concurrency=2000",
    "--backlog=1024",
)
WORKER_OPTIONS = ("--without-gossip", "--without-mingle", "--loglevel=INFO")
# What is urgent is mostly waiting for answers, and none may wait for that of another:
# it has threads. The rest computes.
POOLS = {
    "ingest": ("--pool=prefork", "--concurrency=1"),
    "urgent": ("--pool=threads", "--concurrency=4"),
    "sync": ("--pool=prefork", "--concurrency=2"),
}


def web(port: int) -> Program:
    """Return the web process; ready when the product says so itself."""
    return Program(
        "web",
        [
            *(sys.executable, "-m", "uvicorn", "crmsync.asgi:application"),
            *(f"--host={LOOPBACK}", f"--port={port}", *WEB_OPTIONS),
        ],
        is_ready=lambda: is_ok(f"http://{LOOPBACK}:{port}/readyz"),
    )


def worker(queue: str) -> Program:
    """Return the worker of one queue.

    Each queue has its own, so a long push cannot keep a webhook waiting. Where they
    share cores with the web process it goes first: an answer cannot wait, a push can,
    but for one that is urgent.
    """
    return Program(
        f"worker-{queue}",
        [
            *(() if queue == "urgent" else ("nice", "-n", "5")),
            *(sys.executable, "-m", "celery", "--quiet", "-A", "crmsync", "worker"),
            *(f"--queues={queue}", f"--hostname={queue}@%h"),
            *(*POOLS[queue], *WORKER_OPTIONS),
        ],
    )


def beat() -> Program:
    """Return the clock. Its timetable is code, so it keeps no file that could tear."""
    return Program(
        "beat",
        [
            *(sys.executable, "-m", "celery", "--quiet", "-A", "crmsync", "beat"),
            *("--scheduler=celery.beat:Scheduler", "--pidfile=", "--loglevel=WARNING"),
        ],
    )


def simulator_name(vendor: str) -> str:
    """Return what the stand-in for a vendor is called among the programs."""
    return f"simulator-{vendor}"


def simulator(vendor: str, *, port: int, data: Path) -> Program:
    """Return the stand-in for a vendor, which keeps its records in `data`."""
    return Program(
        simulator_name(vendor),
        [
            *(sys.executable, "-m", "integrations.simulators", vendor),
            *("--host", LOOPBACK, "--port", str(port), "--data", str(data)),
        ],
        is_ready=lambda: accepts(port),
    )


def is_ok(url: str) -> bool:
    """Say whether a page of our own answers 200 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def accepts(port: int) -> bool:
    """Say whether something listens on the port."""
    with contextlib.suppress(OSError):
        socket.create_connection((LOOPBACK, port), timeout=1).close()
        return True
    return False


def why_not_ok(url: str) -> str:
    """Return what a failing health page says about itself, for a person."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
            return f"{answer.status}"
    except urllib.error.HTTPError as error:
        text = error.read().decode("utf-8", errors="replace")[:500]
        with contextlib.suppress(ValueError):
            text = json.dumps(json.loads(text), indent=2)
        return f"{error.code} {text}"
    except OSError as error:
        return str(error)
