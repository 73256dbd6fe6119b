"""POST /crm/v3/objects/{type}/search."""

from integrations.simulators.hubspot import errors, search, views
from integrations.simulators.hubspot.call import Call, Route, names_in
from integrations.simulators.hubspot.scopes import of_records
from integrations.simulators.wire import Json, Reply, json_reply

MAX_PAGE = 200
MAX_BODY = 3000


def search_records(call: Call) -> Reply:
    """Return {total, results, paging}; a 400 past the 10,000th result."""
    if len(call.request.body.decode("utf-8", "replace")) > MAX_BODY:
        raise errors.bad_request(f"The body is longer than {MAX_BODY} characters")
    table, body = call.table(), call.body()
    limit, after = _paging(body)
    found = search.find(call.portal, table, body, call.world.now())
    if call.world.settings.hidden_records:
        found = [record for record in found if not call.hides(record)]
    names = views.shown_names(table, names_in(body, "properties"))
    page = found[after : after + limit]
    payload: Json = {
        "total": len(found),
        "results": [views.render(record, names) for record in page],
    }
    if after + limit < len(found):
        payload["paging"] = {"next": {"after": str(after + limit)}}
    return json_reply(payload)


def _paging(body: Json) -> tuple[int, int]:
    limit, after = body.get("limit"), body.get("after")
    size = 10 if limit in (None, 0) else limit
    if not isinstance(size, int) or not 1 <= size <= MAX_PAGE:
        raise errors.bad_request(f"limit must be between 1 and {MAX_PAGE}, was {limit}")
    text = str(after or "0")
    if not text.isdigit():
        raise errors.bad_request(f"Invalid paging token: {after}")
    if int(text) + size > search.MAX_RESULTS:
        raise errors.bad_request(
            f"The maximum number of results is {search.MAX_RESULTS}; "
            f"after {text} with limit {size} goes past it"
        )
    return size, int(text)


reads = of_records("read")
ROUTES = [
    Route("objects", "POST", "{type}/search", search_records, reads, search=True),
]
