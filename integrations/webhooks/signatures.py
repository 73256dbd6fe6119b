"""Verifies signatures over the bytes received. PURE: the clock is an argument.

Everything is compared as bytes and in constant time, and whatever a header holds ends
in SignatureInvalid, never in another error.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from standardwebhooks.webhooks import Webhook

from integrations.errors import SignatureInvalid
from integrations.webhooks.base import RawRequest

TOLERANCE = timedelta(minutes=5)
# A rotation needs two or three; a thousand are an attack.
_MAX_SIGNATURES = 20
_MAX_HEADER = 4096
_ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "hex": lambda raw: raw.hex().encode(),
    "base64": base64.b64encode,
}


def verify_standard(request: RawRequest, secrets: Sequence[str], now: datetime) -> None:
    """Check a Standard Webhooks signature against each secret in turn.

    Raises SignatureInvalid when it is missing, wrong, or older or newer than five
    minutes. Source: https://www.standardwebhooks.com, specification 1.0.
    """
    message_id = _header(request, "webhook-id")
    timestamp = _header(request, "webhook-timestamp")
    given = [
        signature.encode("latin-1", "replace")
        for version, _, signature in (
            one.partition(",") for one in _header(request, "webhook-signature").split()
        )
        if version == "v1"
    ][:_MAX_SIGNATURES]
    _require_fresh(timestamp, now)
    signed = f"{message_id}.{timestamp}.".encode("latin-1", "replace") + request.body
    keys = (_key(secret) for secret in secrets)
    expected = [_sign(key, signed) for key in keys if key]
    _require_match(expected, given)


class StandardSigned:
    """Base of sources that sign by Standard Webhooks, or can be made to."""

    def verify(
        self, request: RawRequest, secrets: Sequence[str], now: datetime
    ) -> None:
        """Check the signature. Raises SignatureInvalid."""
        verify_standard(request, secrets, now)

    def sign(self, request: RawRequest, secret: str) -> dict[str, str]:
        """Return the headers of the request, signed at the time of its receipt."""
        at = request.received_at
        stamp = at.isoformat().encode()
        message_id = f"msg_{hashlib.sha256(request.body + stamp).hexdigest()[:24]}"
        text = request.body.decode()
        return sign_standard(text, secret=secret, message_id=message_id, at=at)


def _key(secret: str) -> bytes:
    """Return the bytes of a `whsec_` secret, empty for one that is not Base64."""
    encoded = secret.strip().removeprefix("whsec_")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        return b""


def _sign(key: bytes, signed: bytes) -> bytes:
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


def sign_standard(
    body: str, *, secret: str, message_id: str, at: datetime
) -> dict[str, str]:
    """Return the headers of a request signed as a sender would sign it."""
    # The library signs with the clock of UTC and no zone.
    moment = at.replace(microsecond=0)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, moment, body),
    }


def verify_hmac(
    request: RawRequest,
    secrets: Sequence[str],
    *,
    header: str,
    prefix: str = "",
    encoding: Literal["hex", "base64"] = "hex",
    algorithm: Literal["sha256", "sha512"] = "sha256",
) -> None:
    """Check an HMAC of the body in one header, e.g. `sha256=<hex>`.

    Raises SignatureInvalid. There is no time in it, so a replay is caught only by the
    dedupe key.
    """
    given = _header(request, header)
    if not given.startswith(prefix):
        raise SignatureInvalid("The signature has an unknown form.")
    encode = _ENCODERS[encoding]
    _require_match(
        (
            encode(hmac.new(secret.encode(), request.body, algorithm).digest())
            for secret in secrets
            if secret
        ),
        [given.removeprefix(prefix).encode("latin-1", "replace")],
    )


def verify_addressed(
    request: RawRequest,
    secrets: Sequence[str],
    now: datetime,
    *,
    address: str,
    signature: str,
    timestamp: str,
) -> None:
    """Check an HMAC over method, address, body and time, in Base64.

    signature, timestamp: names of the headers; the time is in milliseconds. Raises
    SignatureInvalid when it is missing, wrong, or older or newer than five minutes.
    """
    given = _header(request, signature).encode("latin-1", "replace")
    stamp = _header(request, timestamp)
    # To whole seconds: whatever digits there are must not become a number too large.
    _require_fresh(stamp[:-3] if stamp.isascii() and stamp.isdigit() else "", now)
    _require_match(
        (
            sign_addressed(request, secret, address=address, stamp=stamp)
            for secret in secrets
            if secret
        ),
        [given],
    )


def sign_addressed(
    request: RawRequest, secret: str, *, address: str, stamp: str
) -> bytes:
    """Return the signature of `verify_addressed`. stamp: epoch milliseconds."""
    signed = (request.method + address).encode() + request.body + stamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest())


def _header(request: RawRequest, name: str) -> str:
    value = request.headers.get(name.lower(), "")
    if not value:
        raise SignatureInvalid(f"The header {name} is missing.")
    if len(value) > _MAX_HEADER:
        raise SignatureInvalid(f"The header {name} is too long.")
    return value


def _require_fresh(timestamp: str, now: datetime) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise SignatureInvalid("The time of the signature is not a number of seconds.")
    if abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():
        raise SignatureInvalid("The signature is too old, or a clock is wrong.")


def _require_match(expected: Iterable[bytes], given: Sequence[bytes]) -> None:
    pairs = [(ours, theirs) for ours in expected for theirs in given]
    if not any(hmac.compare_digest(ours, theirs) for ours, theirs in pairs):
        raise SignatureInvalid("The signature does not fit this endpoint's secrets.")
