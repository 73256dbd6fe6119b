"""Single records: create, read, change, delete, and all of that by external id."""

from integrations.simulators.salesforce import errors, ids, upserts
from integrations.simulators.salesforce.call import Call, Route, find_by_key, moment_of
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.soql_lexer import Token
from integrations.simulators.salesforce.soql_paths import (
    Scope,
    columns,
    renderer,
)
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import Json, Reply, json_reply


def _create(call: Call) -> Reply:
    table, writer = call.table(), call.writer()
    raw = call.body()
    try:
        _check_fault(call, "")
        row = writer.create(table, raw)
    except RowError as error:
        raise error.in_request() from error
    writer.done()
    location = f"{call.base}/sobjects/{table.name}/{row.id}"
    body = {"id": row.id, "success": True, "errors": []}
    return json_reply(body, 201, [("Location", location)])


def _check_fault(call: Call, identifier: str) -> None:
    error = call.spoiled(0, identifier)
    if error is not None:
        raise error


def found_row(call: Call, table: Table, given: str) -> Row:
    """Return a live record by a path's id; raises a 404 or RowError."""
    identifier = ids.normal(given)
    if not identifier:
        raise errors.malformed_id(f"{table.kind.label} ID", given).in_request()
    row = table.rows.get(identifier)
    if row is None or call.world.settings.hides(row.id):
        raise errors.not_found()
    if row.deleted_at:
        raise errors.deleted().in_request()
    return row


def _read(call: Call) -> Reply:
    table = call.table()
    row = found_row(call, table, call.args[1])
    since = call.request.header("If-Modified-Since")
    if since and row.stamp <= moment_of(since):
        return Reply(304)
    return json_reply(shown_row(call, table, row))


def shown_row(call: Call, table: Table, row: Row) -> Json:
    """Return a record with ?fields=, by default all that its caller sees."""
    wanted = call.request.names("fields")
    names = wanted or [made.name for made in call.access.fields(table)]
    scope = Scope(call.org, call.access, table, ",".join(wanted))
    tree = columns(scope, [Token("name", name, 0) for name in names])
    return renderer(table, tree, f"{call.base}/sobjects")(row)


def _update(call: Call) -> Reply:
    table = call.table()
    row = found_row(call, table, call.args[1])
    _check_unmodified(call, row)
    raw = call.body()
    if any(name.lower() == "id" for name in raw):
        message = "The Id field should not be specified in the sobject data."
        raise errors.bad_request("INVALID_FIELD", message)
    writer = call.writer()
    try:
        _check_fault(call, row.id)
        writer.update(table, row, raw)
    except RowError as error:
        raise error.in_request() from error
    writer.done()
    return Reply(204)


def _check_unmodified(call: Call, row: Row) -> None:
    before = call.request.header("If-Unmodified-Since")
    if before and row.stamp > moment_of(before):
        message = "Entity has been modified since the specified time"
        raise errors.plain(412, "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", message)


def _delete(call: Call) -> Reply:
    table = call.table()
    _delete_row(call, call.writer(), table, found_row(call, table, call.args[1]))
    return Reply(204)


def _delete_row(call: Call, writer: Writer, table: Table, row: Row) -> None:
    try:
        _check_fault(call, row.id)
        writer.delete(table, row)
    except RowError as error:
        raise error.in_request() from error
    writer.done()


# -- by external id


def _read_by_key(call: Call) -> Reply:
    table = call.table()
    return json_reply(shown_row(call, table, _keyed(call, table)))


def _keyed(call: Call, table: Table) -> Row:
    made = call.key_field(table, call.args[1])
    several = _several(call, table)
    if several:
        raise errors.ApiError(300, several)
    row = find_by_key(table, made, call.args[2])
    if row is None:
        raise errors.not_found()
    return row


def _several(call: Call, table: Table) -> list[str]:
    """Return the addresses of the records that share the path's key."""
    made = call.key_field(table, call.args[1])
    found = [] if made.name == "Id" else table.find(made.name, call.args[2])
    base = f"{call.base}/sobjects/{table.name}"
    return [f"{base}/{identifier}" for identifier in found] if len(found) > 1 else []


def _upsert(call: Call) -> Reply:
    table = call.table()
    several = _several(call, table)
    if several:
        return json_reply(several, 300)
    made, key, raw = call.key_field(table, call.args[1]), call.args[2], call.body()
    for name in raw:
        if name.lower() in ("id", made.name.lower()):
            message = f"The {name} field should not be specified in the sobject data."
            raise errors.bad_request("INVALID_FIELD", message)
    update_only = call.request.flag("updateOnly")
    writer = call.writer()
    try:
        _check_fault(call, "")
        row, created = upserts.upsert(
            writer, table, made, key, raw, update_only=update_only
        )
    except RowError as error:
        raise error.in_request() from error
    writer.done()
    return _upserted(call, row, created=created)


def _upserted(call: Call, row: Row, *, created: bool) -> Reply:
    body = {"id": row.id, "success": True, "errors": [], "created": created}
    # Before version 46 an update said nothing.
    if not created and float(call.version[1:]) < 46:
        return Reply(204)
    return json_reply(body, 201 if created else 200)


def _delete_by_key(call: Call) -> Reply:
    table = call.table()
    _delete_row(call, call.writer(), table, _keyed(call, table))
    return Reply(204)


ROUTES = [
    Route("POST", "sobjects/{type}", _create),
    Route("GET", "sobjects/{type}/{id}", _read),
    Route("PATCH", "sobjects/{type}/{id}", _update),
    Route("DELETE", "sobjects/{type}/{id}", _delete),
    Route("GET", "sobjects/{type}/{key}/{value}", _read_by_key),
    Route("PATCH", "sobjects/{type}/{key}/{value}", _upsert),
    Route("DELETE", "sobjects/{type}/{key}/{value}", _delete_by_key),
]
