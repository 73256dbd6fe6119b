"""How fast workers fill a CRM, beside a client that does nothing but call it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import ceil

from integrations.bench import rig
from integrations.bench.costs import against, at_most, rates
from integrations.bench.people import BATCH
from integrations.bench.report import Figure
from integrations.bench.rig import LiveSystem
from integrations.bench.spent import Spent, beside, in_process


@dataclass(slots=True)
class Round:
    """Each side once, one after the other. calls: ours over the least possible.

    both: the two worker processes that the product comes with; ours: one of them.
    """

    ours: Spent
    both: Spent
    plain: Spent
    official: Spent | None
    calls: float
    again: int


@dataclass(slots=True)
class _Numbers:
    """Hands out people nobody has been given yet."""

    next: int = field(default=1)

    def take(self, count: int) -> int:
        first, self.next = self.next, self.next + count
        return first


def run(*, rounds: int, size: int) -> list[Figure]:
    """Measure P6 and P8 with `size` new contacts in each round."""
    with rig.system("broker", "simulator") as live:
        # The limit that it names: more calls than any worker makes.
        settings = {"limits": False, "private_limit": 10**6}
        rig.steer(live.simulator_url, "/__sim/config", settings)
        live.manage("connect", "hubspot", "--workspace", "live")
        in_process(live, "stock", "map", "push")
        numbers = _Numbers()
        _round(live, numbers, 10 * BATCH, "warm")
        taken = [_round(live, numbers, size, f"round-{turn}") for turn in range(rounds)]
    return _figures(taken, size)


def _round(live: LiveSystem, numbers: _Numbers, size: int, source: str) -> Round:
    url = live.simulator_url
    plain = in_process(live, "clients", "plain-push", url, numbers.take(size), size)
    official = None
    if find_spec("hubspot"):
        first = numbers.take(size)
        official = in_process(live, "clients", "official-push", url, first, size)
    in_process(live, "stock", "leads", numbers.take(size), size, source)
    before = rig.crm_calls(url)
    ours = _only(in_process(live, "working", "push", source), size)
    made = rig.crm_calls(url)
    in_process(live, "working", "push", source)
    again = rig.crm_calls(url) - made
    both = _only(_both(live, numbers.take(size), size, f"{source}-both"), size)
    calls = (made - before) / ceil(size / BATCH)
    return Round(ours, both, plain, official, calls, again)


def _both(live: LiveSystem, first: int, size: int, source: str) -> Spent:
    in_process(live, "stock", "leads", first, size, source)
    with beside(live, "working", "drain") as other:
        spent = in_process(live, "working", "push", source)
    if not other.records:
        raise RuntimeError("The second process had nothing to do")
    spent.cpu_s += other.cpu_s
    spent.peak_mib = max(spent.peak_mib, other.peak_mib)
    return spent


def _only(ours: Spent, size: int) -> Spent:
    if ours.records != size:
        raise RuntimeError(f"{ours.records} of {size} contacts were pushed")
    return ours


def _figures(rounds: Sequence[Round], size: int) -> list[Figure]:
    again = max(one.again for one in rounds)
    one_pairs = [(one.ours, one.official) for one in rounds if one.official]
    pairs = [(one.both, one.official) for one in rounds if one.official]
    calls = [one.calls for one in rounds]
    return [
        at_most(f"P6: calls for {size:,} new contacts / least possible", calls, 1.02),
        Figure(
            "P6: calls for the same contacts, unchanged", str(again), "0", not again
        ),
        Figure("contacts pushed a second, one worker", rates([r.ours for r in rounds])),
        *against("push by one worker", "the official batch client", one_pairs),
        Figure(
            "contacts pushed a second, two workers", rates([r.both for r in rounds])
        ),
        *against(
            "P8: push by two workers", "the official batch client", pairs, reach=1.0
        ),
        *against("push", "a bare requests loop", [(r.ours, r.plain) for r in rounds]),
    ]
