"""How much of a vendor's ceiling a batch push uses, and how often it is refused."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Any

from integrations.bench import rig
from integrations.bench.report import Figure, spread
from integrations.bench.rig import WORKERS, LiveSystem
from integrations.tests.live_database import ROOT

LIMIT, WINDOW_S = 190, 10
LATENCY_S = 0.2
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Rate:
    """share: of the ceiling, once the first window is over; refused: 429s of all."""

    share: float
    refused: float
    calls: int


def run(*, rounds: int, contacts: int) -> list[Figure]:
    """Measure P7 and, beside it, the vendor's own client with one and four threads."""
    ours: list[Rate] = []
    floors: dict[int, list[Rate]] = {1: [], 4: []}
    # The sweep, which finds the backlog, is the other worker's.
    names = ("broker", "simulator", *WORKERS, "beat")
    with rig.system(*names) as live:
        rig.steer(live.simulator_url, "/__sim/config", {"private_limit": LIMIT})
        live.manage("connect", "hubspot", "--workspace", "live")
        rig.steer(
            live.simulator_url,
            "/__sim/faults",
            {"kind": "latency", "seconds": LATENCY_S},
        )
        for turn in range(rounds):
            ours.append(_ours(live, contacts, f"Round {turn}"))
            for threads, rates in floors.items():
                if find_spec("hubspot"):
                    rates.append(_client(live, threads))
    return [*_figures(ours), *_floor_figures(floors)]


def _ours(live: LiveSystem, contacts: int, title: str) -> Rate:
    """Let the workers push a backlog; return what the vendor saw of it."""
    _let_the_window_pass()
    before = _last_request(live)
    _python(live, "integrations.bench.backlog", str(contacts), title)
    rig.until(lambda: _backlog(live) == 0, timeout_s=contacts / 100 + 120, every_s=1)
    return _rate(live, before)


def _client(live: LiveSystem, threads: int) -> Rate:
    _let_the_window_pass()
    before = _last_request(live)
    seconds = str(2 * WINDOW_S + 2)
    _python(
        live, "integrations.bench.client", live.simulator_url, str(threads), seconds
    )
    return _rate(live, before)


def _python(live: LiveSystem, module: str, *args: str) -> None:
    command = [sys.executable, "-m", module, *args]
    subprocess.run(command, cwd=ROOT, env=live.env, check=True, timeout=600)


def _backlog(live: LiveSystem) -> int:
    return live.count("core_workitem", "kind = 'push' AND state IN ('ready', 'leased')")


def _let_the_window_pass() -> None:
    time.sleep(WINDOW_S + 0.5)


def _last_request(live: LiveSystem) -> int:
    lines = _requests(live, after=0)
    return int(lines[-1]["seq"]) if lines else 0


def _requests(live: LiveSystem, *, after: int) -> Sequence[dict[str, Any]]:
    found = rig.steer(live.simulator_url, f"/__sim/log?after={after}")["requests"]
    return [one for one in found if "batch" in one["path"]]


def _rate(live: LiveSystem, before: int) -> Rate:
    """Count whole windows but the first: it was empty, so that a burst would flatter.

    Calls go in bursts, one a window: part of one says nothing about the rate.
    """
    lines = _requests(live, after=before)
    times = [one["at"] for one in lines if one["status"] != TOO_MANY]
    begin = times[0] + WINDOW_S
    windows = int((times[-1] - begin) // WINDOW_S)
    if not windows:
        raise RuntimeError("The push was over before the second window was")
    end = begin + windows * WINDOW_S
    steady = [at for at in times if begin < at <= end]
    refused = sum(one["status"] == TOO_MANY for one in lines) / len(lines)
    ceiling = LIMIT / WINDOW_S * (end - begin)
    return Rate(len(steady) / ceiling, refused, len(lines))


def _figures(ours: Sequence[Rate]) -> list[Figure]:
    shares = [one.share for one in ours]
    refused = [one.refused for one in ours]
    return [
        Figure(
            f"P7: calls/s over the ceiling of {LIMIT} in {WINDOW_S} s, two workers",
            spread(shares, 3),
            ">= 0.95",
            median(shares) >= 0.95,
        ),
        Figure(
            "P7: calls refused with 429",
            spread(refused, 4),
            "<= 0.005",
            median(refused) <= 0.005,
        ),
    ]


def _floor_figures(floors: dict[int, list[Rate]]) -> list[Figure]:
    figures = []
    for threads, rates in floors.items():
        name = f"the vendor's batch client, {threads} thread(s), same run"
        if not rates:
            figures.append(Figure(name, "skipped: the client is not installed"))
            continue
        share = spread([one.share for one in rates], 3)
        refused = spread([one.refused for one in rates], 3)
        figures.append(Figure(name, f"{share}; 429s {refused}"))
    return figures
