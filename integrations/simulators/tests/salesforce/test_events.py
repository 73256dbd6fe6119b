"""Change events and outbound messages: what is told, how, and how often."""

from collections.abc import Iterator

import pytest

from integrations.simulators.testing import SALESFORCE_USER_ID, wait_until
from integrations.simulators.tests.client import Receiver
from integrations.simulators.tests.salesforce import contract
from integrations.simulators.tests.salesforce.conftest import NO_RULE
from integrations.simulators.tests.salesforce.test_setup import names_and_texts

ACK = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound">'
    "<Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>"
)
LEAD = {"LastName": "Marsh", "FirstName": "Ann", "Company": "Fern", "City": "Lyon"}


@pytest.fixture
def receiver(sim) -> Iterator[Receiver]:
    sim.configure(event_delay_s=0, event_retry_s=0.01)
    found = Receiver(usual=(200, ACK))
    yield found
    sim.control("DELETE", "events")
    found.close()


def test_a_created_record_is_told_whole(api, sim, receiver) -> None:
    sim.control("POST", "events", {
        "url": receiver.url, "objects": ["Lead"], "headers": {"X-Relay": "s"},
    })  # fmt: skip
    headers = NO_RULE | {"Sforce-Call-Options": "client=crmsync"}
    lead = api.post("/sobjects/Lead", LEAD, headers=headers).json()["id"]

    (event,) = receiver.posts(1)
    header = event["ChangeEventHeader"]

    assert contract.problems("ChangeEvent", event) == []
    assert set(header) == set(contract.recorded("cdc.new_account")["ChangeEventHeader"])
    assert (header["changeType"], header["recordIds"]) == ("CREATE", [lead])
    assert header["changeOrigin"] == "com/salesforce/api/rest/64.0;client=crmsync"
    assert header["commitUser"] == SALESFORCE_USER_ID
    assert event["Name"]["LastName"] == "Marsh"
    assert event["Address"]["City"] == "Lyon"
    assert event["Phone"] is None
    assert receiver.headers[0]["X-Relay"] == "s"


def test_an_update_tells_only_what_changed(api, sim, receiver) -> None:
    lead = api.create("Lead", **LEAD)
    sim.control("POST", "events", {"url": receiver.url})

    api.update("Lead", lead, LastName="Keller", City=None, Company="Fern")

    (event,) = receiver.posts(1)
    header = event["ChangeEventHeader"]
    assert header["changedFields"] == [
        "LastModifiedDate",
        "Name.LastName",
        "Address.City",
    ]
    assert header["nulledFields"] == ["Address.City"]
    assert event["Name"] == {"LastName": "Keller"}
    assert set(event) == {"ChangeEventHeader", "LastModifiedDate", "Name", "Address"}


def test_deletes_and_undeletes_are_told(api, sim, receiver) -> None:
    lead = api.create("Lead", **LEAD)
    sim.control("POST", "events", {"url": receiver.url})

    api.delete(f"/sobjects/Lead/{lead}")
    sim.control("POST", "undelete", {"object": "Lead", "id": lead})

    kinds = {e["ChangeEventHeader"]["changeType"] for e in receiver.posts(2)}
    assert kinds == {"DELETE", "UNDELETE"}


def test_like_changes_of_several_records_are_one_event(api, sim, receiver) -> None:
    leads = [api.create("Lead", **LEAD) for _ in range(3)]
    sim.control("POST", "events", {"url": receiver.url})
    rows = [{"attributes": {"type": "Lead"}, "id": i, "City": "Oslo"} for i in leads]

    api.patch("/composite/sobjects", {"records": rows}, headers=NO_RULE)

    (event,) = receiver.posts(1)
    assert event["ChangeEventHeader"]["recordIds"] == leads


def test_what_was_rolled_back_is_never_told(api, sim, receiver) -> None:
    sim.control("POST", "events", {"url": receiver.url})
    rows = [{"attributes": {"type": "Contact"}, "LastName": "x"},
            {"attributes": {"type": "Contact"}}]  # fmt: skip

    api.post("/composite/sobjects", {"allOrNone": True, "records": rows})
    api.create("Contact", LastName="Marsh")

    assert receiver.posts(1)[0]["Name"]["LastName"] == "Marsh"
    wait_until(lambda: sim.control("GET", "events")["waiting"] == 0)
    assert len(receiver.bodies) == 1


def test_own_writes_can_go_untold(api, sim, receiver) -> None:
    sim.configure(own_echoes=False)
    sim.control("POST", "events", {"url": receiver.url})
    lead = api.create("Lead", **LEAD)

    sim.control("POST", "edit", {
        "object": "Lead", "id": lead, "values": {"City": "Oslo"},
    })  # fmt: skip

    (event,) = receiver.posts(1)
    origin = event["ChangeEventHeader"]["changeOrigin"]
    assert event["Address"] == {"City": "Oslo"}
    assert origin == "com/salesforce/api/soap/64.0;client=SfdcInternalAPI/"


def test_events_repeat_and_come_as_a_relay_shows_them(api, sim, receiver) -> None:
    sim.configure(event_duplicate=1, event_single_id=True)
    sim.control("POST", "events", {"url": receiver.url})

    lead = api.create("Lead", **LEAD)

    first, second = receiver.posts(2)
    assert first == second
    assert first["ChangeEventHeader"]["recordId"] == lead


def test_a_failed_delivery_is_retried(api, sim, receiver) -> None:
    receiver.answers = [(500, ""), (200, "")]
    sim.control("POST", "events", {"url": receiver.url})

    api.create("Lead", **LEAD)

    first, second = receiver.posts(2)
    assert first == second


def test_gaps_say_that_something_happened(api, sim, receiver) -> None:
    sim.control("POST", "events", {"url": receiver.url})

    sim.control("POST", "gap", {"object": "Lead", "kind": "GAP_OVERFLOW"})

    (event,) = receiver.posts(1)
    assert event["ChangeEventHeader"]["changeType"] == "GAP_OVERFLOW"
    assert contract.problems("ChangeEvent", event) == []


# -- outbound messages


def test_an_outbound_message_carries_current_values(api, sim, receiver) -> None:
    sim.configure(event_delay_s=0.3)
    sim.control("POST", "outbound", {
        "url": receiver.url, "object": "Lead", "fields": ["Email", "City"],
    })  # fmt: skip
    lead = api.create("Lead", **LEAD, Email="ann@example.com")
    api.update("Lead", lead, City="Oslo")

    wait_until(lambda: receiver.bodies)
    found = names_and_texts(receiver.bodies[0].decode())
    recorded = contract.exchanges()["outbound_message"]["request"]

    assert {n for n, _ in names_and_texts(recorded)} <= {n for n, _ in found}
    assert ("City", "Oslo") in found
    assert ("City", "Lyon") not in found
    assert receiver.headers[0]["Content-Type"].startswith("text/xml")


def test_anything_but_the_acknowledgement_is_retried(api, sim, receiver) -> None:
    receiver.answers = [
        (200, "<html/>"),
        (200, ACK.replace("true", "false")),
        (200, ACK),
    ]
    sim.control("POST", "outbound", {"url": receiver.url, "object": "Lead"})

    api.create("Lead", **LEAD)

    wait_until(lambda: len(receiver.bodies) == 3)
    assert receiver.bodies[0] == receiver.bodies[2]
    found = sim.control("GET", "outbound")
    wait_until(lambda: len(sim.control("GET", "outbound")["deliveries"]) == 3)
    assert found["waiting"] in (0, 1)


def test_a_hundred_notifications_fit_one_message(api, sim, receiver) -> None:
    sim.configure(event_delay_s=0.3)
    sim.control("POST", "outbound", {"url": receiver.url, "object": "Lead"})
    sim.seed([{"object": "Lead", "properties": {"LastName": "L{n}", "Company": "x"},
               "count": 150}])  # fmt: skip

    wait_until(lambda: sum(b.count(b"<Notification>") for b in receiver.bodies) == 150)
    assert max(b.count(b"<Notification>") for b in receiver.bodies) == 100
