"""What an administrator set up: validation rules, duplicate rules, assignment, locks.

Each is a document of the organization, made through the control API.
"""

import re
from typing import Any

from integrations.simulators.salesforce import errors
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.wire import Json

DUPLICATE_MESSAGE = (
    "You're creating a duplicate record. We recommend you use an existing record "
    "instead."
)


def validate(org: Org, table: Table, merged: Json) -> None:
    """Hold a record against the validation rules; raises RowError.

    A rule is {object, field, message, top?} and one of regex (what a value must
    match), contains (what it must not contain), lacks (true: it must not be empty; a
    text: it must contain that).
    """
    for rule in org.documents("validation_rules").values():
        if rule["object"] == table.name and _breaks(rule, merged.get(rule["field"])):
            fields = [] if rule.get("top") else [rule["field"]]
            code = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
            raise RowError(code, rule["message"], fields)


def _breaks(rule: Json, value: Any) -> bool:
    text = "" if value is None else str(value)
    lacks = rule.get("lacks")
    if lacks:
        return not text if lacks is True else str(lacks) not in text
    if rule.get("contains"):
        return str(rule["contains"]) in text
    return bool(text) and not re.search(rule["regex"], text)


def find_duplicates(
    org: Org, table: Table, merged: Json, own: str, *, allow_save: bool, version: str
) -> None:
    """Hold a record against the duplicate rules; raises RowError.

    A rule is {name, object, fields, action: alert or block, message?}.
    """
    for name, rule in org.documents("duplicate_rules").items():
        if rule["object"] != table.name:
            continue
        alert = rule.get("action") != "block"
        if alert and allow_save:
            continue
        found = [r for r in _alike(table, rule["fields"], merged) if r.id != own]
        if found:
            message = rule.get("message") or DUPLICATE_MESSAGE
            raise _duplicates(rule | {"name": name}, table, found, message, version)


def _alike(table: Table, names: list[str], merged: Json) -> list[Row]:
    wanted = {name: _folded(merged.get(name)) for name in names}
    if not all(wanted.values()):
        return []
    first = names[0]
    table.ensure_index(first)
    candidates = table.linked(first, merged[first])
    return [
        row
        for row in candidates
        if all(_folded(row.values.get(name)) == wanted[name] for name in names)
    ]


def _folded(value: Any) -> str:
    return "" if value is None else str(value).strip().lower()


def _duplicates(
    rule: Json, table: Table, found: list[Row], message: str, version: str
) -> RowError:  # fmt: skip
    records = [_match(table, row, version) for row in found]
    result = {
        "allowSave": rule.get("action") != "block",
        "duplicateRule": rule["name"],
        "duplicateRuleEntityType": table.name,
        "errorMessage": message,
        "matchResults": [
            {
                "entityType": table.name,
                "errors": [],
                "matchEngine": "ExactMatchEngine",
                "matchRecords": records,
                "rule": f"{table.name}_MR",
                "size": len(records),
                "success": True,
            }
        ],
    }
    # The vendor's own spelling.
    return RowError("DUPLICATES_DETECTED", message, duplicateResut=result)


def _match(table: Table, row: Row, version: str) -> Json:
    url = f"/services/data/{version}/sobjects/{table.name}/{row.id}"
    return {
        "additionalInformation": [],
        "fieldDiffs": [],
        "matchConfidence": 100,
        "record": {"attributes": {"type": table.name, "url": url}, "Id": row.id},
    }


def check_lock(org: Org, identifier: str) -> None:
    """Refuse a row that somebody holds, as often as was asked; raises RowError."""
    lock = org.documents("locks").get(identifier)
    if lock is None or lock["times"] == 0:
        return
    if lock["times"] > 0:
        org.do(["doc", "locks", identifier, {"times": lock["times"] - 1}])
    raise errors.locked(identifier[:15])
