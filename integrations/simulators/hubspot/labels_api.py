"""Association labels: the types that join two objects, and those a customer defines."""

from dataclasses import asdict

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.association_types import USER, AssociationType
from integrations.simulators.hubspot.call import DATED, Call, Route
from integrations.simulators.hubspot.scopes import of_definitions
from integrations.simulators.wire import Json, Reply, json_reply

VERSIONS = frozenset({"v4"}) | DATED
FIRST_USER_TYPE = 1


def list_labels(call: Call) -> Reply:
    """GET: every type from the first object to the second."""
    near, far = call.table(0).kind.name, call.table(1).kind.name
    return json_reply(
        {"results": [_shown(kind) for kind in call.portal.link_types(near, far)]}
    )


def create_label(call: Call) -> Reply:
    """POST {name, label, inverseLabel?}: both directions' new types."""
    near, far = call.table(0).kind.name, call.table(1).kind.name
    body = call.body()
    name, label = str(body.get("name") or ""), str(body.get("label") or "")
    if not name or not label:
        raise errors.bad_request("Invalid input JSON: name and label are required")
    if any(kind.label == label for kind in call.portal.link_types(near, far)):
        raise errors.conflict(f'An association label "{label}" already exists')
    number = next_user_type(call)
    back = str(body.get("inverseLabel") or label)
    made = [AssociationType(near, far, number, number + 1, USER, label, name=name)]
    if near != far:
        made.append(
            AssociationType(far, near, number + 1, number, USER, back, name=name)
        )
    else:
        made = [AssociationType(near, far, number, number, USER, label, name=name)]
    for kind in made:
        call.portal.do(["label", asdict(kind)])
    return json_reply({"results": [_shown(kind) for kind in made]})


def next_user_type(call: Call) -> int:
    """Return the next free id for a customer's association type."""
    used = [k.id for k in call.portal.types.values() if k.category == USER]
    return max(used, default=FIRST_USER_TYPE - 1) + 1


def update_label(call: Call) -> Reply:
    """PUT {associationTypeId, label}: 204."""
    body = call.body()
    kind = _user_type(call, body.get("associationTypeId"))
    label = str(body.get("label") or "")
    if not label:
        raise errors.bad_request("Invalid input JSON: label is required")
    call.portal.do(["label", asdict(kind) | {"label": label}])
    return Reply(204)


def delete_label(call: Call) -> Reply:
    """DELETE /{associationTypeId}: 204, with its inverse."""
    number = call.args[2]
    kind = _user_type(call, int(number) if number.isdigit() else None)
    call.portal.do(["unlabel", *kind.key])
    call.portal.do(["unlabel", *kind.inverse_key])
    return Reply(204)


def _user_type(call: Call, number: object) -> AssociationType:
    near, far = call.table(0).kind.name, call.table(1).kind.name
    for kind in call.portal.link_types(near, far):
        if kind.id == number and kind.category == USER:
            return kind
    raise errors.not_found("association type not found")


def _shown(kind: AssociationType) -> Json:
    shown: Json = {"category": kind.category, "typeId": kind.id}
    return shown | ({"label": kind.label} if kind.label else {})


_LABELS = "{type}/{type}/labels"


reads, writes = of_definitions("read", 0, 1), of_definitions("write", 0, 1)
ROUTES = [
    Route("associations", "GET", _LABELS, list_labels, reads, VERSIONS),
    Route("associations", "POST", _LABELS, create_label, writes, VERSIONS),
    Route("associations", "PUT", _LABELS, update_label, writes, VERSIONS),
    Route(
        "associations", "DELETE", f"{_LABELS}/{{id}}", delete_label, writes, VERSIONS
    ),
]
