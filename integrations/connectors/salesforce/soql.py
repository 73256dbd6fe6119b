"""Queries as text.

PURE. What comes from people is checked (names) or quoted (values) before it becomes
part of a query. Grammar: SOQL and SOSL reference.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

from integrations.connectors.salesforce.errors import VENDOR
from integrations.connectors.salesforce.spec import MAX_ADDRESS, SPEC
from integrations.connectors.salesforce.values import (
    from_remote,
    is_id,
    moment,
    utc_text,
)
from integrations.errors import Misconfigured, Retryable, Unsupported
from integrations.records import FieldType, Filter, Operator, RemoteField

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}(\.[A-Za-z][A-Za-z0-9_]{0,79})?")
_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\f": "\\f",
        "\x00": None,
    }
)
_COMPARISONS: Mapping[Operator, str] = {
    "eq": "=",
    "ne": "!=",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "in": "IN",
    "not_in": "NOT IN",
    "has": "!=",
    "lacks": "=",
    "contains": "LIKE",
}
# Types whose literals stand without quotation marks.
_BARE: frozenset[FieldType] = frozenset({"number", "bool", "date", "datetime"})


def name(text: str) -> str:
    """Return a field's or object's name. Raises Misconfigured for what is none."""
    if not _NAME.fullmatch(text):
        raise Misconfigured("Not a name there", vendor=VENDOR, field=text[:80])
    return text


def literal(text: str) -> str:
    """Return a text as a literal.

    >>> literal("O'Neil")
    "'O\\\\'Neil'"
    """
    return f"'{text.translate(_ESCAPES)}'"


def count(object_type: str) -> str:
    """Return the query for how many records there are; it brings none of them."""
    return f"SELECT COUNT() FROM {name(object_type)}"  # noqa: S608 - checked


def any_of(field: str, values: Iterable[str]) -> str:
    """Return the condition that a text field has one of these values."""
    return f"{name(field)} IN ({', '.join(map(literal, values))})"


def within(field: str, since: datetime, until: datetime) -> str:
    """Return the condition that a time lies in a window, its ends included.

    Their stamps have whole seconds: a part of one at the end would add nothing.
    """
    first, last = since.replace(microsecond=0), until.replace(microsecond=0)
    return f"{name(field)} >= {utc_text(first)} AND {field} <= {utc_text(last)}"


def select(
    fields: Sequence[str],
    object_type: str,
    *conditions: str,
    order: Sequence[str] = (),
    limit: int | None = None,
) -> str:
    """Return a query; no conditions, no order and no limit where none is given."""
    names = ", ".join(map(name, fields))
    parts = [f"SELECT {names} FROM {name(object_type)}"]  # noqa: S608 - checked
    if known := [one for one in conditions if one]:
        parts.append("WHERE " + " AND ".join(known))
    if order:
        parts.append("ORDER BY " + ", ".join(map(name, order)))
    if limit is not None:
        parts.append(f"LIMIT {limit}")
    return " ".join(parts)


def length(text: str) -> int:
    """Return how many characters of an address a text takes."""
    return len(quote(text, safe=""))


def named(fields: Iterable[str], room: int) -> tuple[list[str], list[str]]:
    """Split fields into those a query has room for and the others."""
    taken: list[str] = []
    left: list[str] = []
    for one in dict.fromkeys(fields):
        room -= length(one) + length(", ")
        (taken if room >= 0 else left).append(one)
    return taken, left


def fitting(values: Iterable[str], room: int, most: int) -> Iterator[list[str]]:
    """Yield runs of values that fit into an address, at most so many each."""
    run: list[str] = []
    used = 0
    for one in values:
        size = length(literal(one)) + length(", ")
        if run and (used + size > room or len(run) == most):
            yield run
            run, used = [], 0
        run.append(one)
        used += size
    if run:
        yield run


def room_beside(text: str) -> int:
    """Return how much of an address is left beside this part of a query."""
    return MAX_ADDRESS - length(text)


# --- going on by (stamp, id), past any number of equal stamps -------------------------


def after(stamp_field: str, cursor: str | None) -> str:
    """Return the condition that a record comes after a cursor; "" for none."""
    if cursor is None:
        return ""
    stamp, _, last = cursor.partition("|")
    at = moment(stamp)
    if at is None or not is_id(last):
        raise Retryable("Not a cursor of ours", vendor=VENDOR, code="BAD_CURSOR")
    text = utc_text(at)
    return f"({stamp_field} > {text} OR ({stamp_field} = {text} AND Id > '{last}'))"


def cursor_at(at: datetime | None, last_id: str) -> str:
    """Return the cursor of the last record of a page.

    Raises Retryable where it has no stamp: to stop there would lose the rest.
    """
    if at is None or not is_id(last_id):
        raise Retryable("A record without a stamp", vendor=VENDOR, code="BAD_SHAPE")
    return f"{utc_text(at)}|{last_id}"


def after_id(cursor: str | None) -> str:
    """Return the condition that an id comes after another; "" for none."""
    if cursor is None:
        return ""
    if not is_id(cursor):
        raise Retryable("Not a cursor of ours", vendor=VENDOR, code="BAD_CURSOR")
    return f"Id > '{cursor}'"


# --- conditions of a search -----------------------------------------------------------


def conditions(
    filters: Sequence[Filter], fields: Mapping[str, RemoteField]
) -> list[str]:
    """Return a search's conditions. Raises Unsupported beyond what one can carry.

    fields: name -> field, for how its values are written.
    """
    return [_condition(one, fields.get(one.field)) for one in filters]


def check_filters(filters: Sequence[Filter]) -> None:
    """Raise Unsupported where a search would ask too much."""
    if len(filters) > SPEC.search.filters:
        told = f"At most {SPEC.search.filters} conditions in a search"
        raise Unsupported(told, vendor=VENDOR)


def _condition(one: Filter, field: RemoteField | None) -> str:
    column, sign = name(one.field), _COMPARISONS[one.operator]
    if one.operator in ("has", "lacks"):
        return f"{column} {sign} null"
    if isinstance(one.value, tuple):
        listed = ", ".join(_value(text, field) for text in one.value)
        return f"{column} {sign} ({listed})"
    if one.operator == "contains":
        text = literal(one.value)[1:-1].replace("%", "\\%").replace("_", "\\_")
        return f"{column} {sign} '%{text}%'"
    if field is not None and field.type == "multi_enum":
        verb = "EXCLUDES" if one.operator == "ne" else "INCLUDES"
        return f"{column} {verb} ({literal(one.value)})"
    return f"{column} {sign} {_value(one.value, field)}"


def _value(text: str, field: RemoteField | None) -> str:
    if field is None or field.type not in _BARE:
        return literal(text)
    value = from_remote(text, field)
    if isinstance(value, str) or value is None:
        told = f"{text[:80]!r} is no {field.type}"
        raise Misconfigured(told, vendor=VENDOR, field=field.name)
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if field.type == "date" else format(value, "f")
