"""When fields were last changed, where the org keeps a history of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from integrations.connectors.paging import walk
from integrations.connectors.salesforce import answers, soql
from integrations.connectors.salesforce.answers import Json
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.reading import has_more
from integrations.connectors.salesforce.spec import (
    COLLECTION,
    HISTORIES,
    MAX_ADDRESS,
)
from integrations.connectors.salesforce.values import clean, is_id, long_id, moment
from integrations.errors import Misconfigured, PermissionMissing

_CUSTOM = "__c"
# What history calls a field, where that is not what everything else calls it.
_OTHER_NAMES = {"OwnerId": "Owner"}


def changed_at(
    calls: Calls, object_type: str, ids: Sequence[str], fields: Sequence[str]
) -> dict[str, Mapping[str, datetime]]:
    """Return id -> field -> when it was last changed; {} where no history is kept.

    Only what an admin has chosen is tracked, so most fields are absent.
    """
    known = _history_of(object_type)
    asked = [long_id(one) for one in dict.fromkeys(ids) if is_id(one)]
    if known is None or not asked or not fields:
        return {}
    table, parent = known
    found: dict[str, dict[str, datetime]] = {}
    names = {_OTHER_NAMES.get(one, one): one for one in fields}
    room = MAX_ADDRESS - soql.length(soql.any_of("Field", names)) - 500
    try:
        for run in soql.fitting(asked, room, COLLECTION):
            conditions = (soql.any_of(parent, run), soql.any_of("Field", names))
            for entry in _rows(calls, table, parent, conditions):
                _note(found, entry, parent, names)
    except (Misconfigured, PermissionMissing):
        return {}
    return {one: told for one, told in found.items() if one in asked}


def _history_of(object_type: str) -> tuple[str, str] | None:
    if object_type.endswith(_CUSTOM):
        return object_type.removesuffix(_CUSTOM) + "__History", "ParentId"
    return HISTORIES.get(object_type)


def _rows(
    calls: Calls, table: str, parent: str, conditions: tuple[str, ...]
) -> list[Json]:
    def page(cursor: str | None) -> tuple[list[Json], str | None]:
        text = soql.select(
            ("Id", parent, "Field", "CreatedDate"),
            table,
            *conditions,
            soql.after_id(cursor),
            order=("Id",),
        )
        body = calls.query(text, object_type=table)
        rows = answers.entries(body)
        last = clean(rows[-1].get("Id")) if rows else None
        return rows, last if has_more(body, len(rows)) else None

    return list(walk(page))


def _note(
    found: dict[str, dict[str, datetime]],
    entry: Json,
    parent: str,
    names: Mapping[str, str],
) -> None:
    one = long_id(clean(entry.get(parent)) or "")
    field = names.get(clean(entry.get("Field")) or "")
    at = moment(entry.get("CreatedDate"))
    if one and field and at:
        told = found.setdefault(one, {})
        told[field] = max(at, told.get(field, at))
