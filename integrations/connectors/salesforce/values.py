"""Values to and from Salesforce: JSON scalars there, text in the middle.

PURE. Formats: REST guide (date YYYY-MM-DD, datetime ISO in UTC, a multi-select list
"a;b"), describe for types. A number has one form: no exponent, no needless zeros. A
field keeps whole seconds, and as many decimals as it is defined with: the interface
stores more of those, but the next person who saves the page rounds them (help
000387302).
"""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import (
    ROUND_HALF_DOWN,
    ROUND_HALF_UP,
    Decimal,
    InvalidOperation,
    localcontext,
)
from enum import Enum

from integrations.errors import RecordRejected
from integrations.records import FieldType, RemoteField

# enums: fieldType. What is not listed is text. A combobox takes anything.
TYPES: Mapping[str, FieldType] = {
    "picklist": "enum",
    "multipicklist": "multi_enum",
    "boolean": "bool",
    "int": "number",
    "long": "number",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "phone": "phone",
    "date": "date",
    "datetime": "datetime",
    "base64": "file",
    "address": "json",
    "location": "json",
    "complexvalue": "json",
}
_LONG_ID, _SHORT_ID = 18, 15
_CHECK_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def to_remote(value: object | None, field: RemoteField | None = None) -> str:
    """Write a value as Salesforce takes it; None and "" clear.

    Raises RecordRejected, naming the field, for what the field cannot hold.

    >>> to_remote(True), to_remote(["b", "a"]), to_remote(Decimal("1.50"))
    ('true', 'b;a', '1.5')
    """
    try:
        return _checked(_text(value, field), field)
    except (ValueError, TypeError, InvalidOperation, OverflowError) as problem:
        name = field.name if field else ""
        raise RecordRejected(
            str(problem), field=name, value=str(value)[:200], code="UNSENDABLE_VALUE"
        ) from None


def from_remote(text: str | None, field: RemoteField) -> object | None:
    """Read a value as Python; None for empty, text where it is unreadable."""
    if text is None or text == "":
        return None
    try:
        return _parsed(text, field.type)
    except (ValueError, OverflowError, InvalidOperation):
        return text


def clean(value: object) -> str | None:
    """Return a scalar of a JSON answer as text a database takes, None for the rest.

    NULs and lone surrogates come in through JSON escapes; PostgreSQL refuses both.
    """
    if isinstance(value, str):
        if value.isascii():
            return value.replace("\x00", "")
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return _number_text(value) if math.isfinite(value) else None
    return None


def moment(text: object) -> datetime | None:
    """Read a time such as 2024-09-10T13:57:50.000+0000; None when unreadable."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return _moment(text)
    except (ValueError, OverflowError):
        return None


def utc_text(at: datetime) -> str:
    """Write an aware time in UTC, with milliseconds where it has any.

    >>> utc_text(datetime(2026, 1, 1, tzinfo=UTC))
    '2026-01-01T00:00:00Z'
    """
    utc = at.astimezone(UTC)
    thousandths = utc.microsecond // 1000
    part = f".{thousandths:03d}" if thousandths else ""
    return utc.strftime("%Y-%m-%dT%H:%M:%S") + part + "Z"


def is_id(text: str) -> bool:
    """Tell whether text has the form of a record id."""
    return len(text) in (_LONG_ID, _SHORT_ID) and text.isascii() and text.isalnum()


def long_id(text: str) -> str:
    """Return the 18-character form of an id; other text as it is.

    The last three characters say which of the others are capital letters.

    >>> long_id("00Dx0000000BV7z")
    '00Dx0000000BV7zEAG'
    """
    if len(text) != _SHORT_ID or not is_id(text):
        return text
    ends = ""
    for start in (0, 5, 10):
        part = text[start : start + 5]
        ends += _CHECK_DIGITS[sum(1 << n for n, c in enumerate(part) if c.isupper())]
    return text + ends


def _text(value: object | None, field: RemoteField | None) -> str:
    if isinstance(value, Enum):
        value = value.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _datetime_text(value, field.type if field is not None else "")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return _number_text(value, field.scale if field is not None else None)
    if isinstance(value, Iterable) and not isinstance(value, bytes | Mapping):
        return _joined(value)
    raise TypeError(f"{type(value).__name__} cannot be sent to Salesforce")


def _checked(text: str, field: RemoteField | None) -> str:
    if field is not None and field.max_length and len(text) > field.max_length:
        raise ValueError(f"longer than {field.max_length} characters")
    return text


def _datetime_text(value: datetime, kind: str) -> str:
    if value.tzinfo is None:
        raise ValueError("a time without a time zone")
    if kind == "date":
        return value.date().isoformat()  # the day it is where it was written
    return utc_text(value.replace(microsecond=0) if kind == "datetime" else value)


def _number_text(value: float | Decimal, scale: int | None = None) -> str:
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    # repr first: the shortest digits that mean this float, not its binary tail.
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if scale is not None and -int(number.as_tuple().exponent) > scale:
        number = _rounded(number, scale)
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rounded(number: Decimal, scale: int) -> Decimal:
    """Round half up as their pages do: 12.345 is 12.35, and -12.345 is -12.34."""
    rounding = ROUND_HALF_UP if number > 0 else ROUND_HALF_DOWN
    with localcontext() as context:
        context.prec = max(context.prec, number.adjusted() + scale + 2)
        return number.quantize(Decimal(1).scaleb(-scale), rounding=rounding)


def _joined(values: Iterable[object]) -> str:
    parts = [_text(part, None) for part in values]
    if isinstance(values, set | frozenset):
        parts.sort()
    if any(";" in part for part in parts):
        raise ValueError("an option with a semicolon cannot be told from two")
    return ";".join(part for part in parts if part)


def _parsed(text: str, kind: FieldType) -> object:
    if kind == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind == "number":
        number = Decimal(text)
        # What is beyond any number field would be written out at any length.
        return number if number.is_finite() and abs(number.adjusted()) < 100 else text
    if kind == "datetime":
        return _moment(text)
    if kind == "date":
        # Change events that a relay decoded tell days, too, as milliseconds.
        return _moment(text).date() if _is_epoch(text) else _day(text)
    if kind == "multi_enum":
        # There the choices have no order.
        return tuple(sorted({part for part in text.split(";") if part}))
    return text


def _is_epoch(text: str) -> bool:
    return len(text) in (12, 13) and text.isascii() and text.isdigit()


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _moment(text: str) -> datetime:
    if _is_epoch(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    parsed = datetime.fromisoformat(text)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
