"""Up to 200 records per call: composite/sobjects."""

from collections import Counter
from collections.abc import Callable
from itertools import groupby
from typing import Any

from integrations.simulators.salesforce import errors, ids, upserts
from integrations.simulators.salesforce.call import MOST_RECORDS, Call, Route
from integrations.simulators.salesforce.definitions import Field
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.references import attribute
from integrations.simulators.salesforce.rows_api import shown_row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import Json, Reply, json_reply

# The number is not confirmed by any document at hand.
MOST_CHUNKS = 10
Act = Callable[[Writer, int, Any], Json]


def each(call: Call, items: list[Any], act: Act, *, all_or_none: bool) -> list[Json]:
    """Apply an act to every item; take all back when one fails and all must succeed."""
    writer = call.writer()
    point = writer.savepoint() if all_or_none else None
    results = [_one(call, writer, at, item, act) for at, item in enumerate(items)]
    if point is not None and not all(result["success"] for result in results):
        writer.undo_to(point)
        results = [r if not r["success"] else errors.rolled_back() for r in results]
    writer.done()
    return results


def _one(call: Call, writer: Writer, at: int, item: Any, act: Act) -> Json:
    try:
        if call.request.poison is not None:
            fault = call.spoiled(at, _id_of(item) if isinstance(item, dict) else item)
            if fault is not None:
                raise fault
        return act(writer, at, item)
    except RowError as error:
        return error.in_row()


def _all_or_none(call: Call) -> bool:
    return call.any_body().get("allOrNone") is True


def _id_of(record: Json) -> str:
    found = record.get("id") or record.get("Id") or ""
    return found if isinstance(found, str) else ""


def _typed(call: Call, record: Json) -> Table:
    name = attribute(record, "type")
    table = call.org.table(name)
    if table is None:
        message = f"sObject type '{name}' is not supported."
        raise RowError("INVALID_TYPE", message)
    return table


def _check_chunks(records: list[Json]) -> None:
    chunks = sum(1 for _ in groupby(attribute(record, "type") for record in records))
    if chunks > MOST_CHUNKS:
        raise errors.bad_request(
            "INVALID_OPERATION",
            f"Cannot have more than {MOST_CHUNKS} chunks in a single operation. "
            "Please rearrange the data to reduce chunking.",
        )


def _create(call: Call) -> Reply:
    records = call.records()
    _check_chunks(records)

    def act(writer: Writer, at: int, record: Json) -> Json:
        row = writer.create(_typed(call, record), record)
        return {"id": row.id, "success": True, "errors": []}

    return json_reply(each(call, records, act, all_or_none=_all_or_none(call)))


def _update(call: Call) -> Reply:
    records = call.records()
    _check_chunks(records)

    def act(writer: Writer, at: int, record: Json) -> Json:
        row_id = update_one(writer, _typed(call, record), record)
        return {"id": row_id, "success": True, "errors": []}

    return json_reply(each(call, records, act, all_or_none=_all_or_none(call)))


def update_one(writer: Writer, table: Table, record: Json) -> str:
    """Change the record its own id names; return that id. Raises RowError."""
    given = _id_of(record)
    if not given:
        raise RowError("MISSING_ARGUMENT", "Id not specified in an update call")
    identifier = ids.normal(given)
    if not identifier or identifier[:3] != table.kind.prefix:
        raise errors.malformed_id(f"{table.kind.label} ID", given)
    row = table.rows.get(identifier)
    if row is None or writer.world.settings.hides(row.id):
        raise errors.bad_reference()
    if row.deleted_at:
        raise errors.deleted()
    raw = {name: value for name, value in record.items() if name.lower() != "id"}
    writer.update(table, row, raw)
    return row.id


def _upsert(call: Call) -> Reply:
    table = call.table()
    made = call.key_field(table, call.args[1])
    records = call.records()
    twice = repeated(table, made, records)

    def act(writer: Writer, at: int, record: Json) -> Json:
        if attribute(record, "type") not in ("", table.name):
            raise RowError("INVALID_TYPE", f"all records must be {table.name}")
        return upsert_one(writer, table, made, record, twice)

    return json_reply(each(call, records, act, all_or_none=_all_or_none(call)))


def repeated(table: Table, made: Field, records: list[Json]) -> set[str]:
    """Return the keys that occur more than once in a request."""
    counts = Counter(_key(table, made, record) for record in records)
    return {key for key, times in counts.items() if times > 1 and key}


def _key(table: Table, made: Field, record: Json) -> str:
    value = _own(record, made.name)
    return table.key(made.name, value) if isinstance(value, str | int | float) else ""


def _own(record: Json, wanted: str) -> Any:
    if wanted in record:
        return record[wanted]
    low = wanted.lower()
    return next((v for name, v in record.items() if name.lower() == low), None)


def upsert_one(
    writer: Writer, table: Table, made: Field, record: Json, twice: set[str]
) -> Json:
    """Create or change by the key inside the record. Raises RowError."""
    key = _own(record, made.name)
    if key in (None, ""):
        message = f"{made.name} not specified"
        raise RowError("MISSING_ARGUMENT", message, [made.name])
    if twice and _key(table, made, record) in twice:
        message = f"Duplicate external id specified: {key}"
        raise RowError("DUPLICATE_VALUE", message, [made.name])
    if made.name != "Id" and _id_of(record):
        message = "The Id field should not be specified in the sobject data."
        raise RowError("INVALID_FIELD", message)
    low = made.name.lower()
    raw = {name: value for name, value in record.items() if name.lower() != low}
    row, created = upserts.upsert(writer, table, made, key, raw)
    return {"id": row.id, "success": True, "errors": [], "created": created}


def _delete(call: Call) -> Reply:
    given = call.request.names("ids")
    if not given or len(given) > MOST_RECORDS:
        message = f"give 1 to {MOST_RECORDS} ids"
        raise errors.bad_request("EXCEEDED_ID_LIMIT", message)
    call.request.inputs = len(given)

    def act(writer: Writer, at: int, text: str) -> Json:
        delete_one(writer, text)
        return {"id": ids.normal(text), "success": True, "errors": []}

    all_or_none = call.request.flag("allOrNone")
    return json_reply(each(call, given, act, all_or_none=all_or_none))


def delete_one(writer: Writer, text: str) -> None:
    """Delete the record an id names. Raises RowError."""
    identifier = ids.normal(text)
    if not identifier:
        raise RowError("MALFORMED_ID", f"malformed id {text}")
    table = writer.org.table_of(identifier)
    if table is None:
        raise errors.bad_reference()
    row = table.rows[identifier]
    if row.deleted_at:
        raise errors.deleted()
    writer.delete(table, row)


def _texts(body: Json, name: str) -> list[str]:
    found = body.get(name) or []
    if not isinstance(found, list) or not all(isinstance(x, str) for x in found):
        raise errors.bad_request("JSON_PARSER_ERROR", f"{name} must be a list of text")
    return found


def _retrieve(call: Call) -> Reply:
    table = call.table()
    if call.request.method == "POST":
        body = call.body()
        wanted = _texts(body, "ids")
        call.request.query["fields"] = _texts(body, "fields")
    else:
        wanted = call.request.names("ids")
    if not call.request.names("fields"):
        raise errors.bad_request("MISSING_ARGUMENT", "fields are required")
    call.request.inputs = len(wanted)
    hides = call.world.settings.hides
    rows = [table.live(ids.normal(text)) for text in wanted]
    rows = [None if row is None or hides(row.id) else row for row in rows]
    return json_reply([shown_row(call, table, row) if row else None for row in rows])


ROUTES = [
    Route("POST", "composite/sobjects", _create),
    Route("PATCH", "composite/sobjects", _update),
    Route("DELETE", "composite/sobjects", _delete),
    Route("PATCH", "composite/sobjects/{type}/{key}", _upsert),
    Route("GET", "composite/sobjects/{type}", _retrieve),
    Route("POST", "composite/sobjects/{type}", _retrieve),
]
