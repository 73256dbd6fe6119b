"""What Salesforce's refusals mean.

PURE. A request is refused by a list of {message, errorCode, fields}, a row by {message,
statusCode, fields}, OAuth by {error, error_description}, SOAP by a fault: one
vocabulary, of which `enums` lists every word. Some facts are in the message alone.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from integrations.connectors.salesforce.spec import (
    CONCURRENCY_PAUSE_S,
    DAILY_PAUSE_S,
)
from integrations.connectors.salesforce.values import is_id, long_id
from integrations.connectors.waiting import retry_after_s
from integrations.errors import (
    AmbiguousMatch,
    DuplicateFound,
    Misconfigured,
    PermissionMissing,
    RateLimited,
    RateScope,
    ReauthRequired,
    RecordBecame,
    RecordGone,
    RecordRejected,
    Retryable,
    SyncError,
    Unsupported,
    Where,
    error_of_status,
)

VENDOR = "salesforce"
AMBIGUOUS = "AMBIGUOUS_MATCH"
CONVERTED = "CANNOT_UPDATE_CONVERTED_LEAD"

Json = Mapping[str, Any]

_LATER = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "QUERY_TIMEOUT",
        "SERVER_UNAVAILABLE",
        "REQUEST_RUNNING_TOO_LONG",
        "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE",
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
        "ORG_IN_MAINTENANCE",
        "UNKNOWN_EXCEPTION",
        "INTERNAL_ERROR",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "PROCESSING_HALTED",
        "INVALID_QUERY_LOCATOR",
        "COLLISION_DETECTED",
    }
)
_GONE = frozenset({"ENTITY_IS_DELETED", "ENTITY_IS_ARCHIVED", "NOT_FOUND", CONVERTED})
_FORBIDDEN = frozenset(
    {
        "INSUFFICIENT_ACCESS",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "API_DISABLED_FOR_ORG",
        "API_CURRENTLY_DISABLED",
        "CLIENT_NOT_ACCESSIBLE_FOR_USER",
        "FUNCTIONALITY_NOT_ENABLED",
        "TRIAL_EXPIRED",
        "ORG_LOCKED",
    }
)
# What an administrator of the org must give, and where.
_ACCESS = (
    "In Salesforce, let the connected user create and edit records of this object, in "
    "the object settings of their permission set or profile, or share the record with "
    "them."
)
_API = (
    "In Salesforce, give the connected user the permission API Enabled, in their "
    "permission set or profile. The org's edition must include API access."
)
_NEEDS = {
    "INSUFFICIENT_ACCESS": _ACCESS,
    "INSUFFICIENT_ACCESS_OR_READONLY": _ACCESS,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": (
        "The connected user may not use a record that this one names, such as its "
        "account, contact, campaign or owner: share that one with them in Salesforce."
    ),
    "API_DISABLED_FOR_ORG": _API,
    "API_CURRENTLY_DISABLED": _API,
    "CLIENT_NOT_ACCESSIBLE_FOR_USER": (
        "In Salesforce, allow the connected user to use the app, in the app's policies."
    ),
}
_SCHEMA = frozenset(
    {
        "INVALID_FIELD",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "FIELD_NOT_UPDATABLE",
        "INVALID_TYPE",
        "INVALID_ENTITY_FOR_UPSERT",
        "MALFORMED_QUERY",
        "JSON_PARSER_ERROR",
    }
)
_LIMITED = frozenset(
    {"REQUEST_LIMIT_EXCEEDED", "EXCEEDED_QUOTA", "TOO_MANY_JOBS", "LIMIT_EXCEEDED"}
)
_TAKEN = frozenset({"DUPLICATE_VALUE", "DUPLICATES_DETECTED", "DUPLICATE_EXTERNAL_ID"})
# 401 that a new token does not cure: jsforce, http-api isSessionExpired.
_NOT_EXPIRED = (
    "Connected app is not attached to Agent",
    "This session is not valid for use with the REST API",
)

_BUSY = 503
_COLUMN = re.compile(r"[Nn]o such column '([\w.]+)'")
_NO_KEY_FIELD = re.compile(
    r"external ID field does not exist or is not accessible: (\S+)"
)
_UNWRITABLE = re.compile(r"fields: ([\w, ]+)\.")
_MISSING = re.compile(r"missing: \[(\w+)")
_HOLDER = re.compile(r"record with id: (\w+)")
_BULK_COLUMN = re.compile(r"Field name not found : (\w+)")
# "Cannot deserialize instance of double from VALUE_STRING value x": the value's fault.
_BAD_VALUE = re.compile(r"deseriali[sz]e|not a valid value for the type", re.I)


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> SyncError:
    """Name what an answer of 300 or more means."""
    text = body[:65_536].decode("utf-8", "replace")
    lower = {name.lower(): value for name, value in headers.items()}
    if status == 300:
        told = "Several records have this key; none was written"
        return AmbiguousMatch(told, **_where(AMBIGUOUS, status))
    entry, wait_s = _first(text), retry_after_s(lower)
    error = error_of(entry, status, wait_s)
    if status == _BUSY and wait_s is not None and type(error) is Retryable:
        where = _where(error.code, status, error.message)
        return RateLimited(error.message, retry_after_s=wait_s, **where)
    return error


def error_of(
    entry: Json, status: int | None = None, wait_s: float | None = None
) -> SyncError:
    """Name a refusal: the first of a request's, or one of a row's."""
    code = _word(entry, "errorCode", "statusCode", "error")
    message = _word(entry, "message", "error_description")
    where = _where(code, status, message)
    if _is_lock(code, message) or code in _LATER:
        return Retryable(message, **where)
    if code in _LIMITED or status in (423, 429):
        return _limited(message, wait_s, where)
    if code in {"INVALID_SESSION_ID", "INVALID_AUTH_HEADER"} or status == 401:
        expired = not any(words in message for words in _NOT_EXPIRED)
        return ReauthRequired(message, expired=expired, **where)
    if code in _TAKEN:
        return _duplicate(entry, message, where)
    if code in _GONE:
        return _gone(message, where)
    return _about_the_rest(entry, message, where)


def _about_the_rest(entry: Json, message: str, where: Where) -> SyncError:
    code, status = where.get("code", ""), where.get("status")
    field = _field(entry, message)
    if code in _FORBIDDEN:
        return PermissionMissing(message, needs=_NEEDS.get(code, ""), **where)
    if code in _SCHEMA and not _BAD_VALUE.search(message):
        return Misconfigured(message, field=field, **where)
    if code == "UNSUPPORTED_API_VERSION" or status == 410:
        return Unsupported(message, **where)
    if code and (status is None or status == 400):
        return RecordRejected(message, field=field, rule=code, **where)
    return _by_status(entry, message, where)


def _by_status(entry: Json, message: str, where: Where) -> SyncError:
    status = where.get("status") or 400
    kind = error_of_status(status)
    if kind is RecordRejected:
        return RecordRejected(message, field=_field(entry, message), **where)
    return kind(message, **where)


def bulk_error(text: str) -> SyncError:
    """Name the refusal of a row of a bulk job: `CODE:message:field, field --`."""
    code, _, rest = text.partition(":")
    message, _, fields = rest.rpartition(":")
    names = [one.strip() for one in fields.replace("--", "").split(",")]
    known = [one for one in names if one]
    return error_of({"statusCode": code, "message": message or rest, "fields": known})


def job_error(message: str) -> SyncError:
    """Name why a whole bulk job failed; what it had processed stays."""
    where = _where("BULK_JOB_FAILED", None, message)
    if found := _BULK_COLUMN.search(message):
        return Misconfigured(message, field=found.group(1), **where)
    return Retryable(message or "The bulk job failed", **where)


def _limited(message: str, wait_s: float | None, where: Where) -> RateLimited:
    is_daily = where.get("code") in _LIMITED and "Concurrent" not in message
    scope: RateScope = "daily" if is_daily else "burst"
    usual_s = DAILY_PAUSE_S if is_daily else CONCURRENCY_PAUSE_S
    told = usual_s if wait_s is None else wait_s
    return RateLimited(message, retry_after_s=told, scope=scope, **where)


def _duplicate(entry: Json, message: str, where: Where) -> SyncError:
    code = where.get("code")
    if code == "DUPLICATE_EXTERNAL_ID":
        return _ambiguous(message, where)
    if code == "DUPLICATES_DETECTED":
        found = dict(_matches(entry))
        if len(found) > 1:
            told = f"{message} ({', '.join(found)})"
            return _ambiguous(told, where, [(kind, one) for one, kind in found.items()])
        for one, object_type in found.items():
            return DuplicateFound(
                message, existing_id=one, existing_object=object_type, **where
            )
        return DuplicateFound(message, **where)
    named = _HOLDER.search(message)
    holder = long_id(named.group(1)) if named and is_id(named.group(1)) else None
    return DuplicateFound(
        message, existing_id=holder, field=_field(entry, message), **where
    )


def _ambiguous(
    message: str, where: Where, candidates: Sequence[tuple[str, str]] = ()
) -> AmbiguousMatch:
    told = Where(**where)
    told["code"] = AMBIGUOUS
    rule = where.get("code", "")
    return AmbiguousMatch(message, candidates=candidates, rule=rule, **told)


def _gone(message: str, where: Where) -> SyncError:
    if found := _NO_KEY_FIELD.search(message):
        return Misconfigured(message, field=found.group(1), **where)
    if where.get("code") == CONVERTED:
        return RecordBecame(message, **where)
    return RecordGone(message, **where)


def _matches(entry: Json) -> Iterator[tuple[str, str]]:
    """Yield the records a duplicate rule found, (id, object or "") each.

    The key is misspelt in live answers. A rule for leads looks among contacts, too.
    """
    found = entry.get("duplicateResut") or entry.get("duplicateResult")
    for result in _list(_mapping(found).get("matchResults")):
        for match in _list(_mapping(result).get("matchRecords")):
            record = _mapping(_mapping(match).get("record"))
            named = _mapping(record.get("attributes")).get("type")
            named = named or _mapping(result).get("entityType")
            identity = record.get("Id")
            if isinstance(identity, str) and is_id(identity):
                yield long_id(identity), named if isinstance(named, str) else ""


def _is_lock(code: str, message: str) -> bool:
    """A lock inside a trigger is told as the trigger's failure."""
    wraps = code == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    return wraps and "UNABLE_TO_LOCK_ROW" in message


def _field(entry: Json, message: str) -> str:
    for name in _list(entry.get("fields")):
        if isinstance(name, str) and name:
            return name
    for pattern in (_COLUMN, _UNWRITABLE, _MISSING):
        if found := pattern.search(message):
            return found.group(1).split(",")[0].strip()
    return ""


def _where(code: str, status: int | None, message: str = "") -> Where:
    return Where(vendor=VENDOR, status=status, code=code, detail=message)


def _first(text: str) -> Json:
    """Return the first refusal of an answer, however it is wrapped."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return _fault(text)
    if isinstance(parsed, list):
        parsed = next((one for one in parsed if isinstance(one, dict)), {})
    return parsed if isinstance(parsed, dict) else {}


_FAULT_CODE = re.compile(r"<faultcode>\s*(?:\w+:)?(\w+)\s*</faultcode>")
_FAULT_TEXT = re.compile(r"<faultstring>(?:\w+: )?([^<]*)</faultstring>")


def _fault(text: str) -> Json:
    """Read a SOAP fault; of a proxy's page, the words without its tags."""
    code, told = _FAULT_CODE.search(text), _FAULT_TEXT.search(text)
    if code:
        words = told.group(1) if told else ""
        return {"errorCode": code.group(1), "message": words}
    return {"message": re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)).strip()}


def _word(entry: Json, *keys: str) -> str:
    found = (entry.get(key) for key in keys)
    return next((one for one in found if isinstance(one, str) and one), "")


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}
