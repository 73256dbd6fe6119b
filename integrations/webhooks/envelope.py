"""Decides about a request before it is stored: accept it under a key, or refuse it.

PURE. It looks only as far as it must; what the body means is found out later, by the
same reader.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from integrations.errors import SignatureInvalid
from integrations.webhooks.base import Malformed, RawRequest, Source
from integrations.webhooks.reading import clean_text

log = logging.getLogger(__name__)

# What helps to understand a request and cannot be a secret.
KEPT_HEADERS = frozenset(
    {
        "accept",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "host",
        "transfer-encoding",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
        "x-request-id",
    }
)
_MAX_HEADER = 500


class Refused(Exception):
    """The request gets a 4xx with a reason; code is stable, for programs."""

    def __init__(
        self, status: int, code: str, message: str, *, closes: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        # The rest of the body is not read, so the connection cannot be used again.
        self.closes = closes


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return lower-case name -> value; repeated headers are joined by a comma."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def kept(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers worth keeping, cut to a sane length."""
    return {
        name: clean_text(value[:_MAX_HEADER])
        for name, value in headers.items()
        if name in KEPT_HEADERS
    }


def judge(
    source: Source,
    secrets: Sequence[str],
    request: RawRequest,
    *,
    now: datetime,
    account: str = "",
) -> str:
    """Return the key that is equal when the same delivery comes again.

    account: the vendor's id of the only account it may be about, "" when that is not
    known. Raises Refused. An error of our own in the check of the payload accepts it:
    the processing will fail visibly, and can be repeated once it is mended.
    """
    if source.signs or secrets:
        _require_signature(source, secrets, request, now)
    try:
        return _checked(source, request.body, account)
    except Malformed as error:
        raise Refused(400, "malformed", str(error)) from None
    except Refused:
        raise
    except Exception:
        log.exception("payload check failed", extra={"source": source.name})
        return hashlib.sha256(request.body).hexdigest()


def _checked(source: Source, body: bytes, account: str) -> str:
    payload = source.read(body)
    if reason := source.refuses(payload):
        raise Refused(400, "unexpected_payload", reason)
    if source.vendor and not source.is_about(payload, account):
        words = "It is about another account than this endpoint's connection."
        raise Refused(403, "wrong_account", words)
    return source.dedupe_key(payload, body)


def _require_signature(
    source: Source, secrets: Sequence[str], request: RawRequest, now: datetime
) -> None:
    try:
        source.verify(request, secrets, now)
    except SignatureInvalid as error:
        raise Refused(401, "invalid_signature", error.message) from None
    except Exception:
        # Whatever went wrong, nobody has proved who they are.
        log.exception("signature check failed", extra={"source": source.name})
        message = "The signature could not be checked."
        raise Refused(401, "invalid_signature", message) from None
