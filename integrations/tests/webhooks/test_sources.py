"""The suite every webhook source passes, over its golden payloads."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrations.webhooks import samples
from integrations.webhooks.reading import read_json
from integrations.webhooks.sources import SOURCES
from leads.facts import Message

CASES = [
    (source, case) for source in samples.sources() for case in samples.cases(source)
]
RECEIVED = datetime(2026, 6, 1, tzinfo=UTC)
CONTRACTS = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "lgm"
REQUIRED = {
    "reply_interested",
    "reply_linkedin",
    "own_message",
    "repeated_delivery",
    "campaign_missing",
    "reply_tolerant",
}


def parsed(source: str, body: bytes) -> list[Message]:
    payload = read_json(body)
    return SOURCES[source].parse(payload, trace_id="trace", received_at=RECEIVED)


def as_events(messages: list[Message]) -> list[dict[str, Any]]:
    """Return messages in the form of the events files."""
    told = json.loads(json.dumps([asdict(one) for one in messages], default=str))
    for one, message in zip(told, messages, strict=True):
        one["occurred_at"] = message.occurred_at.isoformat()
        one["person"] = {name: fact for name, fact in one["person"].items() if fact}
        del one["trace_id"]
    return told


def test_every_source_has_payloads() -> None:
    assert samples.sources() == sorted(SOURCES)
    assert set(samples.cases("lgm")) >= REQUIRED


@pytest.mark.parametrize(("source", "case"), CASES)
def test_a_payload_becomes_the_messages_of_its_events_file(
    source: str, case: str
) -> None:
    messages = parsed(source, samples.body_of(source, case))

    assert as_events(messages) == samples.events_of(source, case)
    assert {message.trace_id for message in messages} == {"trace"}


@pytest.mark.parametrize(("source", "case"), CASES)
def test_a_source_takes_its_own_payloads(source: str, case: str) -> None:
    payload = read_json(samples.body_of(source, case))

    assert SOURCES[source].refuses(payload) is None


@pytest.mark.parametrize("name", sorted(SOURCES))
@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"7", b"{}", b'{"a": 1}'])
def test_a_source_refuses_what_is_not_its_own(name: str, body: bytes) -> None:
    assert SOURCES[name].refuses(read_json(body))


@pytest.mark.parametrize(("source", "case"), CASES)
def test_the_dedupe_key_survives_another_spelling_of_the_json(
    source: str, case: str
) -> None:
    body = samples.body_of(source, case)
    respelt = json.dumps(json.loads(body), indent=7, sort_keys=True).encode()

    keys = {SOURCES[source].dedupe_key(read_json(one), one) for one in (body, respelt)}

    assert len(keys) == 1
    assert len(keys.pop()) == 64


@pytest.mark.parametrize(("source", "case"), CASES)
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

    keys = {SOURCES["lgm"].dedupe_key(read_json(body), body) for body in bodies}

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
