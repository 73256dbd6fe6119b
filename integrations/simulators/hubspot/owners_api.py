"""Owners: read-only, by id or user id."""

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.call import DATED, Call, Route
from integrations.simulators.hubspot.scopes import fixed
from integrations.simulators.wire import Json, Reply, json_reply

VERSIONS = frozenset({"v3"}) | DATED


def list_owners(call: Call) -> Reply:
    """GET ?email=&limit=&after=&archived=."""
    limit, after = call.limit(default=100, most=500), call.after()
    email = call.request.first("email").lower()
    archived = call.request.flag("archived")
    found = [
        owner
        for owner in call.portal.documents("owners").values()
        if owner["archived"] == archived
        and email in ("", owner["email"])
        and int(owner["id"]) > after
    ]
    page = found[:limit]
    payload: Json = {"results": page}
    if len(found) > limit:
        last = page[-1]["id"]
        payload["paging"] = {"next": {"after": last, "link": f"?after={last}"}}
    return json_reply(payload)


def read_owner(call: Call) -> Reply:
    """GET /{ownerId}?idProperty=id|userId&archived=."""
    name = call.request.first("idProperty", "id")
    archived = call.request.flag("archived")
    for owner in call.portal.documents("owners").values():
        if str(owner.get(name)) == call.args[0] and owner["archived"] == archived:
            return json_reply(owner)
    raise errors.not_found("owner not found")


reads = fixed("crm.objects.owners.read")
ROUTES = [
    Route("owners", "GET", "", list_owners, reads, VERSIONS),
    Route("owners", "GET", "{id}", read_owner, reads, VERSIONS),
]
