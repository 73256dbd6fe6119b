"""Several requests in one: composite, batch, tree and graph."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from integrations.simulators.salesforce import access, errors
from integrations.simulators.salesforce.call import Call, Route
from integrations.simulators.salesforce.errors import ApiError, RowError
from integrations.simulators.salesforce.references import attribute
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import Json, Reply, Request, json_reply

MOST_PARTS = 25
MOST_NODES = 500
_HALTED = (
    "The transaction was rolled back since another operation in the same transaction "
    "failed."
)
_REFERENCE = re.compile(r"@\{([^}]+)\}")


class BadReferenceError(Exception):
    """A part refers to what an earlier part did not give."""


def _parts(body: Json, name: str, most: int) -> list[Json]:
    parts = body.get(name)
    if not isinstance(parts, list) or not all(isinstance(p, dict) for p in parts):
        raise errors.bad_request("JSON_PARSER_ERROR", f"{name} must be a list")
    if not 1 <= len(parts) <= most:
        message = f"The number of subrequests must be between 1 and {most}"
        raise errors.bad_request("INVALID_INPUT", message)
    return parts


def _request(call: Call, method: str, url: str, body: Any, headers: Json) -> Request:
    """Return a part as a request of its own; the outer headers hold for it too."""
    split = urlsplit(url)
    environ = dict(call.request.environ)
    for name, value in headers.items():
        environ["HTTP_" + name.upper().replace("-", "_")] = str(value)
    return Request(
        method=method.upper(),
        path=split.path,
        query=parse_qs(split.query, keep_blank_values=True),
        environ=environ,
        body=b"" if body is None else json.dumps(body).encode(),
        poison=call.request.poison,
        poison_code=call.request.poison_code,
    )


def _content(reply: Reply) -> Any:
    return json.loads(reply.body) if reply.body else None


# -- composite


def _composite(call: Call) -> Reply:
    body = call.body()
    parts = _parts(body, "compositeRequest", MOST_PARTS)
    all_or_none = body.get("allOrNone") is True
    return json_reply({"compositeResponse": _run(call, parts, all_or_none=all_or_none)})


def _run(call: Call, parts: list[Json], *, all_or_none: bool) -> list[Json]:
    point = call.org.savepoint() if all_or_none else None
    told = len(call.world.announced)
    known: dict[str, Any] = {}
    answers: list[Json] = []
    for part in parts:
        halted = all_or_none and any(a["httpStatusCode"] >= 400 for a in answers)
        name = str(part.get("referenceId"))
        made = (
            _answer(name, 400, _error(_HALTED)) if halted else _part(call, part, known)
        )
        if made["httpStatusCode"] < 300:
            known[name] = made["body"]
        call.request.inputs += 1
        answers.append(made)
    if point is not None and any(a["httpStatusCode"] >= 400 for a in answers):
        call.org.undo_to(point)
        del call.world.announced[told:]
        answers = [_taken_back(answer) for answer in answers]
    return answers


def _taken_back(answer: Json) -> Json:
    if answer["httpStatusCode"] >= 400:
        return answer
    return _answer(answer["referenceId"], 400, _error(_HALTED))


def _error(message: str) -> list[Json]:
    return [{"errorCode": "PROCESSING_HALTED", "message": message}]


def _answer(name: str, status: int, body: Any, headers: Json | None = None) -> Json:
    return {
        "body": body,
        "httpHeaders": headers or {},
        "httpStatusCode": status,
        "referenceId": name,
    }


def _part(call: Call, part: Json, known: dict[str, Any]) -> Json:
    name = str(part.get("referenceId"))
    try:
        url = _filled(part.get("url"), known)
        body = _filled(part.get("body"), known)
    except BadReferenceError as error:
        return _answer(name, 400, _error(str(error)))
    headers = part.get("httpHeaders") or {}
    made = _request(call, str(part.get("method")), str(url), body, headers)
    reply = call.dispatch(made)
    shown = {key: value for key, value in reply.headers if key == "Location"}
    return _answer(name, reply.status, _content(reply), shown)


def _filled(value: Any, known: dict[str, Any]) -> Any:
    """Put earlier answers in place of @{name.path}."""
    if isinstance(value, dict):
        return {key: _filled(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, known) for inner in value]
    if not isinstance(value, str) or "@{" not in value:
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _looked_up(whole[1], known)
    return _REFERENCE.sub(lambda found: str(_looked_up(found[1], known)), value)


def _looked_up(path: str, known: dict[str, Any]) -> Any:
    name, _, rest = path.partition(".")
    found: Any = known.get(name)
    for step in re.findall(r"[^.\[\]]+", rest):
        try:
            found = found[int(step)] if isinstance(found, list) else found[step]
        except (KeyError, IndexError, TypeError, ValueError):
            found = None
    if found is None:
        message = f"Invalid reference specified. No value for {path} found in {name}"
        raise BadReferenceError(message)
    return found


# -- graph


def _graphs(call: Call) -> Reply:
    graphs = _parts(call.body(), "graphs", MOST_NODES)
    return json_reply({"graphs": [_graph(call, graph) for graph in graphs]})


def _graph(call: Call, graph: Json) -> Json:
    parts = _parts(graph, "compositeRequest", MOST_NODES)
    answers = _run(call, parts, all_or_none=True)
    return {
        "graphId": graph.get("graphId"),
        "graphResponse": {"compositeResponse": answers},
        "isSuccessful": all(a["httpStatusCode"] < 400 for a in answers),
    }


# -- batch


def _batch(call: Call) -> Reply:
    body = call.body()
    parts = _parts(body, "batchRequests", MOST_PARTS)
    halt = body.get("haltOnError") is True
    results: list[Json] = []
    for part in parts:
        if halt and any(r["statusCode"] >= 400 for r in results):
            results.append({"statusCode": 412, "result": _skipped()})
            continue
        results.append(_batch_part(call, part))
    failed = any(result["statusCode"] >= 400 for result in results)
    return json_reply({"hasErrors": failed, "results": results})


def _skipped() -> list[Json]:
    return [
        {
            "errorCode": "BATCH_PROCESSING_HALTED",
            "message": "Batch processing halted as per request.",
        }
    ]


def _batch_part(call: Call, part: Json) -> Json:
    url = str(part.get("url", "")).lstrip("/")
    if not url.startswith("services/data/"):
        url = f"services/data/{url}"
    try:
        # Each part counts; the batch itself was counted as the first of them.
        if call.request.inputs:
            access.spend(call.world, call.org, running=0)
    except ApiError as error:
        return {"statusCode": error.status, "result": error.body}
    call.request.inputs += 1
    body = part.get("richInput")
    made = _request(call, str(part.get("method")), f"/{url}", body, {})
    reply = call.dispatch(made)
    return {"statusCode": reply.status, "result": _content(reply)}


# -- tree


def _tree(call: Call) -> Reply:
    table, records = call.table(), call.records()
    writer, point = call.writer(), call.org.savepoint()
    made: list[Json] = []
    failed: list[Json] = []
    _plant(writer, table, records, None, made, failed)
    if failed:
        call.org.undo_to(point)
        return json_reply({"hasErrors": True, "results": failed}, 400)
    writer.done()
    return json_reply({"hasErrors": False, "results": made}, 201)


def _plant(
    writer: Writer,
    table: Table,
    records: list[Json],
    parent: tuple[str, str] | None,
    made: list[Json],
    failed: list[Json],
) -> None:
    """Create records and their children. parent: (reference field, id)."""
    for record in records:
        name = attribute(record, "referenceId") or None
        children = {k: v for k, v in record.items() if _is_children(v)}
        raw = {k: v for k, v in record.items() if k not in children}
        try:
            row = writer.create(table, raw | ({parent[0]: parent[1]} if parent else {}))
        except RowError as error:
            failed.append({"referenceId": name, "errors": error.in_row()["errors"]})
            continue
        made.append({"referenceId": name, "id": row.id})
        for value in children.values():
            _plant_children(writer, table, row.id, value["records"], made, failed)


def _is_children(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("records"), list)


def _plant_children(
    writer: Writer,
    table: Table,
    parent: str,
    records: list[Json],
    made: list[Json],
    failed: list[Json],
) -> None:
    for record in records:
        kind = attribute(record, "type")
        child = writer.org.table(kind)
        if child is None:
            failed.append({"referenceId": kind or None, "errors": []})
            continue
        link = next((f.name for f in child.fields.values() if table.name in f.refs), "")
        _plant(writer, child, [record], (link, parent), made, failed)


ROUTES = [
    Route("POST", "composite", _composite),
    Route("POST", "composite/batch", _batch),
    Route("POST", "composite/graph", _graphs),
    Route("POST", "composite/tree/{type}", _tree),
]
