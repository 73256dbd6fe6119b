"""Compiles the rows of a mapping into closures, once per version; applies them.

PURE. A row that cannot give its value says why; the record is then held, never sent
with something else in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from integrations.errors import SyncError
from integrations.mapping.transforms import TRANSFORMS

# Writes one value the way the vendor wants it. Raises RecordRejected.
ToText = Callable[[object | None], str]


@dataclass(frozen=True, slots=True)
class Row:
    """One field mapping as plain values; see `integrations.models.FieldMapping`."""

    source: str
    destination: str
    transform: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    clear_blanks: bool = False
    # A value that `values` does not know is left out instead of holding the record.
    leave_out_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a record cannot be sent: which of its fields, and what is wrong with it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """fields: remote name -> text, "" clears, absent means unchanged."""

    fields: Mapping[str, str]
    problems: tuple[Problem, ...]


_Step = Callable[[Mapping[str, object], bool], str | Problem | None]


class Compiled:
    """The rows of one mapping, ready to be applied to many records."""

    def __init__(self, rows: Sequence[Row], to_text: Mapping[str, ToText]) -> None:
        self._steps = [
            (row.destination, _compile(row, to_text[row.destination])) for row in rows
        ]

    def __call__(self, values: Mapping[str, object], *, creating: bool) -> Mapped:
        """Map one record. values: field -> value; creating: defaults apply."""
        fields: dict[str, str] = {}
        problems = []
        for destination, step in self._steps:
            text = step(values, creating)
            if isinstance(text, Problem):
                problems.append(text)
            elif text is not None:
                fields[destination] = text
        return Mapped(fields, tuple(problems))


def _compile(row: Row, to_text: ToText) -> _Step:
    transform = TRANSFORMS[row.transform] if row.transform else None

    def step(values: Mapping[str, object], creating: bool) -> str | Problem | None:  # noqa: FBT001 - called once, below
        value = values.get(row.source)
        if value is not None and value != "":
            if transform is not None:
                value = transform(value)
            if row.values or row.leave_out_unknown:
                value = row.values.get(str(value))
                if value is None and row.leave_out_unknown:
                    return None
                if value is None:
                    return Problem(row.source, _no_value(row, values))
        elif creating and row.default:
            value = row.default
        if value is None or value == "":
            return "" if row.clear_blanks and not creating else None
        try:
            return to_text(value)
        except SyncError as error:
            return Problem(row.source, error.message or str(error))

    return step


def _no_value(row: Row, values: Mapping[str, object]) -> str:
    return (
        f"{row.source} is {values.get(row.source)!r}, and the mapping to "
        f"{row.destination} says nothing about that value."
    )
