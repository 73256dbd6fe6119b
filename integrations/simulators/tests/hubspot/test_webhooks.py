"""Webhooks out: what is told, how it is signed, and how it is retried."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.simulators.hubspot.webhooks import signature
from integrations.simulators.testing import wait_until
from integrations.simulators.tests.client import Receiver
from integrations.simulators.tests.hubspot.conftest import Api

CONTRACT = Path(__file__).resolve().parents[5] / "shared/contracts/hubspot"
CONTACTS = "/crm/v3/objects/contacts"
APP = "/webhooks/v3/880001"
KEY = "hapikey=demo-developer-key"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


def events(receiver: Receiver) -> list[dict[str, Any]]:
    return [event for post in receiver.posts() for event in post]


def quiet(sim) -> None:
    wait_until(lambda: sim.webhooks()["waiting"] == 0)


def test_creations_and_changes_are_told_in_an_array(api: Api, sim, receiver) -> None:
    sim.set_webhooks(receiver.url, ["contact.creation", "contact.propertyChange:city"])
    number = api.create("contacts", lastname="Lee")
    api.patch(f"{CONTACTS}/{number}", {"properties": {"city": "Lyon", "state": "x"}})

    quiet(sim)

    told = sorted(events(receiver), key=lambda event: event["occurredAt"])
    assert [event["subscriptionType"] for event in told] == [
        "contact.creation",
        "contact.propertyChange",
    ]
    assert told[0]["objectId"] == int(number)
    assert told[0]["changeFlag"] == "NEW"
    assert (told[1]["propertyName"], told[1]["propertyValue"]) == ("city", "Lyon")
    assert {event["portalId"] for event in told} == {4100001}
    assert {event["changeSource"] for event in told} == {"INTEGRATION"}


def test_deliveries_are_within_the_contract(api: Api, sim, receiver) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = CONTRACT / "webhook_delivery.schema.json"
    if not schema.exists():
        pytest.skip("the vendor contract files are not beside this checkout")
    kinds = ["creation", "deletion", "merge", "associationChange"]
    sim.set_webhooks(
        receiver.url,
        [f"contact.{kind}" for kind in kinds] + ["object.creation@0-2"],
    )
    ann, bob, cleo = (api.create("contacts", lastname=n) for n in ("A", "B", "C"))
    company = api.create("companies", name="Fern")
    api.put(f"/crm/v4/objects/contacts/{ann}/associations/default/companies/{company}")
    api.post(f"{CONTACTS}/merge", {"primaryObjectId": ann, "objectIdToMerge": bob})
    api.delete(f"{CONTACTS}/{cleo}")

    quiet(sim)

    told = {event["subscriptionType"] for event in events(receiver)}
    assert told == {f"contact.{kind}" for kind in kinds} | {"object.creation"}
    for body in receiver.bodies:
        jsonschema.validate(json.loads(body), json.loads(schema.read_text()))


def test_an_association_is_told_in_both_directions(api: Api, sim, receiver) -> None:
    sim.set_webhooks(
        receiver.url, ["contact.associationChange", "company.associationChange"]
    )
    contact = api.create("contacts", lastname="Lee")
    api.create("companies", name="Other")
    company = api.create("companies", name="Fern")
    api.put(
        f"/crm/v4/objects/contacts/{contact}/associations/default/companies/{company}"
    )

    quiet(sim)

    told = {
        (e["associationType"], e["fromObjectId"], e["toObjectId"])
        for e in events(receiver)
    }
    assert told == {
        ("CONTACT_TO_COMPANY", int(contact), int(company)),
        ("COMPANY_TO_CONTACT", int(company), int(contact)),
    }


def test_bodies_are_signed(api: Api, sim, receiver) -> None:
    sim.set_webhooks(receiver.url, ["contact.creation"])
    api.create("contacts", lastname="Müller")

    quiet(sim)

    headers, body = receiver.headers[0], receiver.bodies[0]
    stamp = headers["X-HubSpot-Request-Timestamp"]
    expected = signature("demo-client-secret", receiver.url, body, stamp)
    assert headers["X-HubSpot-Signature-v3"] == expected
    assert abs(int(stamp) - time.time() * 1000) < 60_000


def test_signatures_agree_with_the_published_vectors() -> None:
    path = CONTRACT / "examples/webhook_signature_v3_vectors.json"
    if not path.exists():
        pytest.skip("the vendor contract files are not beside this checkout")

    for vector in json.loads(path.read_text()):
        made = signature(
            vector["client_secret"],
            vector["request_uri"],
            vector["body"].encode(),
            vector["timestamp"],
        )
        assert made == vector["signature"], vector["name"]


def test_a_refused_delivery_comes_again_with_a_higher_attempt(
    api: Api, sim, receiver
) -> None:
    sim.configure(webhook_retry_s=0.05)
    receiver.answers = [(500, ""), (404, "")]
    sim.set_webhooks(receiver.url, ["contact.creation"])
    api.create("contacts", lastname="Lee")

    wait_until(lambda: len(receiver.bodies) == 3)

    assert [event["attemptNumber"] for event in events(receiver)] == [0, 1, 2]


def test_events_are_batched_up_to_a_hundred(api: Api, sim, receiver) -> None:
    sim.configure(webhook_delay_s=0.2)
    sim.set_webhooks(receiver.url, ["contact.creation"])
    people = [{"object": "contacts", "count": 250, "properties": {"lastname": "{n}"}}]

    sim.seed(people)
    quiet(sim)

    sizes = [len(json.loads(body)) for body in receiver.bodies]
    assert sum(sizes) == 250
    assert max(sizes) == 100
    assert {event["changeSource"] for event in events(receiver)} == {"CRM_UI"}


def test_subscriptions_are_managed_with_the_developer_key(api: Api, receiver) -> None:
    settings = {"targetUrl": receiver.url, "throttling": {"maxConcurrentRequests": 10}}
    wanted = {"eventType": "contact.propertyChange", "propertyName": "email"}

    assert api.get(f"{APP}/subscriptions").status_code == 401
    assert api.put(f"{APP}/settings?{KEY}", settings).status_code == 200
    made = api.post(f"{APP}/subscriptions?{KEY}", wanted).json()
    on = api.patch(f"{APP}/subscriptions/{made['id']}?{KEY}", {"active": True}).json()
    never = {"eventType": "deal.propertyChange", "propertyName": "hs_lastmodifieddate"}

    assert (made["active"], on["active"]) == (False, True)
    assert api.post(f"{APP}/subscriptions?{KEY}", never).status_code == 400
    assert api.delete(f"{APP}/subscriptions/{made['id']}?{KEY}").status_code == 204
    assert api.get(f"{APP}/subscriptions?{KEY}").json() == {"results": []}
