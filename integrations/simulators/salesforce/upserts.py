"""Create or change, decided by a key."""

from typing import Any

from integrations.simulators.salesforce import errors
from integrations.simulators.salesforce.call import find_by_key
from integrations.simulators.salesforce.definitions import Field
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import Json


def upsert(
    writer: Writer,
    table: Table,
    made: Field,
    key: Any,
    raw: Json,
    *,
    update_only: bool = False,
) -> tuple[Row, bool]:
    """Return (record, whether it is new). raw: without the key. Raises RowError."""
    row = find_by_key(table, made, key)
    if row is not None:
        writer.update(table, row, raw)
        return row, False
    if update_only or made.name == "Id":
        raise errors.RowError("NOT_FOUND", "The requested resource does not exist")
    return writer.create(table, {made.name: key} | raw), True
