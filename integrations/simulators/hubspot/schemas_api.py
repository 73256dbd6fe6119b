"""Custom object schemas."""

import re
from dataclasses import asdict
from typing import Any

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.association_types import USER, AssociationType
from integrations.simulators.hubspot.call import Call, Route, names_in
from integrations.simulators.hubspot.definitions import ObjectType
from integrations.simulators.hubspot.labels_api import next_user_type
from integrations.simulators.hubspot.properties_api import new_property, shown
from integrations.simulators.hubspot.records import RecordTable
from integrations.simulators.hubspot.scopes import fixed
from integrations.simulators.hubspot.values import iso
from integrations.simulators.wire import Json, Reply, json_reply

FIRST_TYPE = 30_000_001
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
ACTIVITIES = ("notes", "tasks", "calls", "emails", "meetings")


def list_schemas(call: Call) -> Reply:
    """GET every custom object."""
    tables = [table for table in call.portal.tables.values() if table.kind.custom]
    return json_reply({"results": [_shown(call, table) for table in tables]})


def read_schema(call: Call) -> Reply:
    """GET one, standard objects too."""
    return json_reply(_shown(call, _table(call)))


def create_schema(call: Call) -> Reply:
    """POST {name, labels, properties[], requiredProperties[], ...}: 201."""
    body = call.body()
    name = str(body.get("name") or "")
    if not _NAME.fullmatch(name):
        raise errors.bad_request(f'"{name}" is not a valid object name')
    if call.portal.table(name) is not None:
        message = f"Object definition with name {name} already exists"
        raise errors.standard(409, "OBJECT_ALREADY_EXISTS", message)
    raws = body.get("properties")
    if not isinstance(raws, list) or not all(isinstance(raw, dict) for raw in raws):
        raise errors.bad_request("Invalid input JSON: properties is a list")
    partners = [_partner(call, raw) for raw in names_in(body, "associatedObjects")]
    names = {str(raw.get("name")) for raw in raws}
    kind = _kind(call, name, body, names)
    table: RecordTable = call.portal.do(["type", asdict(kind)])
    try:
        for raw in raws:
            group = f"{name}_information"
            new_property(call, table, {"groupName": group} | raw)
    except errors.ApiError:
        call.portal.do(["untype", name])
        raise
    now = iso(call.world.now_ms())
    call.portal.do(["doc", "schemas", name, _details(body) | {"createdAt": now}])
    for partner in dict.fromkeys([*partners, *ACTIVITIES]):
        _define_association(call, name, partner, f"{name}_to_{partner}")
    return json_reply(_shown(call, table), 201)


def _kind(call: Call, name: str, body: Json, names: set[str]) -> ObjectType:
    labels = body.get("labels") if isinstance(body.get("labels"), dict) else {}
    required = tuple(names_in(body, "requiredProperties"))
    searchable = tuple(names_in(body, "searchableProperties"))
    primary = str(body.get("primaryDisplayProperty") or "")
    unknown = {*required, *searchable, *([primary] if primary else [])} - names
    if unknown:
        listed = ", ".join(sorted(unknown))
        raise errors.bad_request(f"These are not properties of the schema: {listed}")
    numbers = [FIRST_TYPE - 1]
    for table in call.portal.tables.values():
        if table.kind.custom:
            numbers.append(int(table.kind.type_id.partition("-")[2]))
    shown_names = (*((primary,) if primary else ()), *required)
    return ObjectType(
        type_id=f"2-{max(numbers) + 1}",
        name=name,
        singular=str((labels or {}).get("singular") or name),
        plural=str((labels or {}).get("plural") or name),
        label=name.upper(),
        scope="custom",
        created="hs_createdate",
        modified="hs_lastmodifieddate",
        defaults=tuple(dict.fromkeys([*_DEFAULTS, *shown_names])),
        searchable=searchable,
        required=required,
        custom=True,
    )


_DEFAULTS = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")


def _details(body: Json) -> Json:
    names = ("description", "primaryDisplayProperty", "secondaryDisplayProperties")
    return {name: body[name] for name in names if body.get(name)}


def update_schema(call: Call) -> Reply:
    """PATCH labels, display, required and searchable properties; never the name."""
    table, body = _table(call), call.body()
    _check_custom(table)
    definition = asdict(table.kind)
    labels = body.get("labels")
    labels = labels if isinstance(labels, dict) else {}
    definition |= {k: labels[k] for k in ("singular", "plural") if labels.get(k)}
    if "requiredProperties" in body:
        definition["required"] = names_in(body, "requiredProperties")
    if "searchableProperties" in body:
        definition["searchable"] = names_in(body, "searchableProperties")
    call.portal.do(["type", definition])
    known = call.portal.documents("schemas").get(table.kind.name, {})
    call.portal.do(["doc", "schemas", table.kind.name, known | _details(body)])
    shown_schema = _shown(call, table)
    del shown_schema["properties"], shown_schema["associations"]
    return json_reply(shown_schema)


def delete_schema(call: Call) -> Reply:
    """DELETE: 204; refused while records exist."""
    table = _table(call)
    _check_custom(table)
    if any(not record.archived_at for record in table.records.values()):
        raise errors.bad_request("The object still has records")
    name = table.kind.name
    for kind in list(call.portal.types.values()):
        if name in (kind.source, kind.target):
            call.portal.do(["unlabel", *kind.key])
    call.portal.do(["untype", name])
    call.portal.do(["doc", "schemas", name, None])
    return Reply(204)


def create_association(call: Call) -> Reply:
    """POST {fromObjectTypeId, toObjectTypeId, name}: 201."""
    table, body = _table(call), call.body()
    partner = _partner(call, body.get("toObjectTypeId"))
    name = str(body.get("name") or f"{table.kind.name}_to_{partner}")
    if call.portal.plain_type(table.kind.name, partner):
        raise errors.conflict("These objects can be associated already")
    kind = _define_association(call, table.kind.name, partner, name)
    return json_reply(_association(call, kind), 201)


def delete_association(call: Call) -> Reply:
    """DELETE /{associationIdentifier}: 204."""
    table = _table(call)
    for kind in list(call.portal.types.values()):
        mine = table.kind.name in (kind.source, kind.target)
        if mine and str(kind.id) == call.args[1] and kind.category == USER:
            call.portal.do(["unlabel", *kind.key])
    return Reply(204)


def _define_association(call: Call, near: str, far: str, name: str) -> AssociationType:
    number = next_user_type(call)
    there = AssociationType(near, far, number, number + 1, USER, name=name)
    back = AssociationType(far, near, number + 1, number, USER, name=name)
    call.portal.do(["label", asdict(there)])
    call.portal.do(["label", asdict(back)])
    return there


def _partner(call: Call, raw: Any) -> str:
    table = call.portal.crm_table(str(raw))
    if table is None:
        raise errors.bad_request(f"Unable to infer object type from: {raw}")
    return table.kind.name


def _table(call: Call) -> RecordTable:
    table = call.portal.crm_table(call.args[0])
    if table is None:
        raise errors.not_found("object schema not found")
    return table


def _check_custom(table: RecordTable) -> None:
    if not table.kind.custom:
        raise errors.bad_request("A standard object's schema cannot be changed")


def _shown(call: Call, table: RecordTable) -> Json:
    kind = table.kind
    details = call.portal.documents("schemas").get(kind.name, {})
    links = [k for k in call.portal.types.values() if k.source == kind.name]
    return {
        "id": kind.type_id,
        "objectTypeId": kind.type_id,
        "name": kind.name,
        "fullyQualifiedName": f"p{call.portal.hub_id}_{kind.name}",
        "labels": {"singular": kind.singular, "plural": kind.plural},
        "requiredProperties": list(kind.required),
        "searchableProperties": list(kind.searchable),
        "archived": False,
        "properties": [shown(call, table, p) for p in table.properties.values()],
        "associations": [_association(call, link) for link in links],
    } | details


def _association(call: Call, kind: AssociationType) -> Json:
    return {
        "id": str(kind.id),
        "name": kind.name or f"{kind.source}_to_{kind.target}",
        "fromObjectTypeId": call.portal.tables[kind.source].kind.type_id,
        "toObjectTypeId": call.portal.tables[kind.target].kind.type_id,
    }


FAMILY = "crm-object-schemas"


reads, writes = fixed("crm.schemas.custom.read"), fixed("crm.schemas.custom.write")
ROUTES = [
    Route(FAMILY, "GET", "schemas", list_schemas, reads),
    Route(FAMILY, "POST", "schemas", create_schema, writes),
    Route(FAMILY, "GET", "schemas/{type}", read_schema, reads),
    Route(FAMILY, "PATCH", "schemas/{type}", update_schema, writes),
    Route(FAMILY, "DELETE", "schemas/{type}", delete_schema, writes),
    Route(FAMILY, "POST", "schemas/{type}/associations", create_association, writes),
    Route(
        FAMILY, "DELETE", "schemas/{type}/associations/{id}", delete_association, writes
    ),
]
