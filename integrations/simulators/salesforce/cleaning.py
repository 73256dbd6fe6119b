"""Turning a value from a body into what is stored, or refusing it."""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from integrations.simulators.salesforce import ids, values
from integrations.simulators.salesforce.definitions import Field
from integrations.simulators.salesforce.errors import RowError, malformed_id

_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)
_INT_LIMIT = 2**31


def clean(made: Field, value: Any, *, lowercase_emails: bool = True) -> Any:
    """Return the stored form of a value, None for "nothing"; raises RowError."""
    # What nearly every value is, first.
    if type(value) is str and made.plain and _fits(value, made.length):
        return value
    if value is None or value == "":
        return None
    cleaned = _CLEANERS.get(made.type, _text)(made, value)
    if made.type == "email" and cleaned and lowercase_emails:
        return cleaned.lower()
    return cleaned


def _fits(value: str, length: int) -> bool:
    return 0 < len(value) <= length and value[0] > " " and value[-1] > " "


def _wrong_type(made: Field, value: Any) -> RowError:
    message = f"{made.label}: value not of required type: {value}"
    return RowError("INVALID_TYPE_ON_FIELD_IN_RECORD", message, [made.name])


def _text(made: Field, value: Any) -> str | None:
    if not isinstance(value, str):
        raise _wrong_type(made, value)
    text = value.strip()
    if len(text) > made.length:
        shown = text if len(text) <= 255 else text[:255]
        message = (
            f"{made.label}: data value too large: {shown} (max length={made.length})"
        )
        raise RowError("STRING_TOO_LONG", message, [made.name])
    return text or None


def _email(made: Field, value: Any) -> str | None:
    text = _text(made, value)
    if text and not _EMAIL.fullmatch(text):
        message = f"{made.label}: invalid email address: {text}"
        raise RowError("INVALID_EMAIL_ADDRESS", message, [made.name])
    return text


def _picklist(made: Field, value: Any) -> str | None:
    text = _text(made, value)
    if text and made.restricted:
        _check_option(made, text)
    return text


def _multi(made: Field, value: Any) -> str | None:
    text = _text(made, value)
    parts = [part.strip() for part in text.split(";")] if text else []
    if made.restricted:
        for part in parts:
            _check_option(made, part)
    return ";".join(dict.fromkeys(part for part in parts if part)) or None


def _check_option(made: Field, value: str) -> None:
    if not made.allows(value):
        message = f"{made.label}: bad value for restricted picklist field: {value}"
        raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [made.name])


def _boolean(made: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    raise _wrong_type(made, value)


def _number(made: Field, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong_type(made, value)
    try:
        number = float(value)
    except ValueError as error:
        raise _wrong_type(made, value) from error
    if number != number or abs(number) >= 10 ** (made.precision - made.scale or 18):
        raise _out_of_range(made, value)
    return _rounded(number, made.scale)


def _rounded(number: float, scale: int) -> float:
    """Round half up, towards the greater one, as a page does when it is saved.

    The real interface keeps more decimals until then (help article 000387302).
    """
    step = Decimal(1).scaleb(-scale)
    halves = ROUND_HALF_UP if number > 0 else ROUND_HALF_DOWN
    with localcontext(prec=60):
        return float(Decimal(repr(number)).quantize(step, rounding=halves))


def _int(made: Field, value: Any) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise _wrong_type(made, value) from error
    if isinstance(value, bool) or not number.is_integer():
        raise _wrong_type(made, value)
    limit = 10**made.digits if made.digits else _INT_LIMIT
    if abs(number) >= limit:
        raise _out_of_range(made, value)
    return int(number)


def _out_of_range(made: Field, value: Any) -> RowError:
    message = f"{made.label}: value outside of valid range on numeric field: {value}"
    return RowError("NUMBER_OUTSIDE_VALID_RANGE", message, [made.name])


def _date(made: Field, value: Any) -> str:
    try:
        return values.day(value)
    except (TypeError, ValueError) as error:
        raise _wrong_type(made, value) from error


def _datetime(made: Field, value: Any) -> str:
    try:
        return values.iso(values.epoch(value))
    except (TypeError, ValueError, AttributeError) as error:
        raise _wrong_type(made, value) from error


def _reference(made: Field, value: Any) -> str:
    found = ids.normal(value)
    if not found:
        raise malformed_id(made.label, value, made.name)
    return found


_CLEANERS: dict[str, Callable[[Field, Any], Any]] = {
    "email": _email,
    "picklist": _picklist,
    "multipicklist": _multi,
    "boolean": _boolean,
    "int": _int,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "date": _date,
    "datetime": _datetime,
    "reference": _reference,
}
