"""Cleans single values: what comes in is anything, what goes out fits its field.

PURE. `None` never arrives here: clearing is decided by the field (`fields.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from leads.matching import normal_domain, normal_email, normal_linkedin, normal_phone

MAX_ID = 2**63 - 1
# What a column of 18 digits with 2 decimals takes.
MAX_MONEY = Decimal(10) ** 16
MAX_BODY = 100_000
_CURRENCY = re.compile(r"^[A-Z]{3}$")
# Nearly every address; a closer look would find its host, too.
_PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?:[/?#]|\Z)")

Cleaner = Callable[[object], object]


class Wrong(ValueError):
    """The value does not fit; the message says what would."""


def text(max_length: int) -> Callable[[object], str]:
    """Return a cleaner of text: stripped, not too long, storable.

    >>> text(10)("  Ada ")
    'Ada'
    """

    def clean(value: object) -> str:
        if not isinstance(value, str):
            raise Wrong("This must be text.")
        if not value.isascii() or "\x00" in value:
            _storable(value)
        found = value.strip()
        if len(found) > max_length:
            raise Wrong(f"At most {max_length} characters; this has {len(found)}.")
        return found

    return clean


def _storable(value: str) -> None:
    if "\x00" in value:
        raise Wrong("NUL characters are not allowed.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Wrong("This is not valid Unicode text.") from error


_address, _number, _place = text(254), text(60), text(500)
_long, _short = text(2000), text(20)


def email(value: object) -> str:
    """Return the normal form of an address; an empty one stays empty."""
    given = _address(value)
    found = normal_email(given)
    if given and not found:
        raise Wrong(f"{given} is not an e-mail address.")
    return found


def phone(region: str) -> Callable[[object], str]:
    """Return a cleaner of phone numbers; the region reads those without a code."""

    def clean(value: object) -> str:
        given = _number(value)
        found = normal_phone(given, region) if given else ""
        if given and not found:
            raise Wrong(
                f"{given} is not a phone number of {region} or with a country code."
            )
        return found

    return clean


def linkedin(value: object) -> str:
    """Return the public id of a LinkedIn profile, from its address or the id itself."""
    given = _place(value)
    found = normal_linkedin(given)
    if given and not found:
        raise Wrong(f"{given} is neither a LinkedIn profile's address nor its id.")
    return found


def domain(value: object) -> str:
    """Return the host of a web address or the bare domain."""
    given = _place(value)
    found = normal_domain(given)
    if given and not found:
        raise Wrong(f"{given} is not a domain, like example.com.")
    return found


def web_address(value: object) -> str:
    """Return an http or https address."""
    given = _long(value)
    if _PLAIN_ADDRESS.match(given):
        return given
    try:
        parts = urlsplit(given)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        fits = False
    if given and not fits:
        raise Wrong(f"{given} is not a web address, like https://example.com/.")
    return given


def number(value: object) -> int | float:
    """Return a finite number; text is read as one."""
    found = _decimal(value)
    if abs(found) > Decimal(10) ** 30:
        raise Wrong("This number is too large.")
    return int(found) if found == found.to_integral_value() else float(found)


def whole(low: int, high: int) -> Callable[[object], int]:
    """Return a cleaner of whole numbers from `low` to `high`."""

    def clean(value: object) -> int:
        found = _decimal(value)
        if found != found.to_integral_value() or not low <= found <= high:
            raise Wrong(f"This must be a whole number from {low} to {high}.")
        return int(found)

    return clean


def money(value: object) -> Decimal:
    """Return an amount with at most two decimals; never rounded.

    >>> money("1200.5")
    Decimal('1200.50')
    """
    found = _decimal(value)
    if abs(found) >= MAX_MONEY:
        raise Wrong("This amount is too large.")
    exact = found.quantize(Decimal("0.01"))
    if exact != found:
        raise Wrong("At most two decimals.")
    return exact


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise Wrong("This must be a number.")
    if isinstance(value, str) and len(value) > 60:
        raise Wrong("This must be a number.")
    if isinstance(value, int) and abs(value) > 10**40:
        raise Wrong("This number is too large.")
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise Wrong("This must be a number.") from error
    # Beyond these exponents even comparing costs memory.
    if not found.is_finite() or abs(found.adjusted()) > 60:
        raise Wrong("This must be a number.")
    return found


def currency(value: object) -> str:
    """Return an ISO 4217 code."""
    found = _short(value).upper()
    if found and not _CURRENCY.match(found):
        raise Wrong("Give the currency as three letters, like EUR.")
    return found


def boolean(value: object) -> bool:
    """Return a truth value; only JSON's own two are taken."""
    if not isinstance(value, bool):
        raise Wrong("This must be true or false.")
    return value


def moment(value: object) -> datetime:
    """Return an aware time in UTC, from one or from its ISO form."""
    found = _parsed(value, datetime) if isinstance(value, str) else value
    if not isinstance(found, datetime):
        raise Wrong("This must be a time, like 2026-03-31T09:30:00Z.")
    if found.tzinfo is None:
        raise Wrong("This time lacks a time zone; 2026-03-31T09:30:00Z has one.")
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise Wrong("This time is out of range.") from error


def day(value: object) -> date:
    """Return a date, from one or from its ISO form."""
    found = _parsed(value, date) if isinstance(value, str) else value
    if not isinstance(found, date) or isinstance(found, datetime):
        raise Wrong("This must be a date, like 2026-03-31.")
    return found


def _parsed(value: str, kind: type[date]) -> date | None:
    try:
        return kind.fromisoformat(value.strip())
    except ValueError:
        return None


def choice(allowed: Collection[str]) -> Callable[[object], str]:
    """Return a cleaner that takes one of these values."""

    def clean(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise Wrong(
                f"This must be one of: {', '.join(sorted(filter(None, allowed)))}."
            )
        return str(value)

    return clean


def several(allowed: Collection[str]) -> Callable[[object], list[str]]:
    """Return a cleaner of lists of these values; repeats count once."""
    one = choice(allowed)

    def clean(value: object) -> list[str]:
        if not isinstance(value, list | tuple):
            raise Wrong("This must be a list.")
        return list(dict.fromkeys(one(item) for item in value))

    return clean


def row_id(value: object) -> int:
    """Return the id of a row; whether it exists is asked elsewhere."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong("This must be an id.")
    if not 0 < value <= MAX_ID:
        raise Wrong("There is no such id.")
    return value
