"""How fast replies become contacts, deals and notes, and with how many calls."""

from __future__ import annotations

import time
from importlib.util import find_spec
from statistics import median

from integrations.bench import load, rig
from integrations.bench.report import Figure, spread
from integrations.bench.rig import WORKERS, LiveSystem

CLIENTS = 16
# Measured once for this comparison, on one machine; see the README. Machines differ,
# and one machine from hour to hour, so n8n is set beside the script of the same run.
N8N_SHIPPED, N8N_TUNED, SCRIPT_THEN = 3.6, 22.0, 150.0


def run(*, rounds: int, replies: int) -> list[Figure]:
    """Measure P1 to P3. rounds: pairs of runs; replies: posted in each."""
    names = ("broker", "simulator", "web", *WORKERS, "beat")
    with rig.system(*names) as live:
        url = live.simulator_url
        rig.steer(url, "/__sim/config", {"limits": False, "index_delay_s": 0})
        live.manage("connect", "hubspot", "--workspace", "live")
        new, known = _lone(live)
        ours, calls, floor = [], [], []
        for turn in range(rounds):
            first = (turn + 1) * 1_000_000
            rate, per_event = _burst(live, range(first, first + replies))
            ours.append(rate)
            calls.append(per_event)
            if find_spec("flask"):
                first += 500_000
                floor.append(_script(live, range(first, first + replies)))
    figures = [
        Figure("P1: calls, reply of a new person", str(new), "<= 3", new <= 3),
        Figure("P1: calls, reply of a known person", str(known), "<= 2", known <= 2),
        Figure(
            f"P2: calls per event, burst of {replies:,}",
            spread(calls, 3),
            "<= 0.10",
            median(calls) <= 0.10,
        ),
        Figure("replies completed a second, 16 senders", spread(ours, 0)),
    ]
    if not floor:
        return [*figures, Figure("P3: ours / Flask script", "skipped: no Flask here")]
    figures.append(Figure("the Flask script, same run", spread(floor, 0)))
    shipped = [rate * N8N_SHIPPED / SCRIPT_THEN for rate in floor]
    tuned = [rate * N8N_TUNED / SCRIPT_THEN for rate in floor]
    return [
        *figures,
        _against("Flask script", ours, floor, 1),
        _against("n8n as shipped, by way of the script", ours, shipped, 30),
        _against("n8n tuned, by way of the script", ours, tuned, 6),
    ]


def _against(what: str, ours: list[float], floor: list[float], reach: float) -> Figure:
    ratios = [one / two for one, two in zip(ours, floor, strict=True)]
    holds = median(ratios) >= reach
    return Figure(f"P3: ours / {what}", spread(ratios), f">= {reach}", holds)


def _lone(live: LiveSystem) -> tuple[int, int]:
    """Return the calls for a first and a second reply of one person, alone."""
    counts = []
    for body in rig.bodies(range(1, 3), person=1):
        calls, notes = rig.crm_calls(live.simulator_url), rig.notes(live.simulator_url)
        load.closed_loop(rig.webhook_url(live), [body], clients=1)
        _wait_for_notes(live, notes + 1)
        counts.append(rig.crm_calls(live.simulator_url) - calls)
    return counts[0], counts[1]


def _burst(live: LiveSystem, numbers: range) -> tuple[float, float]:
    """Return replies completed a second and calls per reply."""
    url = live.simulator_url
    calls, notes = rig.crm_calls(url), rig.notes(url)
    bodies = rig.bodies(numbers)
    started = time.perf_counter()
    load.closed_loop(rig.webhook_url(live), bodies, clients=CLIENTS)
    _wait_for_notes(live, notes + len(numbers))
    seconds = time.perf_counter() - started
    return len(numbers) / seconds, (rig.crm_calls(url) - calls) / len(numbers)


def _script(live: LiveSystem, numbers: range) -> float:
    """Return how many replies a second the plain script completes."""
    port = rig.any_free()
    command = ["integrations.bench.script", str(port), live.simulator_url]
    with rig.floor(command, port, live.env):
        got = load.closed_loop(
            f"http://{rig.LOOPBACK}:{port}/reply", rig.bodies(numbers), clients=CLIENTS
        )
    if set(got.statuses) != {200}:
        raise RuntimeError(f"The script failed: {got.statuses}")
    return got.rate


def _wait_for_notes(live: LiveSystem, wanted: int) -> None:
    rig.until(lambda: rig.notes(live.simulator_url) >= wanted, every_s=0.02)
