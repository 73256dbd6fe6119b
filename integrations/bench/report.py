"""Prints figures beside what they must reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: what was measured, what came out, what it is held against."""

    name: str
    value: str
    reach: str = ""
    holds: bool | None = None


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| measure | measured | reach | |", "|---|---|---|---|"]
    marks = {True: "reached", False: "MISSED", None: ""}
    lines += [
        f"| {one.name} | {one.value} | {one.reach} | {marks[one.holds]} |"
        for one in figures
    ]
    return "\n".join(lines)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return `median (lowest to highest)`."""
    low, high = min(values), max(values)
    return f"{median(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
