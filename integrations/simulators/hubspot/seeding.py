"""Putting records into an account from outside the API, as a person or a test would.

What is seeded is visible to search at once and needs no scope. It is checked like any
write, except `silent` changes, which leave no trace at all.
"""

import copy
from typing import Any

from integrations.simulators.hubspot import errors, form_definitions, linking
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.hubspot.values import to_ms
from integrations.simulators.hubspot.world import World
from integrations.simulators.hubspot.writer import Writer
from integrations.simulators.seeding import each_new
from integrations.simulators.wire import Json

SOURCE = "CRM_UI"


def seed(world: World, portal: Portal, raw: Json) -> Json:
    """Create, change or archive records; return {object: [ids]}.

    raw: {"records": [{"object", "properties", and optionally: "id" (change that
    record), "count" (make many; {n} in values is the number), "key" (a name for
    associations), "createdAt", "updatedAt" (ISO or epoch ms), "archived": true,
    "silent": true, "system": true (read-only properties may be set)}],
    "associations": [{"from": [object, id or key], "to": [...], "typeId"?,
    "category"?}], "forms": [parts of a definition, and optionally "id" (change or name
    it), "count", "fields": [contact properties]]}. Campaigns go by their GUIDs.
    """
    settings = copy.copy(world.settings)
    settings.index_delay_s = settings.index_delay_max_s = 0.0
    writer = Writer(portal, settings, at=world.now_ms(), source=SOURCE)
    keys: dict[tuple[str, str], int] = {}
    made: dict[str, list[str]] = {}
    for item in raw.get("records") or []:
        table = _table(portal, item.get("object"))
        for record in _seed_one(writer, portal, table, item):
            made.setdefault(table.kind.name, []).append(table.identity(record))
            if item.get("key"):
                keys[table.kind.name, str(item["key"])] = record.id
    for item in raw.get("associations") or []:
        _associate(writer, portal, keys, item)
    for item in raw.get("forms") or []:
        made.setdefault("forms", []).extend(_seed_forms(portal, item, at=writer.at))
    world.announce(portal, writer.changes, SOURCE)
    return {"ids": made}


def _seed_forms(portal: Portal, item: Json, *, at: int) -> list[str]:
    kept = portal.documents("forms").get(str(item.get("id", "")).lower(), {})
    parts = {k: v for k, v in item.items() if k not in ("fields", "count")}
    if item.get("fields"):
        parts["fieldGroups"] = form_definitions.groups_of(item["fields"])
    problem = form_definitions.problem_of(parts.get("fieldGroups", []))
    if problem or parts.get("formType", "hubspot") not in form_definitions.TYPES:
        raise errors.bad_request(problem or f"no such form type: {parts['formType']}")
    made = [
        form_definitions.form_of(kept | {"updatedAt": None} | given, at=at)
        for given in each_new(parts, item)
    ]
    for form in made:
        portal.do(["doc", "forms", form["id"], form])
    return [form["id"] for form in made]


def _table(portal: Portal, name: Any) -> RecordTable:
    table = portal.table(str(name))
    if table is None:
        raise errors.bad_request(f"no such object: {name}")
    return table


def _seed_one(
    writer: Writer, portal: Portal, table: RecordTable, item: Json
) -> list[Record]:
    if item.get("id"):
        record = table.find(str(item["id"]))
        if record is None:
            raise errors.not_found(f"no {table.kind.name} {item['id']}")
        return [_change(writer, portal, table, record, item)]
    return [
        _create(writer, portal, table, item, given)
        for given in each_new(item.get("properties") or {}, item)
    ]


def _create(
    writer: Writer, portal: Portal, table: RecordTable, item: Json, given: Json
) -> Record:
    raw: Json = {"properties": given}
    if item.get("associations"):
        raw["associations"] = item["associations"]
    if item.get("system"):
        record = _create_unchecked(writer, portal, table, given)
    else:
        record = writer.apply(writer.plan_create(table, raw))
    _stamp(portal, table, record, item)
    return record


def _create_unchecked(
    writer: Writer, portal: Portal, table: RecordTable, given: Json
) -> Record:
    values = table.kind.identified(given)
    args = (table.kind.name, table.next_id, writer.at, values, SOURCE, "")
    record: Record = portal.do(["new", *args])
    return record


def _change(
    writer: Writer, portal: Portal, table: RecordTable, record: Record, item: Json
) -> Record:
    given = {k: v or None for k, v in (item.get("properties") or {}).items()}
    name = table.kind.name
    if item.get("archived") is True and not record.archived_at:
        writer.archive(table, record)
    elif item.get("archived") is False and record.archived_at:
        writer.restore(table, record)
    if item.get("silent"):
        portal.do(["mutate", name, record.id, writer.at, given])
    elif item.get("system"):
        portal.do(["set", name, record.id, writer.at, given, SOURCE, ""])
    elif given:
        writer.apply(writer.plan_update(table, record, {"properties": given}))
    _stamp(portal, table, record, item)
    return record


def _stamp(portal: Portal, table: RecordTable, record: Record, item: Json) -> None:
    if not item.get("createdAt") and not item.get("updatedAt"):
        return
    created = to_ms(str(item.get("createdAt") or record.created))
    updated = to_ms(str(item.get("updatedAt") or record.updated))
    portal.do(["stamp", table.kind.name, record.id, created, updated])


def _associate(
    writer: Writer, portal: Portal, keys: dict[tuple[str, str], int], item: Json
) -> None:
    source, near = _end(portal, keys, item.get("from"))
    target, far = _end(portal, keys, item.get("to"))
    if item.get("typeId"):
        category = item.get("category") or "HUBSPOT_DEFINED"
        spec = {"associationCategory": category, "associationTypeId": item["typeId"]}
        types = linking.spec_types(portal, source, [spec], target)
    else:
        types = []
    writer.join((source, near), (target, far), types)


def _end(portal: Portal, keys: dict[tuple[str, str], int], raw: Any) -> tuple[str, int]:
    if not isinstance(raw, list) or len(raw) != 2:
        raise errors.bad_request("an association end is [object, id or key]")
    table = _table(portal, raw[0])
    known = keys.get((table.kind.name, str(raw[1])))
    if known is not None:
        return table.kind.name, known
    record = table.live(str(raw[1]))
    if record is None:
        raise errors.not_found(f"no {table.kind.name} {raw[1]}")
    return table.kind.name, record.id
