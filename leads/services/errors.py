"""Why records were not written, as values that the API and forms both render."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowErrors:
    """What is wrong with one of the records given. fields: name -> messages."""

    row: int
    fields: Mapping[str, tuple[str, ...]]


class InvalidFields(Exception):
    """Nothing was written; `rows` says what to correct in which record."""

    def __init__(self, rows: Sequence[RowErrors]) -> None:
        self.rows = tuple(rows)
        super().__init__("; ".join(_told(row) for row in self.rows))

    @classmethod
    def of(cls, **fields: str) -> InvalidFields:
        """Return the error of a single record. fields: name -> message."""
        told = {name: (message,) for name, message in fields.items()}
        return cls([RowErrors(0, told)])

    @property
    def fields(self) -> Mapping[str, tuple[str, ...]]:
        """Return the messages of the first record that has any."""
        return self.rows[0].fields


def _told(row: RowErrors) -> str:
    return "; ".join(f"{name}: {' '.join(told)}" for name, told in row.fields.items())


class Stale(Exception):
    """Someone changed the record since the caller read it; nothing was written."""

    def __init__(self, record_id: int, *, given: int, current: int) -> None:
        self.record_id, self.given, self.current = record_id, given, current
        super().__init__(
            f"This was changed meanwhile: you have version {given}, "
            f"it is at version {current}. Load it again."
        )


class NoSuchRecord(Exception):
    """The workspace has no record with these ids."""

    def __init__(self, record_type: str, ids: Sequence[int]) -> None:
        self.record_type, self.ids = record_type, tuple(ids)
        told = ", ".join(str(one) for one in ids)
        super().__init__(f"No {record_type} with id {told}.")
