"""The suite every webhook source passes, over its golden payloads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrations.errors import SignatureInvalid
from integrations.webhooks import samples
from integrations.webhooks.base import Hint, RawRequest
from integrations.webhooks.sources import SOURCES
from leads.facts import Message

CASES = [
    (source, case) for source in samples.sources() for case in samples.cases(source)
]
PEOPLE = [(source, case) for source, case in CASES if not SOURCES[source].vendor]
CRMS = [(source, case) for source, case in CASES if SOURCES[source].vendor]
RECEIVED = datetime(2026, 6, 1, tzinfo=UTC)
SECRET = "whsec_c2VjcmV0LXdpdGgtdGhpcnR5LXR3by1ieXRlcy4uLi4="
SHARED = Path(__file__).resolve().parents[4] / "shared" / "contracts"
CONTRACTS = SHARED / "lgm"
REQUIRED = {
    "reply_interested",
    "reply_linkedin",
    "own_message",
    "repeated_delivery",
    "campaign_missing",
    "reply_tolerant",
}


def parsed(source: str, body: bytes) -> list[Message]:
    payload = SOURCES[source].read(body)
    return SOURCES[source].parse(payload, trace_id="trace", received_at=RECEIVED)


def hinted(source: str, body: bytes) -> list[Hint]:
    account = samples.ACCOUNTS.get(source, "")
    payload = SOURCES[source].read(body)
    return SOURCES[source].hints(payload, account=account, received_at=RECEIVED)


def as_events(messages: list[Message]) -> list[dict[str, Any]]:
    """Return messages in the form of the events files."""
    told = json.loads(json.dumps([asdict(one) for one in messages], default=str))
    for one, message in zip(told, messages, strict=True):
        one["occurred_at"] = message.occurred_at.isoformat()
        one["person"] = {name: fact for name, fact in one["person"].items() if fact}
        del one["trace_id"]
    return told


def hints_as_events(hints: list[Hint]) -> list[dict[str, Any]]:
    """Return hints in the form of the events files: without what is empty."""
    told = [
        {**asdict(one), "at": one.at.isoformat() if one.at else ""} for one in hints
    ]
    return [{name: value for name, value in one.items() if value} for one in told]


def test_every_source_has_payloads() -> None:
    assert samples.sources() == sorted(SOURCES)
    assert set(samples.cases("lgm")) >= REQUIRED


@pytest.mark.parametrize(("source", "case"), CASES)
def test_a_payload_becomes_what_its_events_file_says(source: str, case: str) -> None:
    body = samples.body_of(source, case)

    messages, hints = parsed(source, body), hinted(source, body)

    told = as_events(messages) + hints_as_events(hints)
    assert told == samples.events_of(source, case)
    assert {message.trace_id for message in messages} <= {"trace"}


@pytest.mark.parametrize(("source", "case"), CASES)
def test_a_source_takes_its_own_payloads(source: str, case: str) -> None:
    payload = SOURCES[source].read(samples.body_of(source, case))

    assert SOURCES[source].refuses(payload) is None


@pytest.mark.parametrize("name", sorted(SOURCES))
@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"7", b"{}", b'{"a": 1}'])
def test_a_source_refuses_what_is_not_its_own(name: str, body: bytes) -> None:
    assert SOURCES[name].refuses(SOURCES[name].read(body))


@pytest.mark.parametrize(("source", "case"), CASES)
def test_the_dedupe_key_survives_another_spelling(source: str, case: str) -> None:
    body = samples.body_of(source, case)

    keys = {key_of(source, one) for one in (body, respelt(body))}

    assert len(keys) == 1
    assert len(keys.pop()) == 64


def key_of(source: str, body: bytes) -> str:
    return SOURCES[source].dedupe_key(SOURCES[source].read(body), body)


def respelt(body: bytes) -> bytes:
    if body.startswith(b"<"):
        renamed = body.replace(b"sf:", b"other:").replace(b"xmlns:sf", b"xmlns:other")
        return renamed.replace(b"\n", b"\r\n  ")
    return json.dumps(json.loads(body), indent=7, sort_keys=True).encode()


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_different_payloads_have_different_keys(source: str) -> None:
    same = {"repeated_delivery", "delivered_again"}
    cases = [one for one in samples.cases(source) if one not in same]

    keys = {key_of(source, samples.body_of(source, case)) for case in cases}

    assert len(keys) == len(cases)


@pytest.mark.parametrize(("source", "case"), CASES)
def test_what_a_source_signs_it_verifies_and_nothing_else(
    source: str, case: str
) -> None:
    body, url = samples.body_of(source, case), "https://example.com/webhooks/token/"
    request = RawRequest("POST", {}, body, RECEIVED, url)
    headers = SOURCES[source].sign(request, SECRET)
    signed = RawRequest("POST", lowered(headers), body, RECEIVED, url)

    SOURCES[source].verify(signed, ["another", SECRET], RECEIVED)

    for secrets in ([], [""], ["another"], [SECRET[:-9]]):
        with pytest.raises(SignatureInvalid):
            SOURCES[source].verify(signed, secrets, RECEIVED)
    with pytest.raises(SignatureInvalid):
        SOURCES[source].verify(request, [SECRET], RECEIVED)


def lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize(("source", "case"), CRMS)
def test_a_crm_is_heard_about_its_own_account_only(source: str, case: str) -> None:
    payload = SOURCES[source].read(samples.body_of(source, case))
    moved = samples.for_account(source, samples.body_of(source, case), "4555")

    assert SOURCES[source].is_about(payload, samples.ACCOUNTS[source])
    assert SOURCES[source].is_about(payload, "") is SOURCES[source].signs
    if moved != samples.body_of(source, case):
        assert not SOURCES[source].is_about(payload, "4555")


@pytest.mark.parametrize(("source", "case"), PEOPLE)
def test_a_varied_payload_is_another_message_of_another_person(
    source: str, case: str
) -> None:
    body = samples.body_of(source, case)

    other = samples.varied(body, salt="one", now=RECEIVED)

    [before], [after] = parsed(source, body), parsed(source, other)
    assert after.key != before.key
    assert after.person.email != before.person.email or not before.person.email
    assert after.person.external_id != before.person.external_id or (
        not before.person.external_id
    )
    assert after.campaign == before.campaign
    assert after.occurred_at == RECEIVED


def test_the_same_message_delivered_again_has_the_same_key() -> None:
    bodies = [
        samples.body_of("lgm", c) for c in ("reply_interested", "repeated_delivery")
    ]

    keys = {key_of("lgm", body) for body in bodies}

    assert len(keys) == 1


@pytest.mark.parametrize("case", samples.cases("lgm"))
def test_lgm_payloads_fit_the_contract(case: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    if not CONTRACTS.is_dir():
        pytest.skip("the contract folder ../shared/contracts/lgm is not at hand")
    payload = json.loads(samples.body_of("lgm", case))
    name = "inbox_webhook" if "leadId" in payload else "lgm_reply_tolerant"
    schema = json.loads((CONTRACTS / f"{name}.schema.json").read_text())

    if case == "unknown_direction":  # its time is broken on purpose
        payload["createdAt"] = 0

    jsonschema.validate(payload, schema)


def test_the_contracts_examples_are_understood() -> None:
    if not CONTRACTS.is_dir():
        pytest.skip("the contract folder ../shared/contracts/lgm is not at hand")
    examples = json.loads((CONTRACTS / "example_deliveries.json").read_text())

    messages = [parsed("lgm", json.dumps(one).encode())[0] for one in examples]

    assert [one.direction for one in messages] == ["inbound", "outbound"]
    assert [one.body for one in messages] == [
        "Thanks, can we talk on Tuesday?",
        "Hello",
    ]
