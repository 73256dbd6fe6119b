"""How soon an edit here is in the CRM, in peace and while a backfill goes on.

The CRM takes its time for each call and keeps its limits, as a real one does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from integrations.bench import rig
from integrations.bench.clients import CONTACTS, session
from integrations.bench.report import Figure, spread
from integrations.bench.rig import WORKERS, LiveSystem
from integrations.bench.spent import in_process

LATENCY_S = 0.1
LIMIT = 190
# The 99th percentile of few would be the worst of them.
PROBES = 120
FILLING = "kind = 'push' AND lane = 1"
# Edits of one round must have left before the next begins.
SETTLE_S = 120


@dataclass(frozen=True, slots=True)
class Delays:
    """ms: from the commit here to the write there; left: of what is being filled in."""

    ms: list[float]
    left: int = 0


def run(*, rounds: int, backfill: int) -> list[Figure]:
    """Measure P14. backfill: contacts that are being filled in meanwhile."""
    names = ("broker", "simulator", *WORKERS, "beat")
    with rig.system(*names) as live:
        rig.steer(live.simulator_url, "/__sim/config", {"private_limit": LIMIT})
        live.manage("connect", "hubspot", "--workspace", "live")
        in_process(live, "stock", "map", "push")
        in_process(live, "stock", "leads", 1, min(PROBES, backfill // 10), "probe")
        in_process(live, "working", "push", "probe")
        slow = {"kind": "latency", "seconds": LATENCY_S}
        rig.steer(live.simulator_url, "/__sim/faults", slow)
        own = _own_time(live)
        _probe(live, "warm")
        calm, busy = [], []
        for turn in range(rounds):
            calm.append(_probe(live, f"calm-{turn}"))
            busy.append(_while_filling(live, backfill, turn))
    return _figures(own, calm, busy)


def _own_time(live: LiveSystem) -> float:
    """Return how long one write takes by itself, in milliseconds."""
    line, taken = session(), []
    inputs = [{"id": "nobody@example.com", "idProperty": "email", "properties": {}}]
    url = f"{live.simulator_url}{CONTACTS}/batch/upsert"
    for _ in range(30):
        started = time.perf_counter()
        line.post(url, data=json.dumps({"inputs": inputs}), timeout=30)
        taken.append(1000 * (time.perf_counter() - started))
    return median(taken)


def _while_filling(live: LiveSystem, backfill: int, turn: int) -> Delays:
    source = f"fill-{turn}"
    first = 1_000_000 * (turn + 1)
    in_process(live, "stock", "leads", first, backfill, source)
    before = live.count("core_workitem", FILLING)
    in_process(live, "working", "start", source)
    rig.until(lambda: live.count("core_workitem", FILLING) > before, every_s=0.1)
    found = _probe(live, f"busy-{turn}")
    left = _left(live)
    in_process(live, "working", "cancel")
    rig.until(lambda: _left(live) == 0, timeout_s=SETTLE_S, every_s=0.2)
    return Delays(found.ms, left)


def _left(live: LiveSystem) -> int:
    return live.count("core_workitem", f"{FILLING} AND state IN ('ready', 'leased')")


def _probe(live: LiveSystem, word: str) -> Delays:
    """Edit some leads here; return how long each took to be in the CRM."""
    edited = in_process(live, "probe", "probe", word).told
    deadline = time.monotonic() + SETTLE_S
    while not edited.keys() <= (arrived := _arrivals(live)).keys():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not all of {len(edited)} edits arrived")
        time.sleep(0.5)
    return Delays([1000 * (arrived[title] - at) for title, at in edited.items()])


def _arrivals(live: LiveSystem) -> dict[str, float]:
    """Return job title -> when it was written there, of all the leads that we edit."""
    ids = live.sql(
        "SELECT remote_id FROM integrations_link JOIN leads_lead"
        " ON leads_lead.id = record_id WHERE record_type = 'lead' AND source = 'probe'"
    )
    return {
        version["value"]: datetime.fromisoformat(version["timestamp"]).timestamp()
        for (remote_id,) in ids
        for version in _versions(live, remote_id)
    }


def _versions(live: LiveSystem, remote_id: str) -> list[dict[str, str]]:
    told = rig.steer(live.simulator_url, f"/__sim/history/contacts/{remote_id}")
    return list(told["fields"].get("jobtitle", ()))


def _figures(
    own: float, calm: Sequence[Delays], busy: Sequence[Delays]
) -> list[Figure]:
    idle = [one for some in calm for one in some.ms]
    during = [one for some in busy for one in some.ms]
    added = [median(some.ms) - own for some in calm]
    worse = [
        _p99(during_.ms) / _p99(idle_.ms)
        for idle_, during_ in zip(calm, busy, strict=True)
    ]
    return [
        Figure("the CRM's own time for a write", f"{own:.0f} ms"),
        Figure(
            "P14: p50 from an edit to the CRM, idle, beyond its own time",
            f"{spread(added, 0)} ms",
            "<= 50 ms",
            median(added) <= 50,
        ),
        Figure("p99, idle", f"{_p99(idle):.0f} ms"),
        Figure("p50, during a backfill", f"{median(during):.0f} ms"),
        Figure(
            "P14: p99 during a backfill",
            f"{_p99(during):.0f} ms",
            "< 2,000 ms",
            _p99(during) < 2000,
        ),
        Figure(
            "P14: p99 during a backfill / idle",
            spread(worse),
            "< 1.2",
            median(worse) < 1.2,
        ),
        Figure(
            "contacts of the backfill left at the end of the edits",
            f"{min(one.left for one in busy):,} at least",
        ),
    ]


def _p99(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]
