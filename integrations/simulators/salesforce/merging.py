"""Merging records, as a person does in the browser: the losers go, and say where to."""

from integrations.simulators.salesforce import errors
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import Json

MOST_LOSERS = 2


def merge(
    writer: Writer, table: Table, master: Row, losers: list[Row], values: Json
) -> None:
    """Merge losers into a master; raises RowError. values: chosen for the master."""
    if not table.kind.mergeable or not 1 <= len(losers) <= MOST_LOSERS:
        raise errors.RowError("MERGE_FAILED", f"cannot merge {table.name} like this")
    if master in losers or any(row.deleted_at for row in [master, *losers]):
        raise errors.deleted()
    for loser in losers:
        _move_children(writer, table, loser, master)
        writer.bin(table, loser, more={"MasterRecordId": master.id})
    writer.set(table, master, values)


def _move_children(writer: Writer, table: Table, loser: Row, master: Row) -> None:
    for other in writer.org.tables.values():
        for name in list(other.indexes):
            if table.name in other.fields[name].refs:
                _move(writer, other, name, loser, master)


def _move(writer: Writer, other: Table, name: str, loser: Row, master: Row) -> None:
    for row in other.linked(name, loser.id):
        if other.name == "CampaignMember" and _is_member(other, name, row, master):
            writer.bin(other, row)
        else:
            writer.set(other, row, {name: master.id})


def _is_member(members: Table, name: str, row: Row, master: Row) -> bool:
    campaign = row.values["CampaignId"]
    found = members.linked(name, master.id)
    return any(other.values["CampaignId"] == campaign for other in found)
