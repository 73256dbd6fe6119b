"""The SOAP operations: who one is, converting leads, changing metadata."""

from collections.abc import Callable

from integrations.simulators.salesforce import (
    access,
    conversion,
    errors,
    metadata,
    permissions,
    soap,
    user_info,
)
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.soap import (
    Element,
    SoapCall,
    SoapFault,
    local,
    tag,
)
from integrations.simulators.salesforce.world import World
from integrations.simulators.wire import Reply, Request

PARTNER = "urn:partner.soap.sforce.com"
METADATA = "http://soap.sforce.com/2006/04/metadata"
MOST_COMPONENTS = 10


def reply(world: World, request: Request, segments: list[str]) -> Reply:
    """Answer /services/Soap/u/{version} and /services/Soap/m/{version}."""
    request.template = f"/services/Soap/{segments[2]}/{{version}}"
    try:
        call = soap.read(world, request, segments[3])
        access.spend(world, call.grant.org, running=0)
        name = local(call.operation)
        handler = _OPERATIONS.get((segments[2], name))
        if handler is None:
            message = f"No operation available for request {name}"
            raise SoapFault("UNKNOWN_EXCEPTION", message)
        request.template += f"/{name}"
        return handler(call)
    except SoapFault as fault:
        return fault.reply()
    except errors.ApiError as error:
        # What REST would say, as a fault.
        first = error.body[0]
        return SoapFault(first["errorCode"], first["message"]).reply()


# -- people


def _get_user_info(call: SoapCall) -> Reply:
    return soap.answer("getUserInfo", PARTNER, [user_info.result(call)])


# -- leads


def _convert_leads(call: SoapCall) -> Reply:
    items = list(call.operation)
    if len(items) > call.world.settings.convert_limit:
        message = f"cannot convert more than {call.world.settings.convert_limit} leads"
        raise SoapFault("EXCEEDED_LEAD_CONVERT_LIMIT", message)
    writer = call.writer("CONVERT")
    results = []
    for item in items:
        try:
            done = conversion.convert(writer, _conversion(item))
            results.append(_converted(done))
            _note(call, item, done)
        except RowError as error:
            results.append(_not_converted(error))
    writer.done()
    return soap.answer("convertLead", PARTNER, results)


def _note(call: SoapCall, item: Element, done: conversion.Converted) -> None:
    """Remember who would have had a mail, and whom a conversion is of."""
    mails = list(call.mails)
    if soap.text_of(item, "sendNotificationEmail") == "true":
        mails.append("sendNotificationEmail")
    told = {"lead_id": done.lead_id, "mails": mails, "client": call.client}
    call.grant.org.conversions.append(told)


def _conversion(item: Element) -> conversion.Conversion:
    def said(name: str) -> str:
        return soap.text_of(item, name)

    return conversion.Conversion(
        lead_id=said("leadId"),
        status=said("convertedStatus"),
        account_id=said("accountId"),
        contact_id=said("contactId"),
        owner_id=said("ownerId"),
        opportunity_name=said("opportunityName"),
        no_opportunity=said("doNotCreateOpportunity") == "true",
        overwrite_source=said("overwriteLeadSource") == "true",
    )


def _converted(done: conversion.Converted) -> str:
    return (
        tag("accountId", done.account_id)
        + tag("contactId", done.contact_id)
        + tag("leadId", done.lead_id)
        + tag("opportunityId", done.opportunity_id)
        + tag("success", value=True)
    )


def _not_converted(error: RowError) -> str:
    empty = "".join(tag(f"{n}Id", "") for n in ("account", "contact"))
    return (
        empty
        + soap.error_tag(error)
        + tag("leadId", "")
        + tag("opportunityId", "")
        + tag("success", value=False)
    )


# -- metadata


def _upsert_metadata(call: SoapCall) -> Reply:
    items = [item for item in call.operation if local(item) == "metadata"]
    _check_count(len(items))
    names = [soap.text_of(item, "fullName") for item in items]
    acts = [_upserting(call, item) for item in items]
    results = _each(call, names, acts)
    return soap.answer("upsertMetadata", METADATA, results)


def _check_count(count: int) -> None:
    if count > MOST_COMPONENTS:
        message = f"record limit reached. cannot submit more than {MOST_COMPONENTS}"
        raise SoapFault("EXCEEDED_ID_LIMIT", message)


def _upserting(call: SoapCall, item: Element) -> Callable[[], bool]:
    """Return what creates or changes one component, and says whether it is new."""
    described = soap.tree_of(item)
    full_name, org = soap.text_of(item, "fullName"), call.grant.org
    kind = soap.kind(item)

    def act() -> bool:
        if kind == "CustomField":
            at = int(call.world.now())
            return metadata.put_field(
                org, full_name, described, at=at, ungranted=True, new=False
            )[1]
        if kind == "CustomObject":
            return metadata.put_object(org, full_name, described)[1]
        if kind == "PermissionSet":
            return permissions.put_set(call.writer("SETUP"), full_name, described)
        raise RowError("INVALID_TYPE", f"{kind}: not a type this simulator knows")

    return act


def _each(
    call: SoapCall, names: list[str], acts: list[Callable[[], bool]]
) -> list[str]:
    """Do all, or with AllOrNoneHeader none when one fails."""
    org = call.grant.org
    point = org.savepoint() if call.all_or_none else None
    outcomes = [_outcome(act) for act in acts]
    failed = any(isinstance(outcome, RowError) for outcome in outcomes)
    if point is not None and failed:
        org.undo_to(point)
        back = RowError("ALL_OR_NONE_OPERATION_ROLLED_BACK", errors.ROLLED_BACK)
        outcomes = [o if isinstance(o, RowError) else back for o in outcomes]
    return [_result(n, o) for n, o in zip(names, outcomes, strict=True)]


def _outcome(act: Callable[[], bool]) -> bool | RowError:
    try:
        return act()
    except RowError as error:
        return error


def _result(name: str, outcome: bool | RowError) -> str:  # noqa: FBT001
    if isinstance(outcome, RowError):
        return (
            tag("created", value=False)
            + soap.error_tag(outcome)
            + tag("fullName", name)
            + tag("success", value=False)
        )
    return (
        tag("created", value=outcome)
        + tag("fullName", name)
        + tag("success", value=True)
    )


def _delete_metadata(call: SoapCall) -> Reply:
    kind = soap.text_of(call.operation, "type")
    names = [
        (item.text or "").strip()
        for item in call.operation
        if local(item) == "fullNames"
    ]
    _check_count(len(names))
    if kind != "CustomField":
        raise SoapFault("INVALID_TYPE", f"{kind}: cannot be deleted here")
    results = [_deleted(call, name) for name in names]
    return soap.answer("deleteMetadata", METADATA, results)


def _deleted(call: SoapCall, name: str) -> str:
    try:
        metadata.drop_field(call.grant.org, name, at=int(call.world.now()))
    except RowError as error:
        shown = soap.error_tag(error) + tag("fullName", name)
        return shown + tag("success", value=False)
    return tag("fullName", name) + tag("success", value=True)


_OPERATIONS: dict[tuple[str, str], Callable[[SoapCall], Reply]] = {
    ("u", "getUserInfo"): _get_user_info,
    ("u", "convertLead"): _convert_leads,
    ("m", "upsertMetadata"): _upsert_metadata,
    ("m", "deleteMetadata"): _delete_metadata,
}
