"""A record while it is being written: what changed in it, what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from leads.facts import Origin, RecordChange
from leads.services import changes
from leads.services.errors import InvalidFields, RowErrors
from leads.services.fields import FIELDS, AnyRecord


@dataclass(slots=True)
class Draft:
    """One record in the making. changed: field -> (old, new), each as stored.

    clashes: field -> a value that is another's already; dropped: field -> why it was
    left out; lost: it can be stored in no form; held: keys the record may take that
    are in the table already -> their row; said_at: see `RecordChange`.
    """

    record: AnyRecord
    is_new: bool
    changed: dict[str, tuple[object, object]] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    clashes: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, list[str]] = field(default_factory=dict)
    lost: bool = False
    held: dict[tuple[str, str], int] = field(default_factory=dict)
    said_at: datetime | None = None

    def set(self, name: str, value: object) -> None:
        """Change a field, remembering what it was before."""
        self._note(name, getattr(self.record, name), value)
        setattr(self.record, name, value)

    def set_custom(self, name: str, value: object) -> None:
        """Change one of the workspace's own fields; None takes the value away."""
        custom = self.record.custom
        self._note(f"custom.{name}", custom.get(name), value)
        if value is None:
            custom.pop(name, None)
        else:
            custom[name] = value

    def _note(self, name: str, old: object, new: object) -> None:
        before = self.changed.get(name, (old, None))[0]
        if before == new:
            self.changed.pop(name, None)
        else:
            self.changed[name] = (before, new)

    def wrong(self, name: str, message: str) -> None:
        """Say what is wrong with a field."""
        self.errors.setdefault(name, []).append(message)

    def clash(self, name: str, value: str, message: str) -> None:
        """Say that another record has this value already."""
        self.clashes[name] = value
        self.wrong(name, message)

    def drop(self, name: str, messages: Sequence[str]) -> None:
        """Leave a field as it was, remembering why."""
        self.dropped.setdefault(name, []).extend(messages)
        if name not in self.changed:
            return
        before = self.changed[name][0]
        own = name.removeprefix("custom.")
        if own != name:
            self.set_custom(own, before)
        else:
            self.set(name, before)

    def told(self, record_type: str, origin: Origin) -> RecordChange:
        """Return the draft's change, once the record is saved."""
        if not self.is_new:
            return changes.updated(
                record_type,
                self.record.pk,
                self.changed,
                origin,
                said_at=self.said_at,
            )
        told = changes.created(record_type, self.record, FIELDS[record_type], origin)
        custom = {f"custom.{n}": (None, v) for n, v in self.record.custom.items()}
        fields = {**told.fields, **custom}
        return RecordChange(
            record_type, self.record.pk, "created", fields, origin, self.said_at
        )


def refuse_wrong(drafts: Sequence[Draft]) -> None:
    """Raise InvalidFields when anything is wrong with any of the drafts."""
    rows = [
        RowErrors(row, {name: tuple(told) for name, told in draft.errors.items()})
        for row, draft in enumerate(drafts)
        if draft.errors
    ]
    if rows:
        raise InvalidFields(rows)
