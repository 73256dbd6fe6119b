"""Every write of records that a person or a program asks for: lists in, changes out.

Each call is one transaction: all records are written, with their history and the one
signal, or none is. Nothing is enqueued here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crmsync.core.models import Workspace
from leads.facts import Origin
from leads.services import changes, saving
from leads.services.drafts import Draft, refuse_wrong
from leads.services.errors import NoSuchRecord, Stale
from leads.services.fields import MODELS, AnyRecord
from leads.services.filling import Given, fill
from leads.services.rules import RULES
from leads.services.saving import in_transaction


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one record. values: field -> value, absent = unchanged, None = clear.

    version: the one the caller saw; None writes over whatever is there.
    """

    record_id: int
    values: Mapping[str, object]
    version: int | None = None


def create(
    workspace: Workspace,
    record_type: str,
    rows: Sequence[Mapping[str, object]],
    *,
    origin: Origin,
) -> list[AnyRecord]:
    """Store new records, in the order given.

    Raises InvalidFields, naming by row what must be corrected.
    """

    def write() -> list[AnyRecord]:
        given = [
            (Draft(MODELS[record_type](workspace=workspace), is_new=True), values)
            for values in rows
        ]
        return _write(workspace, record_type, given, origin)

    return in_transaction(workspace, write)


def update(
    workspace: Workspace, record_type: str, edits: Sequence[Edit], *, origin: Origin
) -> list[AnyRecord]:
    """Change records; what comes out equal to what is there changes nothing.

    Raises InvalidFields, Stale for an outdated version, NoSuchRecord for a foreign id.
    """

    def write() -> list[AnyRecord]:
        found = _locked(record_type, [edit.record_id for edit in edits])
        for edit in edits:
            _refuse_stale(found[edit.record_id], edit)
        drafts = {pk: Draft(record, is_new=False) for pk, record in found.items()}
        given = [(drafts[edit.record_id], edit.values) for edit in edits]
        return _write(workspace, record_type, given, origin)

    return in_transaction(workspace, write)


def _locked(record_type: str, ids: Sequence[int]) -> dict[int, AnyRecord]:
    found = saving.locked(record_type, ids)
    if missing := sorted(set(ids) - set(found)):
        raise NoSuchRecord(record_type, missing)
    return found


def _refuse_stale(record: AnyRecord, edit: Edit) -> None:
    if edit.version is not None and edit.version != record.version:
        raise Stale(edit.record_id, given=edit.version, current=record.version)


def _write(
    workspace: Workspace, record_type: str, given: Given, origin: Origin
) -> list[AnyRecord]:
    drafts = list({id(draft): draft for draft, _ in given}.values())
    fill(workspace, record_type, given)
    RULES[record_type].check(drafts)
    refuse_wrong(drafts)
    changed = [draft for draft in drafts if draft.is_new or draft.changed]
    saving.save(record_type, changed)
    further = RULES[record_type].follow(workspace, changed, origin)
    told = [draft.told(record_type, origin) for draft in changed]
    changes.publish(workspace, told + further)
    return [draft.record for draft, _ in given]
