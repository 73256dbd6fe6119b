"""Sequences and workflow enrolment: enough to put a contact in and see it there."""

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.call import DATED, Call, Route
from integrations.simulators.hubspot.definitions import BORN
from integrations.simulators.hubspot.scopes import fixed
from integrations.simulators.hubspot.values import iso
from integrations.simulators.wire import Json, Reply, json_reply

VERSIONS = frozenset({"v4"}) | DATED
SEQUENCES: dict[str, Json] = {
    number: {
        "id": number,
        "name": name,
        "userId": "9101",
        "createdAt": BORN,
        "updatedAt": BORN,
    }
    for number, name in (("6001", "Warm follow-up"), ("6002", "Re-engage"))
}


def list_sequences(call: Call) -> Reply:
    """GET ?userId=&name=."""
    _user(call)
    name = call.request.first("name").lower()
    found = [s for s in SEQUENCES.values() if name in s["name"].lower()]
    return json_reply({"total": len(found), "results": found})


def read_sequence(call: Call) -> Reply:
    """GET /{sequenceId}?userId=."""
    _user(call)
    sequence = SEQUENCES.get(call.args[0])
    if sequence is None:
        raise errors.not_found("sequence not found")
    more: Json = {"steps": [], "settings": {}, "dependencies": []}
    return json_reply(sequence | more)


def enroll(call: Call) -> Reply:
    """POST /enrollments?userId= {sequenceId, contactId, senderEmail}: 200."""
    user, body = _user(call), call.body()
    contact = call.portal.tables["contacts"].live(str(body.get("contactId", "")))
    if contact is None or str(body.get("sequenceId")) not in SEQUENCES:
        raise errors.not_found("sequence or contact not found")
    if body.get("senderEmail") != user["email"]:
        raise errors.bad_request("senderEmail is not a mailbox connected to the user")
    now = iso(call.world.now_ms())
    kept = call.portal.documents("enrollments")
    enrolment: Json = {
        "id": str(len(kept) + 1),
        "toEmail": contact.props.get("email", ""),
        "enrolledAt": now,
        "updatedAt": now,
    }
    sequence = str(body["sequenceId"])
    more = {"sequenceId": sequence, "sequenceName": SEQUENCES[sequence]["name"]}
    more |= {"enrolledBy": user["id"], "enrolledByEmail": user["email"]}
    call.portal.do(["doc", "enrollments", str(contact.id), enrolment | more])
    return json_reply(enrolment)


def read_enrollment(call: Call) -> Reply:
    """GET /enrollments/contact/{contactId}."""
    found = call.portal.documents("enrollments").get(call.args[0])
    if found is None:
        raise errors.not_found("the contact is in no sequence")
    return json_reply(found)


def _user(call: Call) -> Json:
    number = call.request.first("userId")
    for owner in call.portal.documents("owners").values():
        if number and str(owner.get("userId")) == number:
            return owner
    raise errors.bad_request(f"userId {number} is not a user of this account")


def enroll_in_workflow(call: Call) -> Reply:
    """POST or DELETE /workflows/{id}/enrollments/contacts/{email}: 204."""
    contact = call.portal.tables["contacts"].live(call.args[1], "email")
    if contact is None:
        raise errors.not_found("contact not found")
    key = f"{call.args[0]}/{contact.id}"
    inside = call.request.method == "POST"
    value = {"enrolledAt": iso(call.world.now_ms())} if inside else None
    call.portal.do(["doc", "workflow_enrollments", key, value])
    return Reply(204)


_WORKFLOW = "{id}/enrollments/contacts/{email}"
_V2 = frozenset({"v2"})


reads = fixed("automation.sequences.read")
enrolls = fixed("automation.sequences.enrollments.write")
automates = fixed("automation")
ROUTES = [
    Route("sequences", "GET", "", list_sequences, reads, VERSIONS),
    Route("sequences", "GET", "{id}", read_sequence, reads, VERSIONS),
    Route("sequences", "POST", "enrollments", enroll, enrolls, VERSIONS),
    Route(
        "sequences", "GET", "enrollments/contact/{id}", read_enrollment, reads, VERSIONS
    ),
    Route("workflows", "POST", _WORKFLOW, enroll_in_workflow, automates, _V2),
    Route("workflows", "DELETE", _WORKFLOW, enroll_in_workflow, automates, _V2),
]
