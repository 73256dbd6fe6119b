"""The way back: what a value of the CRM is here, by the rows of a mapping.

PURE. A value without a way back is told as a problem and never guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from integrations.mapping.engine import Problem, Row

# Reads one value as Python; None for a blank.
FromText = Callable[[str], object | None]


@dataclass(frozen=True, slots=True)
class Collision:
    """Values of ours that would become one value there, so that none can come back."""

    theirs: str
    ours: tuple[str, ...]


def collisions(values: Mapping[str, str]) -> list[Collision]:
    """Return where a value map cannot be read backwards.

    >>> collisions({"new": "open", "contacted": "open", "lost": "closed"})
    [Collision(theirs='open', ours=('contacted', 'new'))]
    """
    times = Counter(values.values())
    return [
        Collision(theirs, tuple(sorted(o for o, t in values.items() if t == theirs)))
        for theirs, count in sorted(times.items())
        if count > 1
    ]


class Inverse:
    """Reads remote values back into ours, for the rows that can be pulled."""

    def __init__(self, rows: Sequence[Row], from_text: Mapping[str, FromText]) -> None:
        self._readers = {
            row.destination: (row.source, _reader(row, from_text)) for row in rows
        }

    def __call__(
        self, fields: Mapping[str, str]
    ) -> tuple[dict[str, object], dict[str, Problem]]:
        """Return (our field -> value, their field -> problem). None clears."""
        values: dict[str, object] = {}
        problems: dict[str, Problem] = {}
        for name, text in fields.items():
            source, read = self._readers[name]
            value = read(text) if text else None
            if isinstance(value, Problem):
                problems[name] = value
            else:
                values[source] = value
        return values, problems


def _reader(
    row: Row, from_text: Mapping[str, FromText]
) -> Callable[[str], object | Problem | None]:
    back = {theirs: ours for ours, theirs in row.values.items()}
    if not back and not row.leave_out_unknown:
        return from_text[row.destination]

    def read(text: str) -> object | Problem | None:
        ours = back.get(text)
        if ours is None:
            return Problem(
                row.source,
                f'{row.theirs} is "{row.called.their_value(text)}" in '
                f"{row.called.crm}, and the mapping to {row.ours} says nothing about "
                "that value.",
            )
        return int(ours) if row.source.endswith("_id") and ours.isdigit() else ours

    return read
