"""Checking and completing what a write sets on one record."""

from typing import Any

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.association_types import AssociationType
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.hubspot.rules import (
    Changes,
    derived,
    fill_in_currency,
    pipeline_problems,
)
from integrations.simulators.hubspot.values import MAX_STRING, InvalidValueError
from integrations.simulators.wire import Json

Links = list[tuple[int, list[AssociationType]]]

LEAD_PRIMARY = 578
_ONE_OF = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("name", "domain"),
}
_TEXT = frozenset({str, type(None)})


def properties_of(raw: Json) -> dict[str, Any]:
    """Return {properties} of an input, name -> text or None; raises a 400."""
    given = raw.get("properties")
    if not isinstance(given, dict):
        raise errors.bad_request("Invalid input JSON: properties must be an object")
    if not _TEXT.issuperset(map(type, given.values())):
        raise errors.bad_request(
            "Invalid input JSON: Cannot deserialize value of type `java.lang.String`"
        )
    return given


def cleaned(
    portal: Portal, table: RecordTable, record: Record | None, given: dict[str, Any]
) -> Changes:
    """Return what a write changes, calculated values too; raises a 400.

    record: None = it makes a new one.
    """
    before = record.props if record else {}
    changes: Changes = dict(given)
    problems: list[errors.Problem] = []
    for name in _special(table, given):
        raw = given[name]
        if raw and raw == before.get(name) and name in table.writable:
            continue
        problem = _clean_one(portal, table, name, raw, before, changes)
        if problem:
            problems.append(problem)
    if not problems:
        problems = pipeline_problems(
            portal, table.kind, before, changes, creating=record is None
        )
    if problems:
        raise errors.invalid_properties(problems, portal.hub_id)
    if record is None:
        fill_in_currency(portal, table.kind, changes)
    changes |= derived(portal, table.kind, before, changes)
    if not before and None not in changes.values():
        return changes
    return {name: value for name, value in changes.items() if value != before.get(name)}


def _special(table: RecordTable, given: dict[str, Any]) -> list[str]:
    """Return the names whose values are not just text of allowed length, in order.

    Almost every value is just text; what can be said of all at once is said so.
    """
    typed, values = given.keys() - table.plain, given.values()
    if all(values) and max(map(len, values), default=0) <= MAX_STRING:
        return [name for name in given if name in typed] if typed else []
    return [
        name
        for name, raw in given.items()
        if name in typed or not raw or len(raw) > MAX_STRING
    ]


def _clean_one(
    portal: Portal,
    table: RecordTable,
    name: str,
    raw: Any,
    before: dict[str, str],
    changes: Changes,
) -> errors.Problem | None:
    prop = table.properties.get(name)
    if prop is None or prop.archived_at:
        message = f'Property "{name}" does not exist'
        return errors.Problem(name, "PROPERTY_DOESNT_EXIST", message)
    if not prop.writable:
        message = f'"{name}" is a read only property; its value cannot be set.'
        return errors.Problem(name, "READ_ONLY_VALUE", message)
    if raw is None or raw == "":
        changes[name] = None
        return None
    try:
        changes[name] = prop.clean(raw, before.get(name))
    except InvalidValueError as error:
        return errors.Problem(name, error.code, str(error))
    if prop.referenced == "OWNER" and not _owner_exists(portal, raw):
        message = f"{raw} was not a valid owner id."
        return errors.Problem(name, "INVALID_OWNER_ID", message)
    return None


def _owner_exists(portal: Portal, number: str) -> bool:
    owner = portal.documents("owners").get(number)
    return owner is not None and not owner["archived"]


def check_required(table: RecordTable, changes: Changes, links: Links) -> None:
    """Raise a 400 when a new record lacks what its type needs."""
    kind = table.kind
    missing = [name for name in kind.required if not changes.get(name)]
    if missing:
        raise errors.missing_required(kind.label, missing)
    either = _ONE_OF.get(kind.name)
    if either and not any(changes.get(name) for name in either):
        raise errors.missing_required(kind.label, list(either))
    if kind.name == "leads":
        primary = any(t.id == LEAD_PRIMARY for _, types in links for t in types)
        if not primary:
            raise errors.bad_request(
                "A lead must be associated to a contact (type "
                f"{LEAD_PRIMARY}) when it is created"
            )
