"""Puts given values into drafts: cleaned, and their ids looked up table by table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from crmsync.core.models import Membership, Workspace
from leads.models import Campaign, Company, CustomField, Deal, Lead, Pipeline, Stage
from leads.services import customvalues
from leads.services.drafts import Draft
from leads.services.fields import FIELDS, Field
from leads.services.values import Cleaner, Wrong

_TABLES: Mapping[str, type[Any]] = {
    "company": Company,
    "lead": Lead,
    "deal": Deal,
    "campaign": Campaign,
    "pipeline": Pipeline,
    "stage": Stage,
}
Given = Sequence[tuple[Draft, Mapping[str, object]]]


def fill(workspace: Workspace, record_type: str, given: Given) -> None:
    """Put the given values into the drafts; what does not fit becomes an error.

    Values: field -> value, absent = unchanged, None = clear; `custom` holds those of
    the workspace's own fields in the same way.
    """
    fields = FIELDS[record_type]
    cleaners = {n: (spec, spec.clean(workspace)) for n, spec in fields.items()}
    own = _own_fields(workspace, record_type, given)
    for draft, values in given:
        for name, value in values.items():
            if name == "custom":
                _fill_custom(draft, value, own)
            elif name in cleaners:
                _fill_one(draft, name, value, *cleaners[name])
            else:
                draft.wrong(name, f"A {record_type} has no such field to write.")
    _check_references(record_type, [draft for draft, _ in given])


def _fill_one(
    draft: Draft, name: str, value: object, spec: Field, clean: Cleaner
) -> None:
    try:
        cleaned = spec.blank if value is None else clean(value)
    except Wrong as error:
        draft.wrong(name, str(error))
        return
    if spec.required and cleaned == spec.blank:
        draft.wrong(name, "This must not be empty.")
    elif spec.fixed and not draft.is_new and cleaned != getattr(draft.record, name):
        draft.wrong(name, "This was set when it was made and stays.")
    else:
        draft.set(name, cleaned)


def _own_fields(
    workspace: Workspace, record_type: str, given: Given
) -> dict[str, Cleaner]:
    if not any("custom" in values for _, values in given):
        return {}
    rows = CustomField.objects.filter(record_type=record_type, archived=False)
    return {row.name: customvalues.cleaner(row, workspace) for row in rows}


def _fill_custom(draft: Draft, values: object, own: Mapping[str, Cleaner]) -> None:
    if values is None:
        return
    if not isinstance(values, Mapping):
        draft.wrong("custom", "This must be an object: field name to value.")
        return
    for name, value in values.items():
        if name not in own:
            draft.wrong(f"custom.{name}", "This workspace has no such field.")
            continue
        try:
            draft.set_custom(name, None if value is None else own[name](value))
        except Wrong as error:
            draft.wrong(f"custom.{name}", str(error))


def _check_references(record_type: str, drafts: Sequence[Draft]) -> None:
    """Refuse ids that are not the workspace's, in one query per table."""
    asked: dict[str, set[int]] = defaultdict(set)
    places = []
    tables = {n: f.refers_to for n, f in FIELDS[record_type].items() if f.refers_to}
    for draft in drafts:
        for name in tables.keys() & draft.changed.keys():
            value = draft.changed[name][1]
            if isinstance(value, int):
                asked[tables[name]].add(value)
                places.append((draft, name, tables[name], value))
    there = {table: _existing(table, ids) for table, ids in asked.items()}
    for draft, name, table, value in places:
        if value not in there[table]:
            draft.wrong(name, f"This workspace has no {table} {value}.")


def _existing(table: str, ids: Collection[int]) -> set[int]:
    if table == "member":
        members = Membership.objects.filter(user_id__in=ids, user__is_active=True)
        return set(members.values_list("user_id", flat=True))
    rows = _TABLES[table].objects.filter(pk__in=ids)
    return set(rows.values_list("pk", flat=True))
