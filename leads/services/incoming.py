"""The way in for records of other systems: many at a time, each judged by itself.

What does not fit is left out and told, and never spoils its row or the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crmsync.core.models import Workspace
from leads.facts import Origin
from leads.matching import FREE_MAIL
from leads.services import changes, saving, translation
from leads.services.drafts import Draft
from leads.services.fields import AnyRecord
from leads.services.filling import fill
from leads.services.finding import KNOWN_BY, Found, KnownAs, Row, find, known_as
from leads.services.rules import RULES
from leads.services.saving import in_transaction
from leads.services.sifting import leave_out, sift

__all__ = [
    "KNOWN_BY",
    "Found",
    "Incoming",
    "KnownAs",
    "Row",
    "Taken",
    "find",
    "foresee",
    "known_as",
    "put_back",
    "take",
]

_GONE = "It is no longer here."


@dataclass(frozen=True, slots=True)
class Incoming:
    """One record as another system has it, in our words.

    record_id: None for a new one; values: snapshot field -> value, absent = unchanged,
    None = clear; expected: snapshot field -> the value the decision was made on;
    parents: company, lead or deal -> our id, None = to none any more; kind: of a new
    activity; said_at: when the other system says it was changed, on our clock;
    currency: of an amount whose currency the other system does not say.
    """

    ref: str
    record_id: int | None
    values: Mapping[str, object]
    expected: Mapping[str, object] | None = None
    parents: Mapping[str, int | None] = field(default_factory=dict)
    kind: str = ""
    said_at: datetime | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one record; record_id is None where it could not be made.

    changed: field -> (old, new), as history keeps them, empty for a new record;
    errors: snapshot field -> why it was left out; the rest is written; stale: what was
    decided on is different now, or a new record's key is another's: nothing written.
    """

    ref: str
    record_id: int | None
    created: bool
    changed: Mapping[str, tuple[object, object]]
    errors: Mapping[str, str]
    stale: bool = False


@dataclass(slots=True)
class _Entry:
    """One row on its way. values: service field -> value; names: back to theirs."""

    row: Incoming
    draft: Draft | None
    values: dict[str, object] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    stale: bool = False


def take(
    workspace: Workspace,
    record_type: str,
    rows: Sequence[Incoming],
    *,
    origin: Origin,
) -> list[Taken]:
    """Store what came in, in one transaction; one result each, in order."""

    def write() -> list[Taken]:
        entries = _checked(workspace, record_type, rows)
        _store(workspace, record_type, entries, origin)
        return [_taken(entry) for entry in entries]

    return in_transaction(workspace, write) if rows else []


def foresee(
    workspace: Workspace, record_type: str, rows: Sequence[Incoming]
) -> list[Taken]:
    """Return what `take` would do, but for the ids of new records; nothing is stored.

    Of several new records with the same key the first is made and the others are stale.
    """

    def check() -> list[Taken]:
        return [_taken(one) for one in _checked(workspace, record_type, rows)]

    return in_transaction(workspace, check) if rows else []


def _checked(
    workspace: Workspace, record_type: str, rows: Sequence[Incoming]
) -> list[_Entry]:
    """Return drafts of the rows without what does not fit."""
    entries = _entries(workspace, record_type, rows)
    live = [(e.draft, e.values) for e in entries if e.draft and not e.stale]
    fill(workspace, record_type, live)
    drafts = list({id(draft): draft for draft, _ in live}.values())
    leave_out(drafts)
    sift(record_type, drafts)
    _mark_outdated(entries)
    return entries


def put_back(
    workspace: Workspace,
    record_type: str,
    record_id: int,
    fields: Mapping[str, tuple[object, object]],
    *,
    origin: Origin,
) -> int:
    """Give fields their old values where they still have the new ones; count them.

    fields: name -> (old, new), as `Taken.changed` told them.
    """

    def write() -> int:
        record = saving.locked(record_type, [record_id]).get(record_id)
        if record is None:
            return 0
        draft = Draft(record, is_new=False)
        values = _still(record, fields)
        fill(workspace, record_type, [(draft, values)])
        leave_out([draft])
        sift(record_type, [draft])
        count = len(set(fields) & set(draft.changed))
        _write(workspace, record_type, [draft], origin)
        return count

    return in_transaction(workspace, write)


def _still(
    record: AnyRecord, fields: Mapping[str, tuple[object, object]]
) -> dict[str, object]:
    values: dict[str, object] = {}
    custom: dict[str, object] = {}
    for name, (old, new) in fields.items():
        own = name.removeprefix("custom.")
        now = record.custom.get(own) if own != name else getattr(record, name, None)
        if changes.as_json(now) == new:
            (custom if own != name else values)[own] = old
    return {**values, "custom": custom} if custom else values


def _entries(
    workspace: Workspace, record_type: str, rows: Sequence[Incoming]
) -> list[_Entry]:
    """Lock what is known, and translate what came in."""
    ids = {row.record_id for row in rows if row.record_id is not None}
    records = saving.locked(record_type, ids) if ids else {}
    known = {pk: Draft(record, is_new=False) for pk, record in records.items()}
    blank = saving.blanks(record_type, workspace)
    words = translation.Words(record_type, rows)
    emails = words.current_owners(records.values())
    entries = []
    for row in rows:
        if row.record_id is None:
            draft = Draft(blank(), is_new=True)
        elif row.record_id in known:
            draft = known[row.record_id]
        else:
            entries.append(_Entry(row, None, errors={"": _GONE}))
            continue
        entry = _Entry(row, draft)
        entry.stale = bool(row.expected) and words.differs(row, draft.record, emails)
        if not entry.stale:
            words.translate(row, draft, entry.values, entry.names, entry.errors)
            _say_currency(row, draft, entry.values)
            draft.said_at = row.said_at
        entries.append(entry)
    return entries


def _say_currency(row: Incoming, draft: Draft, values: dict[str, object]) -> None:
    """Give an amount its currency, where nobody says another."""
    if not row.currency or values.get("amount") is None:
        return
    known = values.get("currency", getattr(draft.record, "currency", None))
    if known in (None, ""):
        values["currency"] = row.currency


def _mark_outdated(entries: Sequence[_Entry]) -> None:
    """A new record whose key is another's by now must be looked for again.

    A free-mail domain is nobody's: it is no way to find a company, only left out.
    """
    for entry in entries:
        draft = entry.draft
        if draft and draft.is_new and set(draft.clashes.values()) - FREE_MAIL:
            entry.stale = True


def _store(
    workspace: Workspace,
    record_type: str,
    entries: Sequence[_Entry],
    origin: Origin,
) -> None:
    drafts = {id(e.draft): e.draft for e in entries if e.draft and not e.stale}
    kept = [one for one in drafts.values() if not one.lost]
    _write(workspace, record_type, kept, origin)


def _write(
    workspace: Workspace, record_type: str, drafts: Sequence[Draft], origin: Origin
) -> None:
    changed = [draft for draft in drafts if draft.is_new or draft.changed]
    if not changed:
        return
    saving.save(record_type, changed)
    further = RULES[record_type].follow(workspace, changed, origin)
    told = [draft.told(record_type, origin) for draft in changed]
    changes.publish(workspace, told + further)


def _taken(entry: _Entry) -> Taken:
    row, draft = entry.row, entry.draft
    if draft is None:
        return Taken(row.ref, None, created=False, changed={}, errors=entry.errors)
    if entry.stale:
        return Taken(
            row.ref, row.record_id, created=False, changed={}, errors={}, stale=True
        )
    errors = entry.errors
    for name, messages in draft.dropped.items():
        errors[entry.names.get(name, name)] = " ".join(messages)
    if draft.is_new:
        pk = None if draft.lost else draft.record.pk
        return Taken(row.ref, pk, created=not draft.lost, changed={}, errors=errors)
    told = {n: changes.as_pair(pair) for n, pair in draft.changed.items()}
    return Taken(row.ref, row.record_id, created=False, changed=told, errors=errors)
