"""How fast one worker takes a CRM in, whole and by what changed, and what it needs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil
from statistics import median

from integrations.bench import rig
from integrations.bench.costs import against, at_most, rates
from integrations.bench.report import Figure
from integrations.bench.rig import LiveSystem
from integrations.bench.spent import Spent, in_process

SEARCH_PAGE = 200
# What no search gets past: an older way of paging would lose the rest.
BEYOND = 10_500
MIB = 150
LIMIT_S = 11
EVERYTHING = (
    "TRUNCATE leads_lead, leads_change, integrations_link, integrations_syncentry,"
    " integrations_run, integrations_cursor, core_workitem CASCADE"
)


@dataclass(slots=True)
class Round:
    """Each side once, one after the other."""

    ours: Spent
    plain: Spent
    official: Spent | None


def run(*, rounds: int, sizes: Sequence[int]) -> list[Figure]:
    """Measure P9 to P11. sizes: contacts in the CRM, the smallest first."""
    figures: list[Figure] = []
    by_size: dict[int, list[Spent]] = {}
    for size in sizes:
        with _crm_with(size) as live:
            # A large account takes long enough to be its own median.
            turns = rounds if size == sizes[0] else 1
            taken = [_full(live, size) for _ in range(turns)]
            by_size[size] = [one.ours for one in taken]
            figures += _full_figures(taken, size)
            in_process(live, "working", "poll")
            figures += [_poll(live, size // 100, "One in a hundred")]
            if size >= BEYOND:
                figures += [_poll(live, BEYOND, "Many")]
    return figures + _growth_figures(by_size)


@contextlib.contextmanager
def _crm_with(size: int) -> Iterator[LiveSystem]:
    """Start a CRM with so many contacts, and a workspace that has none of them."""
    with rig.system("broker", "simulator") as live:
        url = live.simulator_url
        # The limit that it names: more calls than any worker makes.
        settings = {"limits": False, "private_limit": 10**6, "index_delay_s": 0}
        rig.steer(url, "/__sim/config", settings)
        live.manage("connect", "hubspot", "--workspace", "live")
        in_process(live, "stock", "map", "both")
        in_process(live, "edits", "make", url, 1, size)
        yield live


def _full(live: LiveSystem, size: int) -> Round:
    url = live.simulator_url
    live.sql(EVERYTHING)
    plain = in_process(live, "clients", "plain-pull", url)
    official = None
    if find_spec("hubspot"):
        official = in_process(live, "clients", "official-pull", url)
    # A worker keeps to HubSpot's own limit until it has been told another.
    time.sleep(LIMIT_S)
    ours = in_process(live, "working", "compare")
    if not ours.records == plain.records == live.count("leads_lead") == size:
        raise RuntimeError(f"{ours.records} of {size} contacts came in")
    return Round(ours, plain, official)


def _poll(live: LiveSystem, count: int, title: str) -> Figure:
    """Let so many contacts be edited there, then poll."""
    in_process(live, "edits", "change", live.simulator_url, count, title)
    before = rig.crm_calls(live.simulator_url)
    in_process(live, "working", "poll")
    calls = rig.crm_calls(live.simulator_url) - before
    least = max(ceil(count / SEARCH_PAGE), 1)
    arrived = live.count("leads_lead", "job_title = %s", title)
    return Figure(
        f"P10: poll after {count:,} edits: calls / least possible; edits that came in",
        f"{calls / least:.2f} ({calls} / {least}); {arrived:,}",
        "<= 2; all",
        calls <= 2 * least and arrived == count,
    )


def _full_figures(rounds: Sequence[Round], size: int) -> list[Figure]:
    pairs = [(one.ours, one.official) for one in rounds if one.official]
    plain = [(one.ours, one.plain) for one in rounds]
    what = f"full comparison of {size:,}"
    return [
        Figure(f"{what}, one worker", rates([one.ours for one in rounds])),
        *against(f"P9: {what}", "the official client's pages", pairs, reach=1.0),
        *against(what, "pages with one INSERT each", plain),
    ]


def _growth_figures(by_size: Mapping[int, Sequence[Spent]]) -> list[Figure]:
    """Compare the largest account with the smallest."""
    small, large = min(by_size), max(by_size)
    peak = max(one.peak_mib for one in by_size[large])
    told = Figure(
        f"P11: memory of the worker with {large:,}",
        f"{peak:.0f} MiB",
        f"<= {MIB} MiB",
        peak <= MIB,
    )
    if small == large:
        return [told]
    names = f"{large:,} / {small:,}"
    few, many = by_size[small], by_size[large]
    memory = [peak / median(one.peak_mib for one in few)]
    cost = [median(o.cpu_ms for o in many) / median(o.cpu_ms for o in few)]
    time = [median(o.rate for o in few) / median(o.rate for o in many)]
    return [
        told,
        at_most(f"P11: memory, {names}", memory, 1.10),
        at_most(f"P11: CPU per record, {names}", cost, 1.15),
        at_most(f"P11: time per record, {names}", time, 1.15),
    ]
