"""Errors of talking to another system, named by what the caller must do.

PURE: no Django, no HTTP. Only redacted text is kept, so an error may be logged,
journalled and shown as it is.
"""

import re
from collections.abc import Sequence
from typing import ClassVar, Literal, TypedDict, Unpack

ErrorClass = Literal[
    "transient",
    "throttled",
    "auth",
    "permission",
    "rejected",
    "gone",
    "duplicate",
    "ambiguous",
    "schema",
    "unknown",
    "bug",
]
RateScope = Literal["burst", "daily", "search"]

DETAIL_LIMIT = 1024
_TO_HIDE = (
    r"access_?token|refresh_?token|id_token|client_?secret|api_?key|hapikey|"
    r"password|code_verifier|tokenKey"
)
_SECRETS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 ***"),
    (re.compile(r"\bpat-[a-z0-9]+-[\w-]+"), "pat-***"),
    (
        re.compile(rf"(?i)(\b(?:{_TO_HIDE})\b[\"']?\s*[:=]\s*[\"']?)[^\s\"'&,}}]+"),
        r"\1***",
    ),
    (re.compile(r"(?i)(/(?:access|refresh)-tokens/)[^\s/?\"']+"), r"\1***"),
)


def redact(text: str, limit: int = DETAIL_LIMIT) -> str:
    """Return text without credentials, NULs or lone surrogates, cut to limit bytes.

    >>> redact('{"access_token":"abc","status":"error"}')
    '{"access_token":"***","status":"error"}'
    """
    # Cut before and after: a pattern must not crawl through megabytes, and a
    # secret must not be handed over in halves, so the first cut leaves room.
    clean = text[: 4 * limit].replace("\x00", "")
    for pattern, replacement in _SECRETS:
        clean = pattern.sub(replacement, clean)
    return clean.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


class Where(TypedDict, total=False):
    """What every error may say about itself; see SyncError."""

    vendor: str
    object_type: str
    status: int | None
    code: str
    request_id: str
    detail: str


class SyncError(Exception):
    """A failed exchange with another system.

    `status` is the HTTP status, `code` the vendor's own word for the failure,
    `detail` what the vendor said (redacted, at most 1 KB).
    """

    error_class: ClassVar[ErrorClass] = "bug"

    def __init__(self, message: str = "", **where: Unpack[Where]) -> None:
        # args holds the message alone: an exception that cannot be unpickled
        # kills the pool process that raised it.
        super().__init__(redact(message))
        self.vendor = where.get("vendor", "")
        self.object_type = where.get("object_type", "")
        self.status = where.get("status")
        self.code = redact(where.get("code", ""), 200)
        self.request_id = redact(where.get("request_id", ""), 200)
        self.detail = redact(where.get("detail", ""))

    @property
    def message(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        status = "" if self.status is None else str(self.status)
        parts = (self.vendor, self.object_type, status, self.code)
        where = " ".join(part for part in parts if part)
        return ": ".join(part for part in (where, self.message or self.detail) if part)


class Retryable(SyncError):
    """Try again later, unchanged: nothing happened, or repeating is harmless."""

    error_class: ClassVar[ErrorClass] = "transient"


class NotSent(Retryable):
    """Not even tried, since what went before it failed: no attempt is used up."""


class RateLimited(Retryable):
    """Too many calls. `retry_after_s` None: the vendor did not say how long."""

    error_class: ClassVar[ErrorClass] = "throttled"

    def __init__(
        self,
        message: str = "",
        *,
        retry_after_s: float | None = None,
        scope: RateScope = "burst",
        **where: Unpack[Where],
    ) -> None:
        super().__init__(message, **where)
        self.retry_after_s = retry_after_s
        self.scope: RateScope = scope


class ReauthRequired(SyncError):
    """Pause the connection until a person connects it again.

    `expired`: the token may merely be old, so one refresh is worth trying.
    """

    error_class: ClassVar[ErrorClass] = "auth"

    def __init__(
        self, message: str = "", *, expired: bool = False, **where: Unpack[Where]
    ) -> None:
        super().__init__(message, **where)
        self.expired = expired


class PermissionMissing(SyncError):
    """Hold what needs it. `scopes`: any one of them would do; may be empty.

    `needs`: a sentence for people, which permission to give and where; may be "".
    """

    error_class: ClassVar[ErrorClass] = "permission"

    def __init__(
        self,
        message: str = "",
        *,
        scopes: tuple[str, ...] = (),
        needs: str = "",
        **where: Unpack[Where],
    ) -> None:
        super().__init__(message, **where)
        self.scopes = scopes
        self.needs = redact(needs)


class RecordRejected(SyncError):
    """This record only: park it and show field, value and the vendor's rule."""

    error_class: ClassVar[ErrorClass] = "rejected"

    def __init__(
        self,
        message: str = "",
        *,
        field: str = "",
        value: str = "",
        rule: str = "",
        **where: Unpack[Where],
    ) -> None:
        super().__init__(message, **where)
        self.field = field
        self.value = redact(value, 200)
        self.rule = rule


class AmbiguousMatch(RecordRejected):
    """Several records there fit: a person must say which.

    `candidates`: (object, id) of each that the vendor named, "" for the object written.
    """

    error_class: ClassVar[ErrorClass] = "ambiguous"

    def __init__(
        self,
        message: str = "",
        *,
        candidates: Sequence[tuple[str, str]] = (),
        field: str = "",
        value: str = "",
        rule: str = "",
        **where: Unpack[Where],
    ) -> None:
        super().__init__(message, field=field, value=value, rule=rule, **where)
        self.candidates = tuple(candidates)


class RecordGone(RecordRejected):
    """The remote record is deleted, merged or never was: do not create it again."""

    error_class: ClassVar[ErrorClass] = "gone"


class RecordBecame(RecordGone):
    """It is another record now, e.g. a converted lead: read it to learn which."""


class DuplicateFound(SyncError):
    """Adopt the record that is already there.

    `existing_id` None: the vendor did not name it, read by the key `field`.
    `existing_object`: what it is there, "" where it is of the object written.
    """

    error_class: ClassVar[ErrorClass] = "duplicate"

    def __init__(
        self,
        message: str = "",
        *,
        existing_id: str | None = None,
        existing_object: str = "",
        field: str = "",
        **where: Unpack[Where],
    ) -> None:
        super().__init__(message, **where)
        self.existing_id = existing_id
        self.existing_object = existing_object
        self.field = field


class Misconfigured(SyncError):
    """The mapping does not fit the remote schema: suspend the mapping of `field`."""

    error_class: ClassVar[ErrorClass] = "schema"

    def __init__(
        self, message: str = "", *, field: str = "", **where: Unpack[Where]
    ) -> None:
        super().__init__(message, **where)
        self.field = field


class Unsupported(Misconfigured):
    """The vendor, or our connector for it, cannot do this at all."""


class OutcomeUnknown(SyncError):
    """It was sent and may have been applied: look before sending it again."""

    error_class: ClassVar[ErrorClass] = "unknown"


class SignatureInvalid(SyncError):
    """An inbound request is not from whom it claims to be."""

    error_class: ClassVar[ErrorClass] = "rejected"


# What a bare status means where the vendor's body says no more.
ERROR_OF_STATUS: dict[int, type[SyncError]] = {
    400: RecordRejected,
    401: ReauthRequired,
    403: PermissionMissing,
    404: RecordGone,
    405: Unsupported,
    408: Retryable,
    409: DuplicateFound,
    410: RecordGone,
    413: RecordRejected,
    414: RecordRejected,
    415: Unsupported,
    422: RecordRejected,
    423: RateLimited,
    425: Retryable,
    429: RateLimited,
}


def error_of_status(status: int) -> type[SyncError]:
    """Return the class for a status of 300 and more.

    A redirect is a wrong address, never followed; an unlisted 4xx blames the
    record; everything else is the vendor's trouble and passes.
    """
    if status in ERROR_OF_STATUS:
        return ERROR_OF_STATUS[status]
    if 300 <= status < 400:
        return Misconfigured
    return RecordRejected if 400 <= status < 500 else Retryable
