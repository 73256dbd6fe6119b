"""Locks and stores the records behind drafts, within one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models.base import ModelState
from django.utils import timezone

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from leads.services import bulk
from leads.services.drafts import Draft
from leads.services.fields import MODELS, AnyRecord

T = TypeVar("T")


def in_transaction(workspace: Workspace, write: Callable[[], T]) -> T:
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


def locked(record_type: str, ids: Iterable[int]) -> dict[int, AnyRecord]:
    """Return id -> record of those there are; locked by id, so that none deadlock."""
    rows = MODELS[record_type].objects.filter(pk__in=list(ids)).order_by("pk")
    return {row.pk: row for row in rows.select_for_update()}


def blanks(record_type: str, workspace: Workspace) -> Callable[[], AnyRecord]:
    """Return what makes new records; a copy costs a tenth of what making one does."""
    model: Any = MODELS[record_type]
    first = model(workspace=workspace)
    own = {
        field.attname: field.get_default
        for field in bulk.columns(model).values()
        if field.has_default() and callable(field.default)
    }

    def make() -> AnyRecord:
        made: AnyRecord = model.__new__(model)
        made.__dict__.update(first.__dict__)
        made._state = ModelState()  # noqa: SLF001 - Django's own public name
        made._state.fields_cache["workspace"] = workspace  # noqa: SLF001
        for name, default in own.items():
            setattr(made, name, default())
        return made

    return make


def save(record_type: str, drafts: Sequence[Draft]) -> None:
    """Store new records, and what changed in known ones with a higher version."""
    model = MODELS[record_type]
    new = [draft.record for draft in drafts if draft.is_new]
    if new:
        bulk.insert(model, new)
    known = [draft for draft in drafts if not draft.is_new]
    if known:
        columns = _columns(known)
        now = timezone.now()
        for draft in known:
            draft.record.version += 1
            draft.record.updated_at = now
        records = [draft.record for draft in known]
        bulk.update(model, records, {*columns, "version", "updated_at"})


def _columns(drafts: Sequence[Draft]) -> set[str]:
    names = {name for draft in drafts for name in draft.changed}
    return {"custom" if name.startswith("custom.") else name for name in names}
