"""Marketing campaigns: list, create, read, update, delete."""

from collections.abc import Callable

from integrations.simulators.hubspot import campaigns, cursors, errors
from integrations.simulators.hubspot.call import Call, Route, Scopes
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.wire import Json, Reply, json_reply

_SORTS: dict[str, Callable[[Record], str | int]] = {
    "hs_name": campaigns.name_of,
    "createdAt": lambda record: record.created,
    "updatedAt": lambda record: record.updated,
}


def table_of(call: Call) -> RecordTable:
    """Return the account's campaigns."""
    return call.portal.tables["campaigns"]


def found(call: Call, guid: str) -> Record | None:
    """Return the campaign of a GUID, if there is one that the caller may see."""
    record = table_of(call).live(guid)
    return None if record is None or call.world.settings.hides(guid) else record


def list_campaigns(call: Call) -> Reply:
    """GET ?limit=50 (1 to 100)&after=&sort=hs_name&name=&properties=: with total.

    name: a part of the name; its case does not matter, UNCONFIRMED.
    """
    table, limit = table_of(call), call.limit(default=50, most=100)
    start = cursors.place_of(call)
    names = campaigns.readable_names(table, call.request.names("properties"))
    part = call.request.first("name").lower()
    every = [r for r in _sorted(call, table) if part in campaigns.name_of(r)]
    page = every[start : start + limit]
    results = [campaigns.shown(table, record, names) for record in page]
    payload: Json = {"total": len(every), "results": results}
    if start + limit < len(every):
        payload["paging"] = cursors.paging(call, start + limit)
    return json_reply(payload)


def _sorted(call: Call, table: RecordTable) -> list[Record]:
    text = call.request.first("sort", "hs_name")
    key = _SORTS.get(text.removeprefix("-"))
    if key is None:
        allowed = ", ".join(_SORTS)
        raise errors.bad_request(f"sort must be one of {allowed}, was {text}")
    hides = call.world.settings.hides
    seen = [
        record
        for record in (table.records[number] for number in table.ids)
        if not record.archived_at and not hides(table.identity(record))
    ]
    return sorted(seen, key=key, reverse=text.startswith("-"))


def create(call: Call) -> Reply:
    """POST {properties}: 201 with the campaign and the properties that were set."""
    table, writer = table_of(call), call.writer()
    plan = campaigns.planned_create(writer, table, call.body())
    record = writer.apply(plan)
    return json_reply(campaigns.shown(table, record, list(plan.changes)), 201)


def read(call: Call) -> Reply:
    """GET /{campaignGuid}?properties=: with assets; no properties unless named."""
    table, record = table_of(call), _named(call)
    names = campaigns.readable_names(table, call.request.names("properties"))
    return json_reply(campaigns.shown_with_assets(table, record, names))


def update(call: Call) -> Reply:
    """PATCH /{campaignGuid} {properties}: 200 with the properties that were sent."""
    table, writer, record = table_of(call), call.writer(), _named(call)
    body = call.body()
    writer.apply(campaigns.planned_update(writer, table, record, body))
    return json_reply(campaigns.shown(table, record, list(body["properties"])))


def delete(call: Call) -> Reply:
    """DELETE /{campaignGuid}: 204, "regardless" of whether there is one."""
    record = found(call, call.args[0])
    if record is not None:
        call.writer().archive(table_of(call), record)
    return Reply(204)


def _named(call: Call) -> Record:
    """Return the campaign of the path; raises a 404, whose words are UNCONFIRMED."""
    record = found(call, campaigns.guid_of(call.args[0]))
    if record is None:
        raise errors.not_found(f"Campaign {call.args[0]} was not found")
    return record


def _scopes(*needed: str) -> Scopes:
    """Need all of these scopes, and the product that campaigns come with.

    UNCONFIRMED: how an account without the product refuses. Its apps are granted no
    campaign scope, so that is what it says here.
    """

    def of(call: Call) -> list[list[str]]:
        if not call.world.settings.marketing_hub:
            raise errors.missing_scopes(list(needed))
        return [[scope] for scope in needed]

    return of


# The guide: reading's scope "is required for all endpoints".
reads = _scopes("marketing.campaigns.read")
writes = _scopes("marketing.campaigns.read", "marketing.campaigns.write")
ROUTES = [
    Route("campaigns", "GET", "", list_campaigns, reads),
    Route("campaigns", "POST", "", create, writes),
    Route("campaigns", "GET", "{id}", read, reads),
    Route("campaigns", "PATCH", "{id}", update, writes),
    Route("campaigns", "DELETE", "{id}", delete, writes),
]
