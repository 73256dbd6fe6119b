"""Forms: submitting (with and without a token) and reading submissions back."""

import re
from uuid import uuid4

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.call import Call, Route
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import RecordTable
from integrations.simulators.hubspot.scopes import fixed
from integrations.simulators.hubspot.world import World
from integrations.simulators.hubspot.writer import Writer
from integrations.simulators.wire import (
    BadJsonError,
    Json,
    Reply,
    Request,
    json_reply,
)

MAX_FIELDS = 1000
MONTH_MS = 31 * 86_400_000
_GUID = re.compile(r"[0-9a-fA-F-]{36}")


def submit(world: World, request: Request, hub_id: str, guid: str) -> Reply:
    """POST /submissions/v3/integration/submit/{portalId}/{formGuid}: no token needed.

    Creates the contact of that e-mail or updates it; 200 {inlineMessage}.
    """
    portal = world.portals.get(int(hub_id)) if hub_id.isdigit() else None
    if portal is None or not _GUID.fullmatch(guid):
        raise errors.not_found("form not found")
    try:
        body = request.json()
    except BadJsonError as error:
        raise errors.bad_request(f"Invalid input JSON: {error}") from error
    values = _values(portal.tables["contacts"], world, body)
    writer = Writer(
        portal,
        world.settings,
        at=world.now_ms(),
        source="FORM",
        source_id=guid,
        quiet=not world.listeners,
    )
    table = portal.tables["contacts"]
    record = table.live(values.get("email", ""), "email")
    raw: Json = {"properties": values}
    if record is None:
        writer.apply(writer.plan_create(table, raw))
    else:
        writer.apply(writer.plan_update(table, record, raw))
    _remember(portal, guid, body, world.now_ms())
    world.announce(portal, writer.changes, writer.source)
    return json_reply({"inlineMessage": "Thanks for submitting the form."})


def _values(table: RecordTable, world: World, body: Json) -> dict[str, str]:
    fields = body.get("fields") if isinstance(body, dict) else None
    if not isinstance(fields, list) or not 1 <= len(fields) <= MAX_FIELDS:
        raise _refused("INVALID_FIELDS", f"fields must have 1 to {MAX_FIELDS} entries")
    at = str(body.get("submittedAt") or world.now_ms())
    if not at.isdigit() or int(at) < world.now_ms() - MONTH_MS:
        raise _refused("INVALID_SUBMITTED_AT", "submittedAt is over one month ago")
    if not all(isinstance(f, dict) for f in fields):
        raise _refused("INVALID_FIELDS", "fields is a list of objects")
    values = {str(f.get("name")): str(f.get("value", "")) for f in fields}
    if not values.get("email"):
        raise _refused("REQUIRED_FIELD", "Required field 'email' is missing")
    return {name: value for name, value in values.items() if name in table.writable}


def _refused(kind: str, message: str) -> errors.ApiError:
    body = {
        "status": "error",
        "message": "The request is not valid",
        "correlationId": str(uuid4()),
        "errors": [{"message": message, "errorType": kind}],
    }
    return errors.ApiError(400, body)


def _remember(portal: Portal, guid: str, body: Json, at: int) -> None:
    kept = portal.documents("submissions")
    context = body.get("context")
    submission = {
        "conversionId": str(uuid4()),
        "submittedAt": int(body.get("submittedAt") or at),
        "values": body["fields"],
        "pageUrl": str(context.get("pageUri", "")) if isinstance(context, dict) else "",
    }
    portal.do(["doc", "submissions", f"{guid}/{len(kept)}", submission])


def list_submissions(call: Call) -> Reply:
    """GET /form-integrations/v1/submissions/forms/{guid}?limit<=50&after."""
    limit, after = call.limit(default=20, most=50), call.after()
    prefix = f"{call.args[0]}/"
    kept = call.portal.documents("submissions").items()
    found = [item for key, item in kept if key.startswith(prefix)][::-1]
    payload: Json = {"results": found[after : after + limit]}
    if after + limit < len(found):
        payload["paging"] = {"next": {"after": str(after + limit)}}
    return json_reply(payload)


def submit_route(world: World, request: Request, segments: list[str]) -> Reply | None:
    """Answer the submission host's paths, or None for another path."""
    rest = segments[3:]
    if request.method != "POST" or segments[1:3] != ["v3", "integration"]:
        return None
    if rest[:1] == ["secure"]:
        rest = rest[1:]
    if len(rest) != 3 or rest[0] != "submit":
        return None
    return submit(world, request, rest[1], rest[2])


reads = fixed("forms")
ROUTES = [
    Route(
        "form-integrations",
        "GET",
        "submissions/forms/{guid}",
        list_submissions,
        reads,
        frozenset({"v1"}),
    ),
]
