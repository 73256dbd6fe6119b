"""What HubSpot's refusals mean.

PURE. Bodies: guide api-usage/error-handling. Every part of them is optional, and
some facts exist only in the message text.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from integrations.connectors.hubspot.spec import LOCK_S
from integrations.connectors.waiting import http_date, retry_after_s
from integrations.errors import (
    DuplicateFound,
    Misconfigured,
    PermissionMissing,
    RateLimited,
    RateScope,
    ReauthRequired,
    RecordGone,
    RecordRejected,
    SyncError,
    Where,
    error_of_status,
)

VENDOR = "hubspot"
_LOCKED = 423
_BUSY = 503
_MOVING = 477  # the account is moving to another data centre

# The id of the other record is nowhere but in the text:
# HubSpot/hubspot-api-python#51.
_EXISTING_ID = re.compile(r"Existing ID:\s*(\d+)")
# UNCONFIRMED wording and code, seen in third-party code only.
_UNIQUE_TAKEN = re.compile(r"(?:\b(\d+) )?already has that value", re.I)
# A message ends in a JSON list of what is wrong with which property.
_EMBEDDED = re.compile(r"\[\s*\{.*\}\s*\]", re.S)

_SCHEMA_CODES = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"})
_UNIQUE_CODES = frozenset({"CONFLICTING_UNIQUE_VALUE"})
# UNCONFIRMED wording.
_UNKNOWN_OBJECT = "Unable to infer object type"
_NON_UNIQUE_KEY = re.compile(r"by non-unique \S+ property\s*(\w*)")

_ROLLING = "TEN_SECONDLY_ROLLING"
# policyName -> (scope, seconds to wait when no Retry-After is given).
_POLICIES: dict[str, tuple[RateScope, float | None]] = {
    "DAILY": ("daily", None),
    "SECONDLY": ("search", 1.0),
    _ROLLING: ("burst", 1.0),
}
_OTHER_POLICY: tuple[RateScope, float | None] = ("burst", None)
# The message names the policy too.
_POLICY_IN_TEXT = re.compile(r"\byour (\w+) limit", re.I)
_INTERVAL_MS = "x-hubspot-ratelimit-interval-milliseconds"
# A window that rolls lets some calls go again after a tenth of it; to wait for all of
# it would leave most of it unused.
_ROLLING_SHARE = 1 / 10
_MOST_ROLLING_S = 10.0
_DAILY_LEFT = "x-hubspot-ratelimit-daily-remaining"
_QUARTER_HOUR_S = 900.0
_RESET_SLACK_S = 5.0

# Text and lists from a vendor's JSON: nothing about its shape may be believed.
Json = Mapping[str, Any]


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> SyncError:
    """Name what an answer of 300 or more means.

    headers: any case; `Date` lets a Retry-After that is a date be understood.
    """
    parsed = _parse(body)
    if parsed is None:
        text = body[:4096].decode("utf-8", "replace")
        parsed = {"message": _plain(text)}
    return error_of(parsed, status, {k.lower(): v for k, v in headers.items()})


def error_of(body: Json, status: int, headers: Mapping[str, str]) -> SyncError:
    """Name a refusal: a whole answer, or one entry of a 207's `errors`."""
    where = _where(body, status)
    message = where.get("detail", "")
    kind = error_of_status(status)
    waits = status == _BUSY and retry_after_s(headers) is not None
    if kind is RateLimited or status == _MOVING or waits:
        return _rate_limited(body, status, headers, where)
    if kind is ReauthRequired:
        # 401 without a reason is tried once more with a fresh token.
        expired = body.get("category") != "INVALID_AUTHENTICATION"
        return ReauthRequired(message, expired=expired, **where)
    if kind is PermissionMissing or body.get("category") == "MISSING_SCOPES":
        scopes = _scopes(body)
        return PermissionMissing(message, scopes=scopes, needs=_needs(scopes), **where)
    if kind is DuplicateFound:
        return _duplicate(body, where)
    if kind is RecordRejected:
        return _rejected(body, where)
    return kind(message, **where)


def _rate_limited(
    body: Json, status: int, headers: Mapping[str, str], where: Where
) -> RateLimited:
    scope, usual_s = _OTHER_POLICY
    if status == _LOCKED:
        usual_s = LOCK_S
    elif status not in (_MOVING, _BUSY):
        scope, usual_s = _policy(body, headers)
    told_s = retry_after_s(headers)
    if told_s is None and scope == "daily":
        told_s = _until_reset_s(headers)
    return RateLimited(
        where.get("detail", ""),
        retry_after_s=usual_s if told_s is None else told_s,
        scope=scope,
        **where,
    )


def _policy(body: Json, headers: Mapping[str, str]) -> tuple[RateScope, float | None]:
    """Say which limit was hit: by name, by what is left of the day, or by the text."""
    named = str(body.get("policyName") or "")
    if named not in _POLICIES and headers.get(_DAILY_LEFT, "").strip() == "0":
        named = "DAILY"
    if named not in _POLICIES:
        found = _POLICY_IN_TEXT.search(str(body.get("message") or ""))
        named = found.group(1).upper() if found else ""
    scope, usual_s = _POLICIES.get(named, _OTHER_POLICY)
    return scope, _rolling_s(headers, usual_s) if named == _ROLLING else usual_s


def _rolling_s(headers: Mapping[str, str], usual_s: float | None) -> float | None:
    """Return how long to wait for a window of the length that the headers tell.

    >>> _rolling_s({"x-hubspot-ratelimit-interval-milliseconds": "20000"}, 1.0)
    2.0
    """
    told = headers.get(_INTERVAL_MS, "").strip()
    if not (told.isascii() and told.isdigit() and len(told) < 9 and int(told)):
        return usual_s
    return min(int(told) / 1000 * _ROLLING_SHARE, _MOST_ROLLING_S)


def _until_reset_s(headers: Mapping[str, str]) -> float | None:
    """Return the wait until the account's midnight may be over; None: no Date given.

    Which zone the account is in is not told. Midnight falls on a quarter of an hour in
    every zone there is, so asking just after each of them resumes in time, with at
    most four refusals an hour.

    >>> _until_reset_s({"date": "Wed, 21 Oct 2026 07:28:00 GMT"})
    125.0
    """
    now = http_date(headers.get("date", ""))
    if now is None:
        return None
    return _QUARTER_HOUR_S - (now - _RESET_SLACK_S) % _QUARTER_HOUR_S


def _duplicate(body: Json, where: Where, field: str = "") -> DuplicateFound:
    text = where.get("detail", "")
    found = _EXISTING_ID.search(text) or _UNIQUE_TAKEN.search(text)
    return DuplicateFound(
        text,
        existing_id=found.group(1) if found else None,
        field=field or _first_field(body),
        **where,
    )


def _rejected(body: Json, where: Where) -> SyncError:
    text = where.get("detail", "")
    code, field = where.get("code", ""), _first_field(body)
    if code in _SCHEMA_CODES:
        return Misconfigured(_told(body) or text, field=field, **where)
    if _UNKNOWN_OBJECT in text:
        return Misconfigured(text, **where)
    if found := _NON_UNIQUE_KEY.search(text):
        return Misconfigured(text, field=field or found.group(1), **where)
    if code in _UNIQUE_CODES or _UNIQUE_TAKEN.search(text) or _EXISTING_ID.search(text):
        return _duplicate(body, where, field)
    if body.get("category") == "OBJECT_NOT_FOUND":
        return RecordGone(text, **where)
    return RecordRejected(_told(body) or text, field=field, rule=code, **where)


def _where(body: Json, status: int) -> Where:
    first = next(_details(body), {})
    code = first.get("code") or first.get("error") or body.get("category") or ""
    return Where(
        vendor=VENDOR,
        status=status,
        code=str(code),
        request_id=str(body.get("correlationId") or body.get("requestId") or ""),
        detail=str(body.get("message") or ""),
    )


def _details(body: Json) -> Iterator[Json]:
    """Yield the parts that blame a property: `errors`, then those in the message."""
    for entry in _list(body.get("errors")):
        if isinstance(entry, Mapping):
            yield entry
    found = _EMBEDDED.search(str(body.get("message") or ""))
    for entry in _list(_parse_any(found.group(0))) if found else []:
        if isinstance(entry, Mapping):
            yield entry


def _told(body: Json) -> str:
    """Return the sentence about the property, without the JSON it comes in."""
    sentences = (entry.get("message") for entry in _details(body))
    return next((one for one in sentences if isinstance(one, str) and one), "")


def _first_field(body: Json) -> str:
    for entry in _details(body):
        names = _list(_mapping(entry.get("context")).get("propertyName"))
        name = names[0] if names else entry.get("name")
        if isinstance(name, str) and name:
            return name
    return ""


def _scopes(body: Json) -> tuple[str, ...]:
    return tuple(
        scope
        for entry in _details(body)
        for scope in _list(_mapping(entry.get("context")).get("requiredGranularScopes"))
        if isinstance(scope, str)
    )


def _needs(scopes: Sequence[str]) -> str:
    """Say which scope helps: the plainest first, which has the shortest name."""
    if not scopes:
        return ""
    named = ", ".join(sorted(dict.fromkeys(scopes), key=len))
    which = f"the scope {named}" if len(scopes) == 1 else f"one of the scopes {named}"
    return f"The app needs {which}: add it in the app's settings in HubSpot."


def _plain(text: str) -> str:
    """Strip the tags of a proxy's HTML page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)).strip()


def _parse(body: bytes) -> Json | None:
    parsed = _parse_any(body)
    return parsed if isinstance(parsed, dict) else None


def _parse_any(text: str | bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}
