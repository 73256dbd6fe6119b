"""What a measurement runs on: the product's processes, and floors beside them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from crmsync.platform import programs
from crmsync.platform.guardian import die_with_parent, end_groups
from crmsync.platform.ports import LOOPBACK, any_free
from integrations.tests.live import WORKERS, LiveSystem, lgm_reply, webhook_path

TOKEN = "pat-demo-token"
NOTES = "/__sim/stats"


@contextlib.contextmanager
def system(*names: str) -> Iterator[LiveSystem]:
    """Start the product's processes by name, in a folder and database of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="crmsync-bench-") as folder,
        LiveSystem(Path(folder), env={"CRM_TOKEN": TOKEN}) as live,
    ):
        live.start(*names)
        yield live


@contextlib.contextmanager
def floor(command: Sequence[str], port: int, env: dict[str, str]) -> Iterator[None]:
    """Run another server for comparison until it is no longer needed."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )
    try:
        until(lambda: programs.accepts(port), timeout_s=20)
        yield
    finally:
        end_groups([process.pid], grace_s=5, reap=process.poll)
        process.wait()


def until(holds: Any, *, timeout_s: float = 120, every_s: float = 0.01) -> None:
    """Wait until it holds. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("The measurement did not come to its end.")
        time.sleep(every_s)


def steer(url: str, path: str, body: object | None = None) -> Any:
    """Ask or tell the simulator something; it does not count these calls."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - a simulator on loopback
        url + path, data=data, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def forget_faults(url: str) -> None:
    """Let the simulator be well again."""
    request = urllib.request.Request(url + "/__sim/faults", method="DELETE")  # noqa: S310 - a simulator on loopback
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310


def crm_calls(url: str) -> int:
    """Return how many calls the simulator has answered."""
    return int(steer(url, NOTES)["total"])


def notes(url: str) -> int:
    """Return how many notes the simulator holds."""
    return int(steer(url, NOTES)["records"].get("notes", 0))


def bodies(numbers: range, *, person: int | None = None) -> list[bytes]:
    """Return replies, each of a person of their own unless one is given."""
    return [json.dumps(lgm_reply(one, person=person)).encode() for one in numbers]


def webhook_url(live: LiveSystem) -> str:
    """Return where replies are posted."""
    return live.url + webhook_path("lgm")


__all__ = ["LOOPBACK", "WORKERS", "LiveSystem", "any_free"]
