"""Says what work cost beside other work, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from integrations.bench.report import Figure, spread
from integrations.bench.spent import Spent


def rates(spent: Sequence[Spent]) -> str:
    """Return a rate and what it costs."""
    told = spread([one.rate for one in spent], 0)
    return f"{told}; {spread([one.cpu_ms for one in spent])} ms CPU each"


def against(
    what: str,
    other: str,
    pairs: Sequence[tuple[Spent, Spent]],
    *,
    reach: float | None = None,
) -> list[Figure]:
    """Return how fast one is beside another, and how much more CPU it takes."""
    name = f"{what}: ours / {other}"
    if not pairs:
        return [Figure(name, "skipped: it is not installed")]
    ratios = [ours.rate / theirs.rate for ours, theirs in pairs]
    cpu = [ours.cpu_ms / theirs.cpu_ms for ours, theirs in pairs]
    held = None if reach is None else median(ratios) >= reach
    wanted = "" if reach is None else f">= {reach:g}"
    return [
        Figure(f"{name}, records a second", spread(ratios), wanted, held),
        Figure(f"{name}, CPU of the process", spread(cpu)),
        Figure(f"{other}, same run", rates([theirs for _, theirs in pairs])),
    ]


def at_most(name: str, values: Sequence[float], reach: float) -> Figure:
    """Return a figure that must not be more than this."""
    return Figure(name, spread(values, 3), f"<= {reach:g}", median(values) <= reach)
