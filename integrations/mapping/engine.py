"""Compiles the rows of a mapping into closures, once per version; applies them.

PURE. A row that cannot give its value says why; the record is then held, never sent
with something else in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from integrations.errors import SyncError
from integrations.mapping.transforms import TRANSFORMS

# Writes one value the way the vendor wants it. Raises RecordRejected.
ToText = Callable[[object | None], str]


@dataclass(frozen=True, slots=True)
class Called:
    """What people call a row's fields and values, asked only when one is told.

    ours, theirs: the fields, "" for their names; our_value, their_value: what a value
    is read as; crm: whose the other field is.
    """

    ours: str = ""
    theirs: str = ""
    our_value: Callable[[object], str] = str
    their_value: Callable[[str], str] = str
    crm: str = "the CRM"


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
    # What an amount is in there; one in another currency cannot be said there.
    currency: str = ""
    called: Called = Called()

    @property
    def ours(self) -> str:
        """Return what people call our field."""
        return self.called.ours or self.source

    @property
    def theirs(self) -> str:
        """Return what people call the CRM's field."""
        return self.called.theirs or self.destination


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a record cannot be sent: which of its fields, and what is wrong with it.

    error_class: "held" where the mapping says nothing about the value, "currency" where
    an amount is in another than theirs, "rejected" where the value cannot be sent.
    """

    field: str
    message: str
    error_class: str = "rejected"


@dataclass(frozen=True, slots=True)
class Mapped:
    """fields: remote name -> text, "" clears, absent means unchanged.

    blank: what we have nothing to send for, not even a default.
    """

    fields: Mapping[str, str]
    problems: tuple[Problem, ...]
    blank: tuple[str, ...] = ()


# What the CRM would have, "" = blank, None = left out, or why it cannot be told.
_Step = Callable[[Mapping[str, object]], str | Problem | None]


# A default that moves with the calendar: this many days from today.
_DAYS_AHEAD = re.compile(r"^\+(\d{1,4})d$")


class _Column(NamedTuple):
    destination: str
    text_of: _Step
    default: Callable[[date], str | Problem]
    clears: bool


class Compiled:
    """The rows of one mapping, ready to be applied to many records."""

    def __init__(
        self,
        rows: Sequence[Row],
        to_text: Mapping[str, ToText],
        *,
        as_it_is: Mapping[str, int] | None = None,
    ) -> None:
        """Compile. as_it_is: remote field -> how long a text may be to go unchanged."""
        plain = as_it_is or {}
        self._columns = [
            _column(row, to_text[row.destination], plain.get(row.destination, 0))
            for row in rows
        ]

    def __call__(
        self, values: Mapping[str, object], *, creating: bool, today: date = date.min
    ) -> Mapped:
        """Map one record. values: field -> value; creating: defaults apply."""
        fields: dict[str, str] = {}
        problems: list[Problem] = []
        blank: list[str] = []
        for destination, text_of, default, clears in self._columns:
            text = text_of(values)
            if text == "":
                if creating:
                    text = default(today)
                if text == "":
                    blank.append(destination)
                    if creating or not clears:
                        continue
            if type(text) is str:
                fields[destination] = text
            elif isinstance(text, Problem):
                problems.append(text)
        return Mapped(fields, tuple(problems), tuple(blank))

    def texts(self, values: Mapping[str, object]) -> dict[str, str | Problem]:
        """Return remote name -> what it would be there, "" for blank; no defaults.

        A value that the mapping leaves out is absent.
        """
        told = {}
        for destination, text_of, *_ in self._columns:
            text = text_of(values)
            if text is not None:
                told[destination] = text
        return told


def _column(row: Row, to_text: ToText, as_it_is: int) -> _Column:
    return _Column(
        row.destination,
        _compile(row, to_text, as_it_is),
        _default_of(row, to_text),
        row.clear_blanks,
    )


def _default_of(row: Row, to_text: ToText) -> Callable[[date], str | Problem]:
    if ahead := _DAYS_AHEAD.match(row.default):
        days = timedelta(days=int(ahead[1]))
        return lambda today: _sendable(row.source, today + days, to_text)
    fixed = _sendable(row.source, row.default, to_text) if row.default else ""
    return lambda today: fixed


def _compile(row: Row, to_text: ToText, as_it_is: int) -> _Step:
    transform = TRANSFORMS[row.transform] if row.transform else None
    source, values_map, leaves_out = row.source, row.values, row.leave_out_unknown

    def plain(values: Mapping[str, object]) -> str | Problem | None:
        value = values.get(source)
        if value is None or value == "":
            return ""
        if type(value) is str and len(value) <= as_it_is:
            return value
        try:
            return to_text(value)
        except SyncError as error:
            return _problem(source, error)

    def step(values: Mapping[str, object]) -> str | Problem | None:
        value = values.get(source)
        if value is None or value == "":
            return ""
        if transform is not None:
            value = transform(value)
        if values_map or leaves_out:
            value = values_map.get(str(value))
            if value is None:
                return None if leaves_out else _no_value(row, values)
        if value == "":
            return ""
        if type(value) is str and len(value) <= as_it_is:
            return value
        return _sendable(source, value, to_text)

    found = step if transform or values_map or leaves_out else plain
    return _in_currency(row, found) if row.currency else found


def _in_currency(row: Row, step: _Step) -> _Step:
    """Return a step that holds an amount back which would change its currency."""

    def amount(values: Mapping[str, object]) -> str | Problem | None:
        text = step(values)
        ours = values.get("currency")
        if text and ours and ours != row.currency:
            return Problem(row.source, _other_currency(row, ours), "currency")
        return text

    return amount


def _other_currency(row: Row, ours: object) -> str:
    there = f"all amounts in {row.called.crm} are in {row.currency}"
    return f"It is in {ours} here, and {there}."


def _sendable(source: str, value: object, to_text: ToText) -> str | Problem:
    try:
        return to_text(value)
    except SyncError as error:
        return _problem(source, error)


def _problem(source: str, error: SyncError) -> Problem:
    return Problem(source, error.message or str(error))


def _no_value(row: Row, values: Mapping[str, object]) -> Problem:
    value = row.called.our_value(values.get(row.source))
    told = (
        f'{row.ours} is "{value}", and the mapping to {row.theirs} says nothing about '
        "that value."
    )
    return Problem(row.source, told, error_class="held")
