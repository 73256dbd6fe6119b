"""Single records: create, read, update, archive, list, merge, erase."""

from bisect import bisect_left
from dataclasses import dataclass

from integrations.simulators.hubspot import errors, views
from integrations.simulators.hubspot.call import Call, Route
from integrations.simulators.hubspot.merging import merge_records
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.hubspot.scopes import of_records
from integrations.simulators.wire import Json, Reply, json_reply


def create(call: Call) -> Reply:
    """POST: 201 with the record."""
    table, writer = call.table(), call.writer()
    record = writer.apply(writer.plan_create(table, call.body()))
    call.done(writer)
    return json_reply(views.render_whole(record), 201)


def read(call: Call) -> Reply:
    """GET by id or ?idProperty=."""
    table = call.table()
    id_property = _id_property(call, table)
    archived = call.request.flag("archived")
    record = table.find(call.args[1], id_property)
    if record is None or bool(record.archived_at) != archived or call.hides(record):
        raise errors.not_found()
    return json_reply(_Shown.of(call, table).record(call, table, record))


def update(call: Call) -> Reply:
    """PATCH by id or ?idProperty=."""
    table, writer = call.table(), call.writer()
    record = table.live(call.args[1], _id_property(call, table))
    if record is None or call.hides(record):
        raise errors.not_found()
    body = call.body()
    record = writer.apply(writer.plan_update(table, record, body))
    call.done(writer)
    names = views.written_names(table, body["properties"])
    return json_reply(views.render(record, names))


def archive(call: Call) -> Reply:
    """DELETE: 204, also when the record is gone already."""
    table, writer = call.table(), call.writer()
    record = table.live(call.args[1])
    if record is not None:
        writer.archive(table, record)
        call.done(writer)
    return Reply(204)


def list_records(call: Call) -> Reply:
    """GET a page ordered by record id; paging.next.after is the next record's id."""
    table = call.table()
    limit, after = call.limit(default=10, most=100), call.after()
    archived = call.request.flag("archived")
    shown = _Shown.of(call, table)
    results: list[Json] = []
    for number in table.ids[bisect_left(table.ids, after) :]:
        record = table.records[number]
        if bool(record.archived_at) != archived or call.hides(record):
            continue
        if len(results) == limit:
            return json_reply({"results": results, "paging": _next(call, number)})
        results.append(shown.record(call, table, record))
    return json_reply({"results": results})


def merge(call: Call) -> Reply:
    """POST {primaryObjectId, objectIdToMerge}: 200 with the surviving record."""
    table, writer, body = call.table(), call.writer(), call.body()
    primary = table.live(str(body.get("primaryObjectId", "")))
    other = table.live(str(body.get("objectIdToMerge", "")))
    if primary is None or other is None:
        raise errors.not_found()
    if primary is other:
        raise errors.bad_request("Cannot merge a record with itself")
    record = merge_records(
        call.portal, call.world.settings, writer, table, primary, other
    )
    call.done(writer)
    return json_reply(views.render(record, views.shown_names(table, [])))


def gdpr_delete(call: Call) -> Reply:
    """POST {objectId, idProperty?}: erase for good."""
    table, writer, body = call.table(), call.writer(), call.body()
    record = table.find(
        str(body.get("objectId", "")), str(body.get("idProperty") or "")
    )
    if record is None:
        raise errors.not_found()
    writer.erase(table, record)
    call.done(writer)
    return Reply(204)


def _id_property(call: Call, table: RecordTable) -> str:
    name = call.request.first("idProperty")
    if name and name not in table.id_properties():
        message = (
            f"Unable to perform read/update by non-unique {table.kind.type_id} property"
        )
        raise errors.bad_request(message)
    return name


@dataclass(frozen=True, slots=True)
class _Shown:
    """What of its records a reading request asked for. names: past ones too."""

    names: list[str]
    past: list[str]
    targets: list[str]

    @classmethod
    def of(cls, call: Call, table: RecordTable) -> "_Shown":
        request = call.request
        names = views.shown_names(table, request.names("properties"))
        past = request.names("propertiesWithHistory")
        named = list(dict.fromkeys([*names, *past]))
        return cls(named, past, request.names("associations"))

    def record(self, call: Call, table: RecordTable, record: Record) -> Json:
        shown = views.render(record, self.names)
        views.with_history(shown, record, self.past)
        if self.targets:
            views.with_associations(shown, call.portal, table, record, self.targets)
        return shown


def _next(call: Call, after: int) -> Json:
    link = f"{call.request.path}?after={after}"
    return {"next": {"after": str(after), "link": link}}


reads, writes = of_records("read"), of_records("write")
ROUTES = [
    Route("objects", "GET", "{type}", list_records, reads),
    Route("objects", "POST", "{type}", create, writes),
    Route("objects", "GET", "{type}/{id}", read, reads),
    Route("objects", "PATCH", "{type}/{id}", update, writes),
    Route("objects", "DELETE", "{type}/{id}", archive, writes),
    Route("objects", "POST", "{type}/merge", merge, writes),
    Route("objects", "POST", "{type}/gdpr-delete", gdpr_delete, writes),
]
