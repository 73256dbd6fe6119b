"""Signatures over the bytes received: what is accepted, and that nothing else is."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from integrations.errors import SignatureInvalid
from integrations.webhooks.base import RawRequest
from integrations.webhooks.signatures import (
    sign_standard,
    verify_hmac,
    verify_standard,
)

NEW = "whsec_bmV3LXNlY3JldC13aXRoLTMyLWJ5dGVzLi4uLi4u"
OLD = "whsec_b2xkLXNlY3JldC13aXRoLTMyLWJ5dGVzLi4uLi4u"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BODY = '{"id": "1", "text": "é"}'


def signed(
    secret: str = NEW, *, at: datetime = NOW, changed: dict[str, str] | None = None
) -> RawRequest:
    headers = sign_standard(BODY, secret=secret, message_id="msg_1", at=at)
    return RawRequest("POST", {**headers, **(changed or {})}, BODY.encode(), NOW)


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_every_active_secret_is_accepted_while_they_overlap(secret: str) -> None:
    verify_standard(signed(secret), [NEW, OLD], NOW)


def test_the_public_library_agrees_with_us() -> None:
    now = datetime.now(UTC)
    request = signed(at=now)

    Webhook(NEW).verify(request.body, dict(request.headers))
    verify_standard(request, [NEW], now)


def test_one_of_several_signatures_suffices() -> None:
    right = signed().headers["webhook-signature"]

    request = signed(changed={"webhook-signature": f"v1a,xyz v1,AAAA {right}"})

    verify_standard(request, [NEW], NOW)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_is_fresh_for_five_minutes(minutes: int) -> None:
    request = signed(at=NOW - timedelta(minutes=minutes))

    with pytest.raises(SignatureInvalid, match="too old"):
        verify_standard(request, [NEW], NOW)


@pytest.mark.parametrize("secrets", [[], [""], [OLD], ["whsec_"], ["not base64 é"]])
def test_a_wrong_or_missing_secret_accepts_nothing(secrets: list[str]) -> None:
    with pytest.raises(SignatureInvalid):
        verify_standard(signed(), secrets, NOW)


def test_a_signature_made_with_an_empty_key_is_refused() -> None:
    stamp = str(int(NOW.timestamp()))
    data = f"msg_1.{stamp}.{BODY}".encode()
    forged = hmac.new(b"", data, hashlib.sha256).hexdigest()
    request = signed(changed={"webhook-signature": f"v1,{forged}"})

    with pytest.raises(SignatureInvalid):
        verify_standard(request, ["whsec_", ""], NOW)


@pytest.mark.parametrize("place", range(len(BODY.encode())))
def test_a_flipped_byte_of_the_body_is_noticed(place: int) -> None:
    request = signed()
    body = bytearray(request.body)
    body[place] ^= 1
    changed = RawRequest("POST", request.headers, bytes(body), NOW)

    with pytest.raises(SignatureInvalid):
        verify_standard(changed, [NEW], NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_a_changed_header_is_noticed(name: str) -> None:
    value = "msg_2" if name == "webhook-id" else str(int(NOW.timestamp()) + 1)

    with pytest.raises(SignatureInvalid):
        verify_standard(signed(changed={name: value}), [NEW], NOW)


@pytest.mark.parametrize(
    ("prefix", "encoding", "algorithm"),
    [("sha256=", "hex", "sha256"), ("", "base64", "sha512")],
)
def test_a_plain_hmac_is_verified(prefix: str, encoding: str, algorithm: str) -> None:
    raw = hmac.new(b"secret", BODY.encode(), algorithm).digest()
    value = raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()
    request = RawRequest("POST", {"x-sig": prefix + value}, BODY.encode(), NOW)
    form = {"header": "X-Sig", "prefix": prefix, "encoding": encoding}

    verify_hmac(request, ["old", "secret"], algorithm=algorithm, **form)  # type: ignore[arg-type]
    with pytest.raises(SignatureInvalid):
        verify_hmac(request, ["old"], algorithm=algorithm, **form)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["", "é", "md5=00", "sha256=", "sha256=é" * 9999])
def test_a_broken_hmac_header_is_refused(value: str) -> None:
    request = RawRequest("POST", {"x-sig": value}, b"{}", NOW)

    with pytest.raises(SignatureInvalid):
        verify_hmac(request, ["secret"], header="x-sig", prefix="sha256=")
