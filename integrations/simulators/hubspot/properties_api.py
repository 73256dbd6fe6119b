"""Property definitions."""

import re
from dataclasses import asdict, replace
from typing import Any

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.batch_api import batch_reply
from integrations.simulators.hubspot.call import Call, Route, number_in
from integrations.simulators.hubspot.definitions import FIELD_TYPES, Property
from integrations.simulators.hubspot.records import RecordTable
from integrations.simulators.hubspot.scopes import of_definitions
from integrations.simulators.hubspot.values import iso
from integrations.simulators.wire import Json, Reply, json_reply

MAX_UNIQUE = 10
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


def shown(call: Call, table: RecordTable, prop: Property) -> Json:
    """Return a property; pipeline and stage options follow the pipelines."""
    payload = prop.as_json()
    pipelines = list(call.portal.docs.get(f"pipelines/{table.kind.name}", {}).values())
    if prop.name == table.kind.pipeline:
        payload["options"] = _options_of(pipelines)
    elif prop.name == table.kind.stage:
        payload["options"] = _options_of([s for p in pipelines for s in p["stages"]])
    return payload


def _options_of(items: list[Json]) -> list[Json]:
    return [
        {
            "label": item["label"],
            "value": item["id"],
            "displayOrder": order,
            "hidden": False,
            "description": "",
        }
        for order, item in enumerate(items)
        if not item["archived"]
    ]


def list_properties(call: Call) -> Reply:
    """GET: all of them, not paged."""
    table, archived = call.table(), call.request.flag("archived")
    results = [
        shown(call, table, prop)
        for prop in table.properties.values()
        if bool(prop.archived_at) == archived
    ]
    return json_reply({"results": results})


def read_property(call: Call) -> Reply:
    """GET one."""
    table = call.table()
    prop = _existing(call, table, call.args[1], archived=call.request.flag("archived"))
    return json_reply(shown(call, table, prop))


def create_property(call: Call) -> Reply:
    """POST: 201."""
    table = call.table()
    prop = new_property(call, table, call.body())
    return json_reply(shown(call, table, prop), 201)


def update_property(call: Call) -> Reply:
    """PATCH label, description, options, group; never hasUniqueValue."""
    table, body = call.table(), call.body()
    prop = _existing(call, table, call.args[1])
    if prop.hubspot_defined and set(body) - {"options"}:
        raise errors.bad_request(f"{prop.name} is defined by HubSpot: read-only")
    if body.get("hasUniqueValue", prop.unique) != prop.unique:
        raise errors.bad_request("hasUniqueValue cannot be changed after creation")
    changes: Json = {
        ours: body[theirs] for theirs, ours in _PATCHABLE.items() if theirs in body
    }
    if "options" in body:
        changes["options"] = _options(body["options"])
    changed = replace(prop, **changes, updated_at=iso(call.world.now_ms()))
    _check_types(changed)
    call.portal.do(["prop", table.kind.name, asdict(changed)])
    return json_reply(shown(call, table, changed))


_PATCHABLE = {
    "label": "label",
    "description": "description",
    "groupName": "group",
    "hidden": "hidden",
    "displayOrder": "display_order",
    "fieldType": "field_type",
    "type": "type",
    "formField": "form_field",
}


def archive_property(call: Call) -> Reply:
    """DELETE: 204; built-in properties stay."""
    table = call.table()
    _archive(call, table, call.args[1])
    return Reply(204)


def _archive(call: Call, table: RecordTable, name: str) -> None:
    prop = _existing(call, table, name)
    if prop.hubspot_defined:
        raise errors.bad_request(f"{name} is defined by HubSpot and cannot be deleted")
    gone = replace(prop, archived_at=iso(call.world.now_ms()), unique=False)
    call.portal.do(["prop", table.kind.name, asdict(gone)])


def new_property(call: Call, table: RecordTable, raw: Json) -> Property:
    """Check and add a property; raises a 400 or 409."""
    prop = _parsed(raw, iso(call.world.now_ms()))
    _check_types(prop)
    known = table.properties.get(prop.name)
    if known is not None and not known.archived_at:
        message = f'A property named "{prop.name}" already exists'
        raise errors.standard(409, "OBJECT_ALREADY_EXISTS", message)
    unique = [p for p in table.properties.values() if p.unique and not p.archived_at]
    if prop.unique and len(unique) >= MAX_UNIQUE:
        message = f"An object has at most {MAX_UNIQUE} properties with unique values"
        raise errors.bad_request(message)
    added: Property = call.portal.do(["prop", table.kind.name, asdict(prop)])
    return added


def _parsed(raw: Json, now: str) -> Property:
    missing = [name for name in _REQUIRED if not isinstance(raw.get(name), str)]
    if missing:
        raise errors.bad_request(f"Invalid input JSON: missing {', '.join(missing)}")
    if not _NAME.fullmatch(raw["name"]):
        message = f'"{raw["name"]}" is not a valid property name'
        raise errors.bad_request(message)
    return Property(
        name=raw["name"],
        label=raw["label"],
        type=raw["type"],
        field_type=raw["fieldType"],
        group=raw["groupName"],
        description=raw.get("description") or "",
        options=_options(raw.get("options") or []),
        unique=bool(raw.get("hasUniqueValue")),
        hidden=bool(raw.get("hidden")),
        calculated=raw["fieldType"] == "calculation_equation",
        hubspot_defined=False,
        external_options=bool(raw.get("externalOptions")),
        form_field=bool(raw.get("formField")),
        referenced=raw.get("referencedObjectType") or "",
        formula=raw.get("calculationFormula") or "",
        created_at=now,
        updated_at=now,
    )


_REQUIRED = ("name", "label", "type", "fieldType", "groupName")


def _check_types(prop: Property) -> None:
    if prop.field_type not in FIELD_TYPES.get(prop.type, set()):
        message = f"fieldType {prop.field_type} does not go with type {prop.type}"
        raise errors.bad_request(message)
    if prop.unique and prop.type not in ("string", "number"):
        raise errors.bad_request("Only string and number properties can be unique")


def _options(raw: Any) -> dict[str, str]:
    if not isinstance(raw, list) or not all(isinstance(o, dict) for o in raw):
        raise errors.bad_request("Invalid input JSON: options is a list of objects")
    ordered = sorted(raw, key=lambda option: number_in(option, "displayOrder", 0))
    return {str(o.get("value")): str(o.get("label") or o.get("value")) for o in ordered}


def _existing(
    call: Call, table: RecordTable, name: str, *, archived: bool = False
) -> Property:
    prop = table.properties.get(name)
    if prop is None or bool(prop.archived_at) != archived:
        raise errors.not_found(f'property "{name}" not found')
    return prop


def batch_create(call: Call) -> Reply:
    """POST {inputs[PropertyCreate]}: 201, or 207 when some exist."""
    table, started = call.table(), call.world.now_ms()
    results, failed = [], []
    for raw in call.inputs(most=100):
        try:
            results.append(shown(call, table, new_property(call, table, raw)))
        except errors.ApiError as error:
            failed.append(errors.batch_entry(error, {"name": [str(raw.get("name"))]}))
    return batch_reply(call, started, results, failed, status=201)


def batch_read(call: Call) -> Reply:
    """POST {archived, inputs[{name}]}: 200, or 207 when some are missing."""
    table, started = call.table(), call.world.now_ms()
    archived = bool(call.body().get("archived"))
    results, failed = [], []
    for raw in call.inputs(most=100):
        try:
            name = str(raw.get("name"))
            prop = _existing(call, table, name, archived=archived)
            results.append(shown(call, table, prop))
        except errors.ApiError as error:
            failed.append(errors.batch_entry(error, {"name": [name]}))
    return batch_reply(call, started, results, failed, status=200)


def batch_archive(call: Call) -> Reply:
    """POST {inputs[{name}]}: 204."""
    table = call.table()
    for raw in call.inputs(most=100):
        _archive(call, table, str(raw.get("name")))
    return Reply(204)


reads, writes = of_definitions("read"), of_definitions("write")
ROUTES = [
    Route("properties", "GET", "{type}", list_properties, reads),
    Route("properties", "POST", "{type}", create_property, writes),
    Route("properties", "POST", "{type}/batch/create", batch_create, writes),
    Route("properties", "POST", "{type}/batch/read", batch_read, reads),
    Route("properties", "POST", "{type}/batch/archive", batch_archive, writes),
    Route("properties", "GET", "{type}/{name}", read_property, reads),
    Route("properties", "PATCH", "{type}/{name}", update_property, writes),
    Route("properties", "DELETE", "{type}/{name}", archive_property, writes),
]
