"""Every write of records that a person or a program asks for: lists in, changes out.

Each call is one transaction: all records are written, with their history and the one
signal, or none is. Nothing is enqueued here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from leads.facts import Origin
from leads.services import changes
from leads.services.drafts import Draft, refuse_wrong
from leads.services.errors import NoSuchRecord, Stale
from leads.services.fields import FIELDS, MODELS, AnyRecord
from leads.services.filling import Given, fill
from leads.services.rules import RULES


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

    return _in_transaction(workspace, write)


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

    return _in_transaction(workspace, write)


def _in_transaction(
    workspace: Workspace, write: Callable[[], list[AnyRecord]]
) -> list[AnyRecord]:
    """Write once more when another took a unique value between check and save.

    The second time the check finds the other record and names it.
    """
    with in_workspace(workspace):
        try:
            with transaction.atomic():
                return write()
        except IntegrityError:
            with transaction.atomic():
                return write()


def _locked(record_type: str, ids: Sequence[int]) -> dict[int, AnyRecord]:
    rows = MODELS[record_type].objects.filter(pk__in=ids).order_by("pk")
    found = {row.pk: row for row in rows.select_for_update()}
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
    _save(record_type, changed)
    further = RULES[record_type].follow(workspace, changed, origin)
    told = [draft.told(record_type, origin) for draft in changed]
    changes.publish(workspace, told + further)
    return [draft.record for draft, _ in given]


def _save(record_type: str, drafts: Sequence[Draft]) -> None:
    model = MODELS[record_type]
    model.objects.bulk_create([draft.record for draft in drafts if draft.is_new])
    known = [draft for draft in drafts if not draft.is_new]
    names = {name for draft in known for name in draft.changed}
    columns = {name for name in names if name in FIELDS[record_type]}
    if names - columns:
        columns.add("custom")
    for draft in known:
        draft.record.version += 1
        draft.record.updated_at = timezone.now()
    if known:
        records = [draft.record for draft in known]
        model.objects.bulk_update(records, [*columns, "version", "updated_at"])
