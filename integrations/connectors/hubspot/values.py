"""Values to and from HubSpot, where everything is a string.

PURE. Formats: guide crm/properties (date YYYY-MM-DD or epoch ms, datetime ISO or
epoch ms, multi-select "a;b", "" clears).
"""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum

from integrations.connectors.hubspot.spec import MAX_TEXT
from integrations.errors import RecordRejected
from integrations.records import FieldType, RemoteField, RemoteOption

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY_CHARS = len("2026-01-01")
# Beyond it an exponent is an attack on memory: 1e999999999 is a gigabyte written out.
_MOST_DIGITS = 400

_BY_FIELD_TYPE: dict[tuple[str, str], FieldType] = {
    ("enumeration", "checkbox"): "multi_enum",
    ("enumeration", "booleancheckbox"): "bool",
    ("string", "html"): "html",
    ("string", "phonenumber"): "phone",
    ("string", "file"): "file",
}
_BY_TYPE: dict[str, FieldType] = {
    "enumeration": "enum",
    "bool": "bool",
    "number": "number",
    "date": "date",
    "datetime": "datetime",
    "json": "json",
    "object_coordinates": "json",
}
# Our word -> HubSpot's (type, fieldType) when we make a property.
CREATE_TYPES: dict[FieldType, tuple[str, str]] = {
    "text": ("string", "text"),
    "html": ("string", "html"),
    "phone": ("string", "phonenumber"),
    "number": ("number", "number"),
    "bool": ("bool", "booleancheckbox"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
    "enum": ("enumeration", "select"),
    "multi_enum": ("enumeration", "checkbox"),
}


def to_remote(value: object | None, field: RemoteField | None = None) -> str:
    """Write a value as HubSpot wants it; None and "" clear.

    Raises RecordRejected, naming the field, for what the field cannot hold.

    >>> to_remote(True), to_remote(["b", "a"]), to_remote(Decimal("1E+3"))
    ('true', 'b;a', '1000')
    """
    try:
        text = _text(value, field)
    except (ValueError, TypeError, InvalidOperation, OverflowError) as problem:
        name = field.name if field else ""
        raise RecordRejected(
            str(problem), field=name, value=str(value)[:200], code="UNSENDABLE_VALUE"
        ) from None
    return text


def from_remote(text: str | None, field: RemoteField) -> object | None:
    """Read a HubSpot value as Python; None for empty, text where it is unreadable.

    Texts that mean the same give values that are written the same.

    >>> number = RemoteField("n", "N", "number")
    >>> to_remote(from_remote("1e3", number)), to_remote(from_remote("1000.0", number))
    ('1000', '1000')
    """
    if text is None or text == "":
        return None
    try:
        return _parsed(text, field.type)
    except (ValueError, OverflowError, OSError, InvalidOperation):
        return text


def field_type(kind: str, field_kind: str, *, is_owner: bool = False) -> FieldType:
    """Return our word for HubSpot's type and fieldType."""
    if is_owner:
        return "owner"
    return _BY_FIELD_TYPE.get((kind, field_kind), _BY_TYPE.get(kind, "text"))


def remote_field(
    entry: Mapping[str, object], required: tuple[str, ...] = ()
) -> RemoteField:
    """Read one entry of the properties list; missing keys take safe values."""
    name = clean(entry.get("name")) or ""
    kind = field_type(
        clean(entry.get("type")) or "",
        clean(entry.get("fieldType")) or "",
        is_owner=entry.get("referencedObjectType") == "OWNER",
    )
    modification = entry.get("modificationMetadata")
    fixed = isinstance(modification, Mapping) and bool(
        modification.get("readOnlyValue")
    )
    calculated = bool(entry.get("calculated"))
    return RemoteField(
        name=name,
        label=clean(entry.get("label")) or name,
        type=kind,
        options=_options(entry.get("options")),
        required=name in required,
        read_only=fixed or calculated,
        unique=bool(entry.get("hasUniqueValue")),
        max_length=MAX_TEXT if kind in ("text", "html") else None,
        calculated=calculated,
        group=clean(entry.get("groupName")) or "",
        description=clean(entry.get("description")) or "",
        lower=name == "email",
    )


def new_property(field: RemoteField, group: str) -> dict[str, object]:
    """Return the body that makes a property. Raises KeyError for other types."""
    kind, field_kind = CREATE_TYPES[field.type]
    body: dict[str, object] = {
        "name": field.name,
        "label": field.label,
        "groupName": group,
        "type": kind,
        "fieldType": field_kind,
        "description": field.description,
    }
    if field.unique:
        body["hasUniqueValue"] = True
    if field.type == "bool":
        # UNCONFIRMED that a boolean must name both of its options; harmless if not.
        body["options"] = _option_inputs(
            (RemoteOption("true", "Yes"), RemoteOption("false", "No"))
        )
    elif field.options:
        body["options"] = _option_inputs(field.options)
    return body


def clean(value: object) -> str | None:
    """Return a vendor's scalar as text a database takes, None for anything else.

    NULs and lone surrogates come in through JSON escapes; PostgreSQL refuses both.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        return None
    if value.isascii():
        return value.replace("\x00", "")
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


def clean_all(properties: Mapping[str, object]) -> dict[str, str | None]:
    """Clean every value as `clean` does; this is where reading spends its time."""
    if _is_all_plain(properties):
        return dict(properties)  # type: ignore[arg-type]
    return {
        name: value
        if value is None
        or (type(value) is str and value.isascii() and "\x00" not in value)
        else clean(value)
        for name, value in properties.items()
    }


def _is_all_plain(properties: Mapping[str, object]) -> bool:
    """Look at all values as one text, which nearly all records pass."""
    try:
        text = "".join([one for one in properties.values() if one is not None])  # type: ignore[misc]
    except TypeError:  # a number, say
        return False
    return text.isascii() and "\x00" not in text


def moment(text: object) -> datetime | None:
    """Read an ISO time or epoch milliseconds as aware UTC; None when unreadable."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return _moment(text)
    except (ValueError, OverflowError, OSError):
        return None


def epoch_ms(at: datetime) -> str:
    """Write an aware time as epoch milliseconds, the form search filters take."""
    # In whole numbers: a float may come out a millisecond lower.
    return str((at - _EPOCH) // _MILLISECOND)


def _text(value: object | None, field: RemoteField | None) -> str:
    if isinstance(value, Enum):
        value = value.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _datetime_text(
            value, date_only=field is not None and field.type == "date"
        )
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (int, float, Decimal)):
        return _number_text(value)
    if isinstance(value, str):
        return _checked(value, field)
    if isinstance(value, Iterable) and not isinstance(value, (bytes, Mapping)):
        return _joined(value)
    raise TypeError(f"{type(value).__name__} cannot be sent to HubSpot")


def _checked(text: str, field: RemoteField | None) -> str:
    if field is not None and field.max_length and len(text) > field.max_length:
        raise ValueError(f"longer than {field.max_length} characters")
    return text


def _datetime_text(value: datetime, *, date_only: bool) -> str:
    if value.tzinfo is None:
        raise ValueError("a time without a time zone")
    if date_only:
        return value.date().isoformat()  # the day it is where it was written
    utc = value.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"


def _number_text(value: float | Decimal) -> str:
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    # repr first: the shortest digits that mean this float, not its binary tail.
    number = Decimal(repr(value)) if isinstance(value, float) else value
    text = format(number, "f")
    return "0" if not number else text


def _joined(values: Iterable[object]) -> str:
    parts = [_text(part, None) for part in values]
    if isinstance(values, (set, frozenset)):
        parts.sort()
    if any(";" in part for part in parts):
        raise ValueError("an option with a semicolon cannot be told from two")
    return ";".join(part for part in parts if part)


def _parsed(text: str, kind: FieldType) -> object:
    if kind == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind == "number":
        return _number(text)
    if kind == "datetime":
        return _moment(text)
    if kind == "date":
        is_epoch = text.lstrip("-").isdigit()
        return _moment(text).date() if is_epoch else _day(text)
    if kind == "multi_enum":
        # A set in all but name: HubSpot gives it in the order it was clicked.
        return tuple(sorted({part for part in text.split(";") if part})) or None
    return text


def _number(text: str) -> Decimal:
    """Read a number as the shortest that equals it: 10.0 and 1e1 are 10."""
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError("not a number that can be written out")
    # By hand: normalize() would round to the context's precision.
    digits = format(number, "f")
    return Decimal(digits.rstrip("0").rstrip(".") if "." in digits else digits)


def _day(text: str) -> date:
    """Read the day that a date, or a time in the zone it was written in, names."""
    if len(text) > _DAY_CHARS:
        datetime.fromisoformat(text)
    return date.fromisoformat(text[:_DAY_CHARS])


def _moment(text: str) -> datetime:
    if text.lstrip("-").isdigit():
        return _EPOCH + int(text) * _MILLISECOND
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is UTC:
        return parsed
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _options(raw: object) -> tuple[RemoteOption, ...]:
    if not isinstance(raw, list):
        return ()
    return tuple(
        RemoteOption(
            value=clean(entry.get("value")) or "",
            label=clean(entry.get("label")) or "",
            hidden=bool(entry.get("hidden")),
        )
        for entry in raw
        if isinstance(entry, Mapping)
    )


def _option_inputs(options: tuple[RemoteOption, ...]) -> list[dict[str, object]]:
    return [
        {
            "label": option.label,
            "value": option.value,
            "hidden": option.hidden,
            "displayOrder": order,
        }
        for order, option in enumerate(options)
    ]
