"""HubSpot's property values: strings in, canonical strings kept, epoch ms compared."""

import re
import time
from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

DAY_MS = 86_400_000
MAX_STRING = 65_536
_EMAIL = re.compile(r"[^@\s;,<>()]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*\.)[A-Za-z0-9-]{2,}")
_NO_DIGIT = re.compile(r"\D")
_MS = re.compile(r"-?\d{9,15}")


class InvalidValueError(ValueError):
    """A value does not fit its property. code: HubSpot's name for the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


@lru_cache(maxsize=4096)
def iso(ms: int) -> str:
    """Return epoch milliseconds as HubSpot writes instants: 2024-08-15T17:09:13.648Z.

    >>> iso(1723741753648)
    '2024-08-15T17:09:13.648Z'
    """
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


@lru_cache(maxsize=1 << 18)
def to_ms(text: str) -> int:
    """Return a date, ISO instant or epoch ms as epoch ms; raises ValueError."""
    if _MS.fullmatch(text):
        return int(text)
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        if "T" in text or ":" in text:
            raise ValueError("an instant needs its offset")
        parsed = parsed.replace(tzinfo=UTC)
    # Integer arithmetic: timestamp() is a float and may be a millisecond off.
    since = parsed - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000


def clean_string(name: str, raw: str) -> str:
    """Return a string value; raises InvalidValueError past 65,536 characters."""
    if len(raw) > MAX_STRING:
        message = f"{name} is {len(raw)} characters long; the maximum is {MAX_STRING}"
        raise InvalidValueError("INVALID_STRING_LENGTH", message)
    return raw


def clean_email(raw: str) -> str:
    """Return a lower-cased address; raises InvalidValueError."""
    if not _EMAIL.fullmatch(raw.strip()):
        raise InvalidValueError("INVALID_EMAIL", f"Email address {raw} is invalid")
    return raw.strip().lower()


def clean_number(raw: str) -> str:
    """Return a decimal number; raises InvalidValueError."""
    try:
        number = Decimal(raw.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidValueError("INVALID_INTEGER", f"{raw} was not a valid number.")
    return raw.strip()


def clean_date(raw: str) -> str:
    """Return YYYY-MM-DD; a date given in epoch ms must be midnight UTC."""
    try:
        ms = to_ms(raw.strip())
    except ValueError as error:
        message = f"{raw} was not a valid date."
        raise InvalidValueError("INVALID_DATE", message) from error
    if ms % DAY_MS:
        text = _second(ms // 1000)[11:]
        raise InvalidValueError(
            "INVALID_DATE", f"{raw} is at {text} UTC, not midnight!"
        )
    return _second(ms // 1000)[:10]


def clean_datetime(raw: str) -> str:
    """Return an ISO instant in UTC with milliseconds; raises InvalidValueError."""
    try:
        return iso(to_ms(raw.strip()))
    except (ValueError, OverflowError, OSError) as error:
        message = f"{raw} was not a valid long."
        raise InvalidValueError("INVALID_LONG", message) from error


def clean_bool(raw: str) -> str:
    """Return true or false; raises InvalidValueError."""
    if raw.lower() not in ("true", "false"):
        message = f"{raw} was not one of the allowed options: [true, false]"
        raise InvalidValueError("INVALID_OPTION", message)
    return raw.lower()


def clean_option(raw: str, allowed: Collection[str]) -> str:
    """Return one internal option name, spelt exactly; raises InvalidValueError."""
    if raw not in allowed:
        shown = ", ".join(sorted(allowed)[:50])
        message = f"{raw} was not one of the allowed options: [{shown}]"
        raise InvalidValueError("INVALID_OPTION", message)
    return raw


def clean_options(raw: str, allowed: Collection[str], before: str | None) -> str:
    """Return a multi-select; a leading semicolon adds to what is set already."""
    chosen = [clean_option(part, allowed) for part in raw.split(";") if part]
    kept = before.split(";") if raw.startswith(";") and before else []
    return ";".join(dict.fromkeys([*kept, *chosen]))


def phone_digits(raw: str) -> str:
    """Return a phone number's digits without its country code, as search has it.

    >>> phone_digits("+1 (415) 555-0100")
    '4155550100'
    """
    digits = _NO_DIGIT.sub("", raw)
    if raw.strip().startswith("+") and len(digits) > 9:
        return digits[1:] if digits[0] in "17" else digits[2:]
    return digits.lstrip("0")
