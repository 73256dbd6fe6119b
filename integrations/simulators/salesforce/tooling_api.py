"""The Tooling API, as far as defining fields and channels goes."""

from integrations.simulators.salesforce import errors, ids, metadata
from integrations.simulators.salesforce.call import Call, Route
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.wire import Json, Reply, json_reply


def _create_field(call: Call) -> Reply:
    body = call.body()
    described = body.get("Metadata")
    if not isinstance(described, dict) or not body.get("FullName"):
        raise errors.missing(["FullName", "Metadata"]).in_request()
    try:
        made, _ = metadata.put_field(
            call.org,
            str(body["FullName"]),
            described,
            at=int(call.world.now()),
            ungranted=True,
            new=True,
        )
    except RowError as error:
        raise error.in_request() from error
    return json_reply(_saved(made.id), 201)


def _saved(identifier: str) -> Json:
    return {
        "id": identifier,
        "success": True,
        "errors": [],
        "warnings": [],
        "infos": [],
    }


def _delete_field(call: Call) -> Reply:
    wanted = ids.normal(call.args[0])
    for table in call.org.tables.values():
        for made in list(table.fields.values()):
            if made.id and made.id == wanted:
                at = int(call.world.now())
                call.org.do(["unfield", table.name, made.name])
                call.org.do(["doc", "describe_changed", table.name, {"at": at}])
                return Reply(204)
    raise errors.not_found()


def _create_member(call: Call) -> Reply:
    """Enable change events for an entity; kept, and otherwise without effect."""
    body = call.body()
    name = str(body.get("FullName") or "")
    if not name or not isinstance(body.get("Metadata"), dict):
        raise errors.missing(["FullName", "Metadata"]).in_request()
    members = call.org.documents("channel_members")
    if name in members:
        message = f"duplicate value found: FullName duplicates value on {name}"
        raise errors.bad_request("DUPLICATE_VALUE", message)
    identifier = ids.make("0v8", call.org.pod, len(members) + 1)
    call.org.do(["doc", "channel_members", name, body | {"Id": identifier}])
    return json_reply(_saved(identifier), 201)


ROUTES = [
    Route("POST", "tooling/sobjects/CustomField", _create_field),
    Route("DELETE", "tooling/sobjects/CustomField/{id}", _delete_field),
    Route("POST", "tooling/sobjects/PlatformEventChannelMember", _create_member),
]
