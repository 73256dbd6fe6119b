"""Putting records in from outside the API, as a person in the browser would.

What is seeded asks no permission. It is checked like any write, except `silent`
changes, which move no stamp, and `system` ones, which may set read-only fields.
"""

from typing import Any

from integrations.simulators.errors import ControlError
from integrations.simulators.salesforce import values
from integrations.simulators.salesforce.controlling import (
    named_row,
    named_table,
    ui_writer,
)
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.world import World
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.seeding import each_new
from integrations.simulators.wire import Json


def seed(world: World, org: Org, raw: Json) -> Json:
    """Create, change or delete records; return {"ids": {object: [ids]}}.

    raw: {"records": [{"object", "properties", and optionally: "id" (change that one),
    "count" (make many; {n} in values is the number), "key" (a name; "@name" in a later
    value is its id), "user", "CreatedDate" / "LastModifiedDate" / "SystemModstamp" or
    "createdAt" / "updatedAt" (ISO or epoch ms; a lone modified date sets both stamps),
    "archived": true or false, "silent": true, "system": true}]}.
    """
    keys: dict[str, str] = {}
    made: dict[str, list[str]] = {}
    for item in raw.get("records") or []:
        table = named_table(org, item.get("object"))
        writer = ui_writer(world, org, item, source="UI")
        for row in _seed_one(writer, table, item, keys):
            made.setdefault(table.name, []).append(row.id)
            if item.get("key"):
                keys[str(item["key"])] = row.id
        writer.done()
    if raw.get("associations"):
        raise ControlError("records refer to one another by their lookup fields")
    return {"ids": made}


def _seed_one(
    writer: Writer, table: Table, item: Json, keys: dict[str, str]
) -> list[Row]:
    given = {k: _named(v, keys) for k, v in (item.get("properties") or {}).items()}
    if item.get("id"):
        return [change(writer, table, named_row(table, item["id"]), given, item)]
    return [_create(writer, table, filled, item) for filled in each_new(given, item)]


def _named(value: Any, keys: dict[str, str]) -> Any:
    if isinstance(value, str) and value[:1] == "@" and value[1:] in keys:
        return keys[value[1:]]
    return value


def _create(writer: Writer, table: Table, filled: Json, item: Json) -> Row:
    system = _take_system(table, filled, creating=True) if item.get("system") else {}
    row = writer.create(table, filled)
    if system:
        _set_unseen(writer, table, row, system)
    _stamp(writer, table, row, item)
    if item.get("archived"):
        writer.bin(table, row)
    return row


def _take_system(table: Table, given: Json, *, creating: bool) -> Json:
    """Take out what only the system may set."""
    taken = {}
    for name in list(given):
        made = table.field(name)
        if made and not (made.createable if creating else made.updateable):
            taken[made.name] = given.pop(name)
    return taken


def _set_unseen(writer: Writer, table: Table, row: Row, changes: Json) -> None:
    op = ["mutate", table.name, row.id, writer.at, changes, writer.who]
    writer.org.do(op)


def change(writer: Writer, table: Table, row: Row, given: Json, item: Json) -> Row:
    """Change, delete or restore one record."""
    if item.get("archived") is False and row.deleted_at:
        writer.restore(table, row)
    if item.get("silent"):
        writer.source = "SILENT"
        unknown = set(given) - set(table.fields)
        if unknown:
            raise ControlError(f"no such field: {', '.join(sorted(unknown))}")
        _set_unseen(writer, table, row, given)
    elif given:
        system = (
            _take_system(table, given, creating=False) if item.get("system") else {}
        )
        writer.update(table, row, given)
        if system:
            _set_unseen(writer, table, row, system)
    _stamp(writer, table, row, item)
    if item.get("archived") is True and not row.deleted_at:
        writer.delete(table, row)
    return row


def _stamp(writer: Writer, table: Table, row: Row, item: Json) -> None:
    """Give a record other times than now."""
    modified = item.get("LastModifiedDate") or item.get("updatedAt") or item.get("at")
    created = item.get("CreatedDate") or item.get("createdAt")
    stamp = item.get("SystemModstamp") or modified
    if not (modified or created or stamp):
        return
    times = (
        seconds(created, row.created),
        seconds(modified or stamp, row.modified),
        seconds(stamp, row.stamp),
    )
    writer.org.do(["stamp", table.name, row.id, *times])
    if row.events:
        _move_event(writer, row, times)


def _move_event(writer: Writer, row: Row, times: tuple[int, int, int]) -> None:
    """Let the ground truth say when a write is meant to have been."""
    last = row.events[-1]
    at = times[0] if len(row.events) == 1 and times[0] < times[1] else times[1]
    row.events[-1] = last._replace(at=at * 1000)


def seconds(value: Any, default: int) -> int:
    """Return epoch seconds of an ISO time or epoch milliseconds."""
    if value in (None, ""):
        return default
    text = str(value)
    return int(text) // 1000 if text.isdigit() else values.epoch(text)
