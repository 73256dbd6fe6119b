"""Reads JSON that nobody promised to keep tidy; the check and the processing share it.

PURE. What a database would refuse is made harmless here: NULs go, lone surrogates
become U+FFFD, NaN and infinities become null, and no digit of a number is lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from integrations.webhooks.base import Malformed

MAX_DEPTH = 100
# Beyond it Python refuses to make an int; long before, nobody counts with it.
_MAX_DIGITS = 300
_ABSURD_BEFORE = datetime(2003, 1, 1, tzinfo=UTC)
_ABSURD_AHEAD = timedelta(days=1)
# Seconds until the year 5138, milliseconds from 1973 on: the ranges do not meet.
_SECONDS_BELOW = 100_000_000_000


def read_json(body: bytes) -> object:
    """Return the JSON value of a body in UTF-8.

    Raises Malformed when it is not UTF-8, not JSON, or nested too deep.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not UTF-8 (byte {error.start}).") from None
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {str(error)[:200]}.") from None
    _require_shallow(value, text)
    return _cleaned(value) if "\\u" in text or "\x00" in text else value


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def _fraction(digits: str) -> Decimal | None:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond any machine
        return None


_DECODER = json.JSONDecoder(
    parse_int=_whole,
    parse_float=_fraction,
    parse_constant=lambda _: None,
    # Control characters in strings are wrong and harmless; the event is worth more.
    strict=False,
)


def _too_deep() -> Malformed:
    return Malformed(f"The JSON is nested deeper than {MAX_DEPTH} levels.")


def _require_shallow(value: object, text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    level, depth = [value], 0
    while level := [child for one in level for child in _children(one)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep()


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return [one for one in value.values() if isinstance(one, dict | list)]
    if isinstance(value, list):
        return [one for one in value if isinstance(one, dict | list)]
    return []


def _cleaned(value: object) -> object:
    """Return the value without NULs and surrogates, in keys too; depth is bounded."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if isinstance(value, dict):
        return {clean_text(name): _cleaned(one) for name, one in value.items()}
    return value


def clean_text(text: str) -> str:
    """Return text that every database stores.

    >>> clean_text("a\\x00b") == "ab" and clean_text("\\ud83d!") == "\\ufffd!"
    True
    """
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        # A pair of escapes is one character by now; what is left alone is broken.
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text


# --- tolerant look-ups ---------------------------------------------------------------


def flattened(payload: object) -> dict[str, object]:
    """Return an object and the objects in it as one, by names without case, `_`, `-`.

    The first of two names that fold alike wins; {} for what is no object.

    >>> flattened({"lead": {"first_name": "Ada", "firstName": "Bea"}, "Id": 7})
    {'lead.firstname': 'Ada', 'id': 7}
    """
    found: dict[str, object] = {}
    for name, value in _items(payload):
        if isinstance(value, Mapping):
            for inner, one in _items(value):
                found.setdefault(f"{name}.{inner}", one)
        else:
            found.setdefault(name, value)
    return found


def _items(value: object) -> list[tuple[str, object]]:
    if not isinstance(value, Mapping):
        return []
    return [(_fold(str(name)), one) for name, one in value.items()]


def _fold(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def first_text(
    record: Mapping[str, object], names: Iterable[str], *, limit: int = 1000
) -> str:
    """Return the first of the names that holds a text or a number, stripped.

    >>> first_text({"a": " ", "b": None, "c": 7}, ["a", "b", "c"])
    '7'
    """
    for name in names:
        if text := as_text(record.get(name), limit=limit):
            return text
    return ""


def first_value(record: Mapping[str, object], names: Iterable[str]) -> object:
    """Return the first value that is there, None without one."""
    return next((record[name] for name in names if record.get(name)), None)


def as_text(value: object, *, limit: int = 1000) -> str:
    """Return a text or number as text, "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    return str(value)[: 4 * limit].strip()[:limit]


def as_flag(value: object) -> bool | None:
    """Return what a boolean in any of its spellings says, None when it says nothing.

    >>> as_flag("true"), as_flag(0), as_flag("maybe")
    (True, False, None)
    """
    word = str(value).lower() if isinstance(value, bool | str | int) else ""
    return {"true": True, "1": True, "false": False, "0": False}.get(word)


def as_time(value: object, *, fallback: datetime) -> datetime:
    """Return epoch seconds, epoch milliseconds or ISO 8601 as UTC.

    Anything else, a time before 2003 or more than a day after `fallback` (the time of
    receipt) gives `fallback`. A time without zone is UTC.

    >>> as_time(1779032656979, fallback=datetime(2026, 6, 1, tzinfo=UTC)).isoformat()
    '2026-05-17T15:44:16.979000+00:00'
    """
    try:
        found = _moment(value)
    except (ValueError, OverflowError, ArithmeticError):
        return fallback
    if found is None or not _ABSURD_BEFORE <= found <= fallback + _ABSURD_AHEAD:
        return fallback
    return found


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        text = value.strip()[:40]
        if not text.isascii() or not text.replace(".", "", 1).isdigit():
            found = datetime.fromisoformat(text)
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        value = Decimal(text)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    # Compared before it is converted: 1e999999999 would fill the memory as an int.
    if not 0 < value < _SECONDS_BELOW * 1000:
        return None
    millis = int(value * 1000) if value < _SECONDS_BELOW else int(value)
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=millis)


# --- keys --------------------------------------------------------------------------


def digest(*parts: str) -> str:
    """Return SHA-256 in hex over the parts, which cannot run into each other."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def bounded(identity: str, *, limit: int) -> str:
    """Return the id itself, or one of equal meaning that fits.

    >>> bounded("abc", limit=200), len(bounded("x" * 500, limit=200))
    ('abc', 71)
    """
    return identity if len(identity) <= limit else f"sha256:{digest(identity)}"


def canonical(payload: object) -> str:
    """Return the same text for the same payload, however it was spaced and ordered."""
    return json.dumps(payload, sort_keys=True, default=str)
