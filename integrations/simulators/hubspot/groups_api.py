"""The groups that property definitions are shown in."""

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.call import Call, Route, number_in
from integrations.simulators.hubspot.records import RecordTable
from integrations.simulators.hubspot.scopes import of_definitions
from integrations.simulators.wire import Json, Reply, json_reply


def _groups(call: Call, table: RecordTable) -> dict[str, Json]:
    """Return the type's groups by name: those in use and those made."""
    used = {p.group: _group(p.group, p.group) for p in table.properties.values()}
    return used | call.portal.documents(f"groups/{table.kind.name}")


def _group(name: str, label: str, order: int = -1) -> Json:
    return {"name": name, "label": label, "displayOrder": order, "archived": False}


def list_groups(call: Call) -> Reply:
    """GET all groups."""
    return json_reply({"results": list(_groups(call, call.table()).values())})


def read_group(call: Call) -> Reply:
    """GET one group."""
    group = _groups(call, call.table()).get(call.args[1])
    if group is None:
        raise errors.not_found("property group not found")
    return json_reply(group)


def create_group(call: Call) -> Reply:
    """POST: 201."""
    table, body = call.table(), call.body()
    name = str(body.get("name") or "")
    if not name or not body.get("label"):
        raise errors.bad_request("Invalid input JSON: name and label are required")
    if name in _groups(call, table):
        raise errors.conflict(f'A property group named "{name}" already exists')
    group = _group(name, str(body["label"]), number_in(body, "displayOrder", -1))
    call.portal.do(["doc", f"groups/{table.kind.name}", name, group])
    return json_reply(group, 201)


def update_group(call: Call) -> Reply:
    """PATCH label or order."""
    table, body = call.table(), call.body()
    group = _groups(call, table).get(call.args[1])
    if group is None:
        raise errors.not_found("property group not found")
    changes = {k: body[k] for k in ("label", "displayOrder") if k in body}
    call.portal.do(["doc", f"groups/{table.kind.name}", call.args[1], group | changes])
    return json_reply(group | changes)


def archive_group(call: Call) -> Reply:
    """DELETE: 204."""
    table = call.table()
    call.portal.do(["doc", f"groups/{table.kind.name}", call.args[1], None])
    return Reply(204)


reads, writes = of_definitions("read"), of_definitions("write")
ROUTES = [
    Route("properties", "GET", "{type}/groups", list_groups, reads),
    Route("properties", "POST", "{type}/groups", create_group, writes),
    Route("properties", "GET", "{type}/groups/{name}", read_group, reads),
    Route("properties", "PATCH", "{type}/groups/{name}", update_group, writes),
    Route("properties", "DELETE", "{type}/groups/{name}", archive_group, writes),
]
