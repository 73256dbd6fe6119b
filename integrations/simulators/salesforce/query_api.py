"""Queries page by page, and what changed or went between two times."""

import itertools

from integrations.simulators.salesforce import errors, ids, values
from integrations.simulators.salesforce.call import Call, Route, call_option
from integrations.simulators.salesforce.cursors import Cursor
from integrations.simulators.salesforce.query import Runner
from integrations.simulators.salesforce.soql_paths import renderer
from integrations.simulators.salesforce.table import Table
from integrations.simulators.wire import Json, Reply, json_reply

LEAST_PAGE, MOST_PAGE = 200, 2000
DAY_S = 86_400
UPDATED_DAYS, DELETED_DAYS = 30, 15
_numbers = itertools.count(1)


def _query(call: Call) -> Reply:
    return _start(call, all_rows=False)


def _query_all(call: Call) -> Reply:
    return _start(call, all_rows=True)


def _start(call: Call, *, all_rows: bool) -> Reply:
    text = call.request.first("q")
    if not text:
        raise errors.bad_request("MALFORMED_QUERY", "SOQL statement is required")
    runner = Runner(call.world, call.org, call.access, all_rows=all_rows)
    found = runner.run(text)
    if found.records is not None:
        size = len(found.records)
        return json_reply({"totalSize": size, "done": True, "records": found.records})
    if found.count >= 0:
        return json_reply({"totalSize": found.count, "done": True, "records": []})
    settings = call.world.settings
    cursor = Cursor(
        ids.make("01g", call.org.pod, next(_numbers)),
        found.rows,
        renderer(found.table, found.columns, f"{call.base}/sobjects"),
        min(_page_size(call), settings.page_size_cap),
        all_rows,
        call.world.now() + settings.query_cursor_ttl_s,
    )
    return _page(call, cursor, 0)


def _page_size(call: Call) -> int:
    wanted = call_option(call.request, "Sforce-Query-Options", "batchSize")
    if not wanted.isdigit():
        return MOST_PAGE
    return min(max(int(wanted), LEAST_PAGE), MOST_PAGE)


def _page(call: Call, cursor: Cursor, start: int) -> Reply:
    end = start + cursor.page
    rows = cursor.rows[start:end]
    shown = [row for row in rows if cursor.all_rows or not row.deleted_at]
    answer: Json = {
        "totalSize": len(cursor.rows),
        "done": end >= len(cursor.rows),
        "records": [cursor.render(row) for row in shown],
    }
    if not answer["done"]:
        answer["nextRecordsUrl"] = f"{call.base}/query/{cursor.id}-{end}"
        call.world.cursors(call.org).add(cursor)
    return json_reply(answer)


def _more(call: Call) -> Reply:
    identifier, _, start = call.args[0].partition("-")
    cursor = call.world.cursors(call.org).open.get(identifier)
    gone = cursor is None or cursor.expires_at <= call.world.now()
    if cursor is None or gone or not start.isdigit():
        raise errors.bad_request("INVALID_QUERY_LOCATOR", "invalid query locator")
    cursor.expires_at = call.world.now() + call.world.settings.query_cursor_ttl_s
    return _page(call, cursor, int(start))


# -- replication


def _span(call: Call, days: int) -> tuple[int, int]:
    """Return ?start= and ?end= as whole minutes; raises a 400.

    Seconds are ignored, which is commonly known and not confirmed.
    """
    try:
        start = values.epoch(call.request.first("start"))
        end = values.epoch(call.request.first("end"))
    except ValueError as error:
        message = f"start and end are date-times: {error}"
        raise errors.bad_request("INVALID_REPLICATION_DATE", message) from error
    start, end = start - start % 60, end - end % 60
    if end <= start:
        message = "end date must be at least one minute greater than start date"
        raise errors.bad_request("INVALID_REPLICATION_DATE", message)
    if start < call.world.now() - days * DAY_S:
        message = f"start date must be within the last {days} days"
        raise errors.bad_request("INVALID_REPLICATION_DATE", message)
    now = int(call.world.now())
    return start, min(end, now - now % 60)


def _updated(call: Call) -> Reply:
    table = call.table()
    start, end = _span(call, UPDATED_DAYS)
    table.catch_up(call.world.now())
    found = [
        identifier
        for second, identifier in table.stamps.between(start, end - 1)
        if _shows(table, identifier, second)
    ]
    return json_reply({"ids": found, "latestDateCovered": values.iso(end)})


def _shows(table: Table, identifier: str, second: int) -> bool:
    row = table.live(identifier)
    return row is not None and row.stamp == second and identifier not in table.lagging


def _deleted(call: Call) -> Reply:
    table = call.table()
    start, end = _span(call, DELETED_DAYS)
    gone = [(row.id, row.deleted_at) for row in table.bin.values()] + table.purged
    listed = [
        {"id": identifier, "deletedDate": values.iso(at)}
        for identifier, at in sorted(gone, key=lambda item: item[1])
        if start <= at < end
    ]
    earliest = int(call.world.now()) - DELETED_DAYS * DAY_S
    return json_reply(
        {
            "deletedRecords": listed,
            "earliestDateAvailable": values.iso(earliest - earliest % 60),
            "latestDateCovered": values.iso(end),
        }
    )


ROUTES = [
    Route("GET", "query", _query),
    Route("GET", "queryAll", _query_all),
    Route("GET", "query/{locator}", _more),
    Route("GET", "queryAll/{locator}", _more),
    Route("GET", "sobjects/{type}/updated", _updated),
    Route("GET", "sobjects/{type}/deleted", _deleted),
]
