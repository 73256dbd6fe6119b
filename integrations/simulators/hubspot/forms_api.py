"""Forms: submitting (with and without a token) and reading submissions back."""

import re
from uuid import uuid4

from integrations.simulators.hubspot import errors, form_definitions
from integrations.simulators.hubspot.call import Call, Route
from integrations.simulators.hubspot.portal import Portal
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


def submit(
    world: World, request: Request, hub_id: str, guid: str, *, secure: bool
) -> Reply:
    """POST /submissions/v3/integration/submit/{portalId}/{formGuid}.

    Creates the contact of that e-mail or updates it; 200 {inlineMessage or
    redirectUri}. secure: with a token. A form that is not defined here takes anything,
    one that is archived nothing: with a 404, UNCONFIRMED.
    """
    portal = world.portals.get(int(hub_id)) if hub_id.isdigit() else None
    if portal is None or not _GUID.fullmatch(guid):
        raise errors.not_found("form not found")
    form = portal.documents("forms").get(guid.lower())
    if form is not None and form["archived"]:
        raise errors.not_found("form not found")
    try:
        body = request.json()
    except BadJsonError as error:
        raise errors.bad_request(f"Invalid input JSON: {error}") from error
    given = _given(world, body)
    if form is not None:
        _check(form, given, secure=secure)
    _put(world, portal, guid, given)
    _remember(portal, guid.lower(), body, world.now_ms())
    answer = {"inlineMessage": form_definitions.THANKS}
    return json_reply(form_definitions.answer_of(form) if form else answer)


def _put(world: World, portal: Portal, guid: str, given: dict[str, str]) -> None:
    """Write the fields that contacts have to the contact of the e-mail."""
    writer = Writer(
        portal,
        world.settings,
        at=world.now_ms(),
        source="FORM",
        source_id=guid,
        quiet=not world.listeners,
    )
    table = portal.tables["contacts"]
    values = {name: value for name, value in given.items() if name in table.writable}
    record = table.live(values.get("email", ""), "email")
    raw: Json = {"properties": values}
    if record is None:
        writer.apply(writer.plan_create(table, raw))
    else:
        writer.apply(writer.plan_update(table, record, raw))
    world.announce(portal, writer.changes, writer.source)


def _check(form: Json, given: dict[str, str], *, secure: bool) -> None:
    kind, message = form_definitions.refusal(form, given, listed=not secure)
    if kind:
        raise _refused(kind, message)


def _given(world: World, body: Json) -> dict[str, str]:
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
    return values


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
    prefix = f"{call.args[0].lower()}/"
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
    secure = rest[:1] == ["secure"]
    if secure:
        rest = rest[1:]
    if len(rest) != 3 or rest[0] != "submit":
        return None
    return submit(world, request, rest[1], rest[2], secure=secure)


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
