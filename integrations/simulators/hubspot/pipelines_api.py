"""Pipelines of deals, tickets and leads, and their stages."""

import copy
from typing import Any

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.call import Call, Route
from integrations.simulators.hubspot.scopes import of_definitions
from integrations.simulators.hubspot.values import iso
from integrations.simulators.wire import Json, Reply, json_reply

FIRST_ID = 90_000_001


def _kind(call: Call) -> str:
    return f"pipelines/{call.table().kind.name}"


def _all(call: Call) -> dict[str, Json]:
    if not call.table().kind.pipeline:
        raise errors.bad_request(f"{call.args[0]} has no pipelines")
    return call.portal.documents(_kind(call))


def _pipeline(call: Call) -> Json:
    pipeline = _all(call).get(call.args[1])
    if pipeline is None:
        raise errors.not_found("pipeline not found")
    return copy.deepcopy(pipeline)


def _keep(call: Call, pipeline: Json) -> Json:
    pipeline["updatedAt"] = iso(call.world.now_ms())
    call.portal.do(["doc", _kind(call), pipeline["id"], pipeline])
    return pipeline


def list_pipelines(call: Call) -> Reply:
    """GET all."""
    found = [p for p in _all(call).values() if not p["archived"]]
    return json_reply({"results": sorted(found, key=_order)})


def read_pipeline(call: Call) -> Reply:
    """GET one."""
    return json_reply(_pipeline(call))


def create_pipeline(call: Call) -> Reply:
    """POST {label, displayOrder, stages[]}: 201."""
    body, pipelines = call.body(), _all(call)
    label = _label(body)
    if any(p["label"] == label for p in pipelines.values()):
        raise errors.conflict(f'A pipeline named "{label}" already exists')
    pipeline = _filled(call, _new(call, body), body)
    return json_reply(_keep(call, pipeline), 201)


def replace_pipeline(call: Call) -> Reply:
    """PUT: label, order and all stages anew."""
    pipeline, body = _pipeline(call), call.body()
    pipeline |= {"label": _label(body), "displayOrder": _number(body)}
    return json_reply(_keep(call, _filled(call, pipeline, body)))


def update_pipeline(call: Call) -> Reply:
    """PATCH label, order or archived."""
    pipeline, body = _pipeline(call), call.body()
    pipeline |= {k: body[k] for k in ("label", "displayOrder", "archived") if k in body}
    return json_reply(_keep(call, pipeline))


def delete_pipeline(call: Call) -> Reply:
    """DELETE: 204; refused with ?validateReferencesBeforeDelete=true when in use."""
    pipeline = _pipeline(call)
    checks = ("validateReferencesBeforeDelete", "validateDealStageUsagesBeforeDelete")
    used = _used(call, call.table().kind.pipeline, pipeline["id"])
    if used and any(call.request.flag(name) for name in checks):
        raise errors.bad_request("The pipeline is in use", context={"recordIds": used})
    call.portal.do(["doc", _kind(call), pipeline["id"], None])
    return Reply(204)


def _used(call: Call, name: str, value: str) -> list[str]:
    records = call.table().records.values()
    return [
        str(record.id)
        for record in records
        if record.props.get(name) == value and not record.archived_at
    ]


def list_stages(call: Call) -> Reply:
    """GET a pipeline's stages."""
    return json_reply({"results": sorted(_pipeline(call)["stages"], key=_order)})


def read_stage(call: Call) -> Reply:
    """GET one stage."""
    return json_reply(_stage(_pipeline(call), call.args[2]))


def create_stage(call: Call) -> Reply:
    """POST {label, displayOrder, metadata}: 201."""
    pipeline = _pipeline(call)
    stage = _new_stage(call, call.body())
    pipeline["stages"].append(stage)
    _keep(call, pipeline)
    return json_reply(stage, 201)


def update_stage(call: Call) -> Reply:
    """PATCH or PUT label, order, metadata."""
    pipeline, body = _pipeline(call), call.body()
    stage = _stage(pipeline, call.args[2])
    names = ("label", "displayOrder", "metadata", "archived")
    stage |= {k: body[k] for k in names if k in body}
    stage["updatedAt"] = iso(call.world.now_ms())
    _keep(call, pipeline)
    return json_reply(stage)


def delete_stage(call: Call) -> Reply:
    """DELETE: 204; refused while records are in it."""
    pipeline = _pipeline(call)
    stage = _stage(pipeline, call.args[2])
    used = _used(call, call.table().kind.stage, stage["id"])
    if used:
        raise errors.bad_request("The stage is in use", context={"recordIds": used})
    pipeline["stages"].remove(stage)
    _keep(call, pipeline)
    return Reply(204)


def _stage(pipeline: Json, number: str) -> Json:
    for stage in pipeline["stages"]:
        if stage["id"] == number:
            found: Json = stage
            return found
    raise errors.not_found("pipeline stage not found")


def _new(call: Call, body: Json) -> Json:
    now = iso(call.world.now_ms())
    return {
        "id": _next_id(call),
        "label": _label(body),
        "displayOrder": _number(body),
        "createdAt": now,
        "updatedAt": now,
        "archived": False,
        "stages": [],
    }


def _filled(call: Call, pipeline: Json, body: Json) -> Json:
    stages = body.get("stages")
    if not isinstance(stages, list) or not stages:
        raise errors.bad_request("Invalid input JSON: a pipeline needs stages")
    pipeline["stages"] = [_new_stage(call, stage) for stage in stages]
    return pipeline


def _new_stage(call: Call, body: Any) -> Json:
    raw = body if isinstance(body, dict) else {}
    now = iso(call.world.now_ms())
    return {
        "id": _next_id(call),
        "label": _label(raw),
        "displayOrder": _number(raw),
        "metadata": raw.get("metadata") or {},
        "createdAt": now,
        "updatedAt": now,
        "archived": False,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }


def _next_id(call: Call) -> str:
    """Return a new id for a pipeline or stage; ids are strings of digits."""
    counters = call.portal.documents("counters")
    number = counters.get("pipelines", {"next": FIRST_ID})["next"]
    call.portal.do(["doc", "counters", "pipelines", {"next": number + 1}])
    return str(number)


def _label(body: Json) -> str:
    label = str(body.get("label") or "")
    if not label:
        raise errors.bad_request("Invalid input JSON: label is required")
    return label


def _number(body: Json) -> int:
    order = body.get("displayOrder", 0)
    if not isinstance(order, int):
        raise errors.bad_request("Invalid input JSON: displayOrder is a number")
    return order


def _order(item: Json) -> int:
    order: int = item["displayOrder"]
    return order


reads, writes = of_definitions("read"), of_definitions("write")
_STAGES = "{type}/{id}/stages"
ROUTES = [
    Route("pipelines", "GET", "{type}", list_pipelines, reads),
    Route("pipelines", "POST", "{type}", create_pipeline, writes),
    Route("pipelines", "GET", "{type}/{id}", read_pipeline, reads),
    Route("pipelines", "PUT", "{type}/{id}", replace_pipeline, writes),
    Route("pipelines", "PATCH", "{type}/{id}", update_pipeline, writes),
    Route("pipelines", "DELETE", "{type}/{id}", delete_pipeline, writes),
    Route("pipelines", "GET", _STAGES, list_stages, reads),
    Route("pipelines", "POST", _STAGES, create_stage, writes),
    Route("pipelines", "GET", f"{_STAGES}/{{id}}", read_stage, reads),
    Route("pipelines", "PUT", f"{_STAGES}/{{id}}", update_stage, writes),
    Route("pipelines", "PATCH", f"{_STAGES}/{{id}}", update_stage, writes),
    Route("pipelines", "DELETE", f"{_STAGES}/{{id}}", delete_stage, writes),
]
