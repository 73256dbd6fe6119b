"""Change events: a transaction's changes in the body shape of Change Data Capture."""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from integrations.simulators.salesforce.changes import Change
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.values import iso
from integrations.simulators.wire import Json

_commits = itertools.count(1)


def folded(changes: list[Change]) -> list[Change]:
    """Return one change per record where a transaction wrote it more than once."""
    found: list[Change] = []
    for change in changes:
        last = found[-1] if found else None
        if last and last.row is change.row and change.kind == "UPDATE":
            found[-1] = replace(last, values=last.values | change.values)
        else:
            found.append(change)
    return found


def bodies(
    org: Org, changes: list[Change], *, merge: bool, single_id: bool
) -> list[Json]:
    """Return the events of one transaction.

    merge: like changes of several records make one event. single_id: say `recordId`
    where the vendor's relay was seen to.
    """
    key = str(uuid4())
    groups = _groups(changes) if merge and not single_id else [[c] for c in changes]
    return [
        _event(org, group, key, number, single_id=single_id)
        for number, group in enumerate(groups, start=1)
    ]


def _groups(changes: list[Change]) -> list[list[Change]]:
    found: list[list[Change]] = []
    for change in changes:
        if found and _alike(found[-1][0], change):
            found[-1].append(change)
        else:
            found.append([change])
    return found


def _alike(one: Change, other: Change) -> bool:
    return (
        one.kind in ("UPDATE", "DELETE")
        and (one.kind, one.table, one.origin, one.user)
        == (other.kind, other.table, other.origin, other.user)
        and one.values == other.values
    )


def _event(
    org: Org, group: list[Change], key: str, number: int, *, single_id: bool
) -> Json:
    first = group[0]
    table = org.tables[first.table]
    names = [] if first.kind == "DELETE" else _names(table, first)
    dotted = {name: _dotted(table, name) for name in names}
    header = header_of(first.table, [c.row.id for c in group], first.kind)
    header |= {
        "changeOrigin": first.origin,
        "transactionKey": key,
        "sequenceNumber": number,
        "commitTimestamp": first.at,
        "commitUser": first.user,
    }
    if first.kind == "UPDATE":
        header["changedFields"] = list(dotted.values())
        nulled = [dotted[n] for n in names if first.values.get(n, "") is None]
        header["nulledFields"] = nulled
    if single_id:
        header["recordId"] = header.pop("recordIds")[0]
    return {"ChangeEventHeader": header} | _body(table, first, dotted)


def header_of(entity: str, identifiers: list[str], kind: str) -> Json:
    """Return a header with nothing but its subject; a gap event has no more."""
    commit = next(_commits)
    return {
        "entityName": entity,
        "recordIds": identifiers,
        "changeType": kind,
        "changeOrigin": "",
        "transactionKey": str(uuid4()),
        "sequenceNumber": 1,
        "commitTimestamp": 0,
        "commitNumber": 1_745_500_706_000_000_000 + commit,
        "commitUser": "",
        "nulledFields": [],
        "diffFields": [],
        "changedFields": [],
    }


def _names(table: Table, change: Change) -> list[str]:
    """Return the fields an event carries: what changed, or all of a new record."""
    if change.kind == "UPDATE":
        own = [name for name in change.values if name in table.fields]
        return ["LastModifiedDate", *own]
    return [
        made.name
        for made in table.fields.values()
        if made.name not in ("Id", "IsDeleted", "SystemModstamp")
        and made.name not in table.computed
    ]


def _dotted(table: Table, name: str) -> str:
    """Return `Name.LastName` or `MailingAddress.Street` for a part of a compound."""
    whole = table.fields[name].compound
    if not whole or whole == name or whole == "Fiscal":
        return name
    if whole not in table.fields or (
        whole == "Name" and "LastName" not in table.fields
    ):
        return name
    return f"{whole}.{name.removeprefix(whole.removesuffix('Address'))}"


def _body(table: Table, change: Change, dotted: dict[str, str]) -> Json:
    body: Json = {}
    for name, path in dotted.items():
        value = _value(table, change, name)
        whole, _, part = path.partition(".")
        if part:
            body.setdefault(whole, {})[part] = value
        else:
            body[name] = value
    return body


def _value(table: Table, change: Change, name: str) -> Any:
    row: Row = change.row
    if name in ("CreatedDate", "LastModifiedDate"):
        moment = row.created if name == "CreatedDate" else change.at // 1000
        return iso(moment).replace("+0000", "Z")
    # An event tells what this transaction wrote, not what came after it.
    value = change.values.get(name) if name in change.values else None
    if value is None and change.kind != "UPDATE" and name not in change.values:
        value = table.value(row, name)
    if isinstance(value, str) and value.endswith(".000+0000"):
        return value.replace("+0000", "Z")
    return value


def wanted(changes: Iterable[Change], objects: list[str]) -> list[Change]:
    """Return the changes of the objects a subscriber asked for; empty = all."""
    return [c for c in changes if not objects or c.table in objects]
