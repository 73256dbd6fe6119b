"""Reading and making fields: the set-up of an account.

A field made through an interface is seen by nobody, ourselves included, until a
permission set grants it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from integrations.connectors.messages import Call
from integrations.connectors.salesforce import describing, soap
from integrations.connectors.salesforce.answers import Json, entries
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.errors import VENDOR, error_of
from integrations.connectors.salesforce.soql import any_of, select
from integrations.connectors.salesforce.spec import READ_HEADERS, SPEC
from integrations.errors import (
    DuplicateFound,
    Misconfigured,
    OutcomeUnknown,
    PermissionMissing,
    RecordGone,
    RecordRejected,
    SyncError,
)
from integrations.records import RemoteField

# Whatever concerns this field alone; trouble of the whole account is raised.
_ITS_OWN = (
    DuplicateFound,
    Misconfigured,
    OutcomeUnknown,
    PermissionMissing,
    RecordRejected,
)
_THERE_ALREADY = frozenset(
    {"DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE", "DUPLICATE_CUSTOM_FIELD"}
)


def describe(calls: Calls, object_type: str) -> tuple[RemoteField, ...]:
    """List the fields of an object that we may see."""
    path = calls.path("sobjects", object_type, "describe")
    try:
        body = calls.get(path, object_type=object_type)
    except RecordGone as error:
        told = f"There is no object {object_type}, or we may not see it"
        raise Misconfigured(told, vendor=VENDOR, code=error.code) from None
    fields = (describing.remote_field(one) for one in entries(body, "fields"))
    return tuple(field for field in fields if field.name)


def ensure(
    calls: Calls, object_type: str, fields: Sequence[RemoteField]
) -> tuple[RemoteField, ...]:
    """Make the fields that are missing; return each as it now is."""
    there = _by_name(calls, object_type)
    missing = [field for field in fields if _find(field, there) is None]
    refusals = _made(calls, object_type, missing) if missing else {}
    if len(refusals) < len(missing):
        there = _by_name(calls, object_type)
    return tuple(_as_it_is(field, there, refusals) for field in fields)


def _by_name(calls: Calls, object_type: str) -> dict[str, RemoteField]:
    return {field.name: field for field in describe(calls, object_type)}


def _find(field: RemoteField, there: Mapping[str, RemoteField]) -> RemoteField | None:
    return there.get(field.name) or there.get(describing.custom_name(field.name))


def _as_it_is(
    wanted: RemoteField,
    there: Mapping[str, RemoteField],
    refusals: Mapping[str, SyncError],
) -> RemoteField:
    if refusal := refusals.get(wanted.name):
        return replace(wanted, refusal=refusal)
    found = _find(wanted, there)
    if found is None:
        told = f"{wanted.name} was made, but we may not see it"
        return replace(wanted, refusal=PermissionMissing(told, vendor=VENDOR))
    outcome = describing.serving(wanted, found)
    return (
        replace(found, refusal=outcome) if isinstance(outcome, SyncError) else outcome
    )


def _made(
    calls: Calls, object_type: str, missing: Sequence[RemoteField]
) -> dict[str, SyncError]:
    """Make each field and grant it to ourselves; return name -> why not."""
    refusals: dict[str, SyncError] = {}
    user_id = ""
    for field in missing:
        try:
            _make(calls, object_type, field)
            user_id = user_id or who(calls)
            _grant(calls, object_type, describing.custom_name(field.name), user_id)
        except _ITS_OWN as error:
            refusals[field.name] = error
    return refusals


def _make(calls: Calls, object_type: str, field: RemoteField) -> None:
    body = {
        "FullName": describing.full_name(
            object_type, describing.custom_name(field.name)
        ),
        "Metadata": describing.new_field(field),
    }
    try:
        _create(calls, ("tooling", "sobjects", "CustomField"), body)
    except (DuplicateFound, RecordRejected) as error:
        if error.code not in _THERE_ALREADY:
            raise
        # Made before and not granted, or by another; describing it again tells.


def _grant(calls: Calls, object_type: str, name: str, user_id: str) -> None:
    """Let our own user see and edit a field.

    A set of its own for each: writing a set again replaces all that it grants. A field
    of activities is granted as one of tasks and as one of events.
    """
    full = f"{object_type}.{name}"
    set_name = "crmsync_" + full.removesuffix("__c").replace("__", "_").replace(
        ".", "_"
    )
    body = soap.permission_set(set_name[:80], f"crmsync: {full}"[:80], full)
    call = Call(
        "POST",
        SPEC.paths["metadata"]["numbered"],
        content=lambda token: soap.envelope(soap.METADATA, body, token),
        content_type="text/xml; charset=UTF-8",
        headers={"SOAPAction": '""'},
        expects="raw",
    )
    for result in soap.results(calls.http.request(call).raw):
        if result.get("success") != "true":
            told = {"statusCode": result.get("error"), "message": result.get("message")}
            raise error_of(told)
    _assign(calls, set_name, user_id)


def _assign(calls: Calls, set_name: str, user_id: str) -> None:
    text = select(("Id",), "PermissionSet", any_of("Name", [set_name]), limit=1)
    rows = entries(calls.query(text, object_type="PermissionSet"))
    if not rows:
        raise PermissionMissing("The permission set was not made", vendor=VENDOR)
    body = {"AssigneeId": user_id, "PermissionSetId": rows[0].get("Id")}
    try:
        _create(calls, ("sobjects", "PermissionSetAssignment"), body)
    except DuplicateFound:
        return  # assigned before


def _create(calls: Calls, parts: tuple[str, ...], body: Json) -> None:
    """POST one thing of the set-up. Raises what refuses it, in a 2xx as well."""
    call = Call("POST", calls.path(*parts), json=body, headers=READ_HEADERS)
    answer = calls.http.request(call).body
    if answer.get("success") is False:
        errors = answer.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else {}
        raise error_of(first if isinstance(first, dict) else {}, 400)


def who(calls: Calls) -> str:
    """Return the id of the user we act as."""
    body = calls.get(SPEC.paths["userinfo"]["numbered"])
    return str(body.get("user_id") or "")
