"""Form definitions: list, create, read, archive.

Numbered only: the pages show these under `v3` and a beta, and under no dated version
that other APIs have.
"""

from typing import Any

from integrations.simulators.hubspot import cursors, errors, form_definitions
from integrations.simulators.hubspot.call import Call, Route
from integrations.simulators.hubspot.form_definitions import REQUIRED, TYPES
from integrations.simulators.hubspot.scopes import fixed
from integrations.simulators.hubspot.values import iso
from integrations.simulators.wire import Json, Reply, json_reply

VERSIONS = frozenset({"v3"})
_ALL = "all"
_OBJECTS = ("configuration", "displayOptions", "legalConsentOptions")


def list_forms(call: Call) -> Reply:
    """GET ?limit=20&after=&archived=false&formTypes=hubspot: oldest first.

    UNCONFIRMED: the order, that a page has 100 at most, and the type `all`.
    """
    limit, start = call.limit(default=20, most=100), cursors.place_of(call)
    types = set(call.request.names("formTypes") or ["hubspot"])
    if not types <= TYPES | {_ALL}:
        raise errors.bad_request(f"formTypes must be of {sorted(TYPES | {_ALL})}")
    archived = call.request.flag("archived")
    every = [
        form
        for form in call.portal.documents("forms").values()
        if form["archived"] == archived and {form["formType"], _ALL} & types
    ]
    payload: Json = {"results": every[start : start + limit]}
    if start + limit < len(every):
        payload["paging"] = cursors.paging(call, start + limit)
    return json_reply(payload)


def read_form(call: Call) -> Reply:
    """GET /{formId}?archived=false."""
    form = call.portal.documents("forms").get(call.args[0].lower())
    if form is None or form["archived"] != call.request.flag("archived"):
        raise errors.not_found("form not found")
    return json_reply(form)


def create_form(call: Call) -> Reply:
    """POST a definition of a `hubspot` form without its id: 201 with the form.

    UNCONFIRMED: that its dates are the server's, and that names may come twice.
    """
    body, now = call.body(), call.world.now_ms()
    _check(body)
    dates = {"id": None, "createdAt": iso(now), "updatedAt": iso(now)}
    form = form_definitions.form_of(body | dates, at=now)
    call.portal.do(["doc", "forms", form["id"], form])
    return json_reply(form, 201)


def _check(body: Json) -> None:
    missing = [name for name in REQUIRED if body.get(name) is None]
    if missing:
        raise errors.bad_request(f"Some required fields were not set: {missing}")
    problem = (
        _plain_problem(body)
        or form_definitions.problem_of(body["fieldGroups"])
        or _action_problem(body["configuration"].get("postSubmitAction"))
    )
    if problem:
        raise errors.bad_request(f"Invalid input JSON: {problem}")


def _plain_problem(body: Json) -> str:
    if body["formType"] != "hubspot":
        return "only forms of formType hubspot are made here"
    if not isinstance(body["name"], str) or not body["name"].strip():
        return "name must not be empty"
    if not isinstance(body["archived"], bool):
        return "archived must be true or false"
    wrong = [name for name in _OBJECTS if not isinstance(body[name], dict)]
    return f"{wrong[0]} must be an object" if wrong else ""


def _action_problem(action: Any) -> str:
    if (
        isinstance(action, dict)
        and action.get("type") in ("thank_you", "redirect_url")
        and isinstance(action.get("value"), str)
    ):
        return ""
    return "configuration.postSubmitAction must have a type and a value"


def archive_form(call: Call) -> Reply:
    """DELETE /{formId}: 204; the form takes no submission any more."""
    form = call.portal.documents("forms").get(call.args[0].lower())
    if form is None:
        raise errors.not_found("form not found")
    now = iso(call.world.now_ms())
    gone = form | {"archived": True, "archivedAt": now, "updatedAt": now}
    call.portal.do(["doc", "forms", form["id"], gone])
    return Reply(204)


forms = fixed("forms")
ROUTES = [
    Route("forms", "GET", "", list_forms, forms, VERSIONS),
    Route("forms", "POST", "", create_form, forms, VERSIONS),
    Route("forms", "GET", "{id}", read_form, forms, VERSIONS),
    Route("forms", "DELETE", "{id}", archive_form, forms, VERSIONS),
]
