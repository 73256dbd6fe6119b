"""Marketing campaigns: what may be written to them, and how they look in answers.

HubSpot marketing campaigns, v3 and dated:
https://developers.hubspot.com/docs/api-reference/legacy/marketing/campaigns/ (and
`2026-03` in place of `legacy`), read 2026-11. Two things no page tells, and are as a
public program saw them answered: which standard properties may be written, and the
names of the errors (subCategory). They are UNCONFIRMED, and stricter than the pages.
"""

import re
from typing import Any

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.cleaning import properties_of
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.hubspot.values import iso
from integrations.simulators.hubspot.writer import Plan, Writer
from integrations.simulators.wire import Json

NAME = "hs_name"
# "Deprecated and will be ignored if provided", in a create (2026-03 pages).
_IGNORED = "hs_goal"
_DATES = ("hs_start_date", "hs_end_date")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def guid_of(raw: Any) -> str:
    """Return a campaign's id; raises a 400 for what is no GUID, as a record number."""
    if not isinstance(raw, str) or not _GUID.fullmatch(raw):
        raise errors.bad_request(f"Invalid campaign id: {raw}. It must be a UUID.")
    return raw


def check_shape(raw: Json) -> None:
    """Raise a 400 unless an input has `properties`, a map of name to text."""
    if None in properties_of(raw).values():
        raise errors.bad_request("Invalid input JSON: property values must be strings")


def planned_create(writer: Writer, table: RecordTable, raw: Json) -> Plan:
    """Check {properties} of a new campaign; raises ApiError.

    UNCONFIRMED: that a name is required, and that two campaigns may have one name, as
    no page forbids it.
    """
    check_shape(raw)
    given = {k: v for k, v in raw["properties"].items() if k != _IGNORED}
    _check(table, given)
    return writer.plan_create(table, {"properties": given})


def planned_update(
    writer: Writer, table: RecordTable, record: Record, raw: Json
) -> Plan:
    """Check {properties} of a change, where "" resets a value; raises ApiError."""
    check_shape(raw)
    given = raw["properties"]
    _check(table, given)
    if not given.get(NAME, "-").strip():
        # UNCONFIRMED: nothing says whether a name may be taken away.
        raise errors.missing_required(table.kind.label, [NAME])
    return writer.plan_update(table, record, {"properties": given})


def _check(table: RecordTable, given: dict[str, str]) -> None:
    forbidden = sorted(set(given) - table.writable)
    if forbidden:
        raise errors.bad_request(
            f"Property set contains values forbidden for write: {forbidden}. "
            f"Allowed: {sorted(table.writable)}",
            subCategory="CampaignApiError."
            "PROPERTY_SET_CONTAINS_VALUES_FORBIDDEN_FOR_WRITE",
        )
    for name in _DATES:
        if given.get(name) and not _DAY.fullmatch(given[name]):
            raise errors.bad_request(
                f"{name} must be formatted as YYYY-MM-DD, was {given[name]}",
                subCategory="CampaignValidationError.INVALID_DATE_PROPERTY",
            )
    # UNCONFIRMED: which codes are taken. Three capitals is the form of every one.
    currency = given.get("hs_currency_code")
    if currency and not _CURRENCY.fullmatch(currency):
        raise errors.bad_request(f"{currency} is not a currency code")


def name_of(record: Record) -> str:
    """Return a campaign's name in lower case, empty when it has none."""
    return record.props.get(NAME, "").lower()


def readable_names(table: RecordTable, asked: list[str]) -> list[str]:
    """Return which of the properties asked for are shown; raises a 400.

    "Unrecognized properties are ignored" (2026-03). A few that campaigns do have are
    refused all the same: UNCONFIRMED, as a public program saw it.
    """
    known = [name for name in asked if name in table.properties]
    forbidden = sorted(name for name in known if table.properties[name].hidden)
    if forbidden:
        raise errors.bad_request(f"Forbidden properties: {forbidden}")
    return list(dict.fromkeys(known))


def shown(table: RecordTable, record: Record, names: list[str]) -> Json:
    """Return a campaign; properties without a value are left out."""
    units = record.props.get("hs_business_unit_ids", "").split(";")
    return {
        "id": table.identity(record),
        "properties": {
            name: record.props[name] for name in names if record.props.get(name)
        },
        "createdAt": iso(record.created),
        "updatedAt": iso(record.updated),
        "businessUnits": [{"id": int(unit)} for unit in units if unit.isdigit()],
    }


def shown_with_assets(table: RecordTable, record: Record, names: list[str]) -> Json:
    """Return a campaign as reading by id does: with its assets, here none."""
    return shown(table, record, names) | {"assets": {}}
