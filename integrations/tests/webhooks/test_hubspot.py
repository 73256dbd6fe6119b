"""HubSpot's webhooks: its signature, its events, and what is not from it."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integrations.errors import SignatureInvalid
from integrations.webhooks import samples
from integrations.webhooks.base import RawRequest
from integrations.webhooks.envelope import Refused, judge
from integrations.webhooks.ingest import address_of
from integrations.webhooks.sources.hubspot import HubSpot, signed_address

CONTRACT = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "hubspot"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "app-secret-of-nobody"
URL = "https://example.com/webhooks/token/"
PORTAL = samples.ACCOUNTS["hubspot"]
SOURCE = HubSpot()


def signed(
    body: bytes = b"", *, at: datetime = NOW, secret: str = SECRET, url: str = URL
) -> RawRequest:
    body = body or samples.body_of("hubspot", "contact_changed")
    request = RawRequest("POST", {}, body, at, url)
    headers = SOURCE.sign(request, secret)
    return replace(request, headers={k.lower(): v for k, v in headers.items()})


def judged(request: RawRequest, *, account: str = PORTAL) -> str:
    return judge(SOURCE, [SECRET], request, now=NOW, account=account)


def contract(name: str) -> Any:
    path = CONTRACT / name
    if not path.exists():
        pytest.skip("the contract folder ../shared/contracts/hubspot is not at hand")
    return json.loads(path.read_text())


# --- the signature --------------------------------------------------------------------


def test_published_signatures_are_verified() -> None:
    vectors = contract("examples/webhook_signature_v3_vectors.json")

    for one in vectors:
        headers = {
            "x-hubspot-signature-v3": one["signature"],
            "x-hubspot-request-timestamp": one["timestamp"],
        }
        at = datetime.fromtimestamp(int(one["timestamp"]) / 1000, UTC)
        request = RawRequest(
            one["method"], headers, one["body"].encode(), at, one["request_uri"]
        )
        SOURCE.verify(request, [one["client_secret"]], at)
    assert len(vectors) >= 4


@pytest.mark.parametrize(
    ("called", "in_signature"),
    [
        ("/a?b=%2Fc%3ad", "/a?b=/c:d"),
        ("/a?b=%20%25%41", "/a?b=%20%25%41"),
        ("/%40%21%24%27%28%29%2A%2C%3B%3F", "/@!$'()*,;?"),
    ],
)
def test_only_what_hubspot_decodes_is_decoded(called: str, in_signature: str) -> None:
    assert signed_address(called) == in_signature


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_or_future_signature_is_refused(minutes: int) -> None:
    with pytest.raises(Refused, match="too old") as refusal:
        judged(signed(at=NOW + timedelta(minutes=minutes)))

    assert refusal.value.status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"url": "https://evil.example/webhooks/token/"},
        {"url": URL + "?more=1"},
        {"body": b"[]"},
    ],
)
def test_what_the_signature_covers_cannot_be_changed(change: dict[str, Any]) -> None:
    with pytest.raises(SignatureInvalid):
        SOURCE.verify(replace(signed(), **change), [SECRET], NOW)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-hubspot-signature-v3", "é"),
        ("x-hubspot-signature-v3", "A" * 20_000),
        ("x-hubspot-signature-v3", ""),
        ("x-hubspot-request-timestamp", "é"),
        ("x-hubspot-request-timestamp", "9" * 400),
        ("x-hubspot-request-timestamp", "-1779032656000"),
        ("x-hubspot-request-timestamp", "1.7e12"),
        ("x-hubspot-request-timestamp", "１７７９０３２６５６０００"),
        ("x-hubspot-request-timestamp", "12"),
    ],
)
def test_a_broken_header_is_refused(name: str, value: str) -> None:
    request = signed()
    broken = replace(request, headers={**request.headers, name: value})

    with pytest.raises(SignatureInvalid):
        SOURCE.verify(broken, [SECRET], NOW)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_older_signatures_are_not_taken(version: str) -> None:
    body = samples.body_of("hubspot", "contact_changed")
    text = body if version == "v1" else b"POST" + URL.encode() + body
    digest = hashlib.sha256(SECRET.encode() + text).hexdigest()
    headers = {"x-hubspot-signature": digest, "x-hubspot-signature-version": version}

    with pytest.raises(SignatureInvalid, match="missing"):
        SOURCE.verify(RawRequest("POST", headers, body, NOW, URL), [SECRET], NOW)


def test_an_empty_secret_signs_nothing() -> None:
    request = signed()
    text = b"POST" + URL.encode() + request.body
    stamp = request.headers["x-hubspot-request-timestamp"].encode()
    forged = hmac.new(b"", text + stamp, hashlib.sha256).hexdigest()
    headers = {**request.headers, "x-hubspot-signature-v3": forged}

    with pytest.raises(SignatureInvalid):
        SOURCE.verify(replace(request, headers=headers), [""], NOW)


# --- the events -----------------------------------------------------------------------


@pytest.mark.parametrize("case", samples.cases("hubspot"))
def test_payloads_fit_the_contract(case: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = contract("webhook_delivery.schema.json")

    if case != "oddities":
        jsonschema.validate(json.loads(samples.body_of("hubspot", case)), schema)


def test_the_contracts_examples_are_understood() -> None:
    examples = contract("examples/webhook_deliveries.json")

    told = [
        (hint.remote_object, hint.kind, hint.remote_id, hint.other_id)
        for events in examples.values()
        for hint in SOURCE.hints(
            events, account=str(events[0]["portalId"]), received_at=NOW
        )
    ]

    assert told == [
        ("contacts", "changed", "1246965", ""),
        ("contacts", "changed", "1246978", ""),
        ("contacts", "changed", "123", ""),
        ("contacts", "merged", "100", "200"),
        ("contacts", "merged", "101", "200"),
        ("contacts", "association", "100", "300"),
    ]


def test_another_attempt_is_the_same_delivery() -> None:
    bodies = [
        samples.body_of("hubspot", case)
        for case in ("contact_changed", "delivered_again")
    ]

    assert len({judged(signed(body)) for body in bodies}) == 1


def test_another_portal_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        judged(signed(), account="4100099")

    assert (refusal.value.status, refusal.value.code) == (403, "wrong_account")


def test_where_the_portal_is_not_known_the_signature_says_enough() -> None:
    judged(signed(), account="")

    with pytest.raises(Refused, match="signature"):
        judged(signed(secret="of another app"), account="")


def many(count: int) -> bytes:
    [event, *_] = json.loads(samples.body_of("hubspot", "contact_changed"))
    events = [{**event, "eventId": n, "objectId": n + 1} for n in range(count)]
    return json.dumps(events).encode()


def test_a_thousand_events_are_taken_at_once() -> None:
    body = many(1000)

    judged(signed(body))

    payload = SOURCE.read(body)
    hints = SOURCE.hints(payload, account=PORTAL, received_at=NOW)
    assert len({hint.remote_id for hint in hints}) == 1000


@pytest.mark.parametrize(
    "body",
    [
        many(1001),
        b"{}",
        b'{"portalId": 4100001, "subscriptionType": "contact.creation"}',
        b'["contact.creation"]',
        b"[[]]",
        b"null",
        b"[" * 100_000,
        b"<xml/>",
    ],
)
def test_what_is_no_list_of_events_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        judged(signed(body))

    assert refusal.value.status == 400


# --- the address ----------------------------------------------------------------------


def test_the_signed_address_is_the_public_one_whatever_the_host(settings: Any) -> None:
    settings.PUBLIC_URL = "https://hub.example.com"
    scope = {
        "path": "/webhooks/tok/",
        "raw_path": b"/webhooks/t%6Fk/",
        "query_string": b"a=%3A",
        "headers": [(b"host", b"evil.example")],
    }

    assert address_of(scope) == "https://hub.example.com/webhooks/t%6Fk/?a=%3A"
