"""A change in a CRM is told by its own webhooks, to the product as real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.simulators.testing import (
    CLIENT_SECRET,
    PRIVATE_TOKEN,
    SALESFORCE_ORG_ID,
    RunningSimulator,
    wait_until,
)
from integrations.tests.live import WORKERS, LiveSystem
from integrations.tests.sync.crm import HubSpotUser

pytestmark = pytest.mark.timeout(180)

HUBSPOT_TOKEN = "hubspot-live-token-00000"
SALESFORCE_TOKEN = "salesforce-live-token-00"
BEGINNING = """
from django_scopes import scopes_disabled
from crmsync.core.models import Workspace
from integrations.models import Connection, ObjectMapping
from integrations.testing import make_connection, make_endpoint, make_mapping
with scopes_disabled():
    workspace = Workspace.objects.get(slug="live")
"""
LISTEN_TO_HUBSPOT = f"""{BEGINNING}
    connection = Connection.objects.get(vendor="hubspot")
    theirs = ObjectMapping.objects.filter(connection=connection)
    theirs.update(active=False)
    theirs.filter(remote_object="contacts").update(active=True, direction="both")
    make_endpoint(
        workspace, source="hubspot", connection=connection, token="{HUBSPOT_TOKEN}",
        secrets="{CLIENT_SECRET}",
    )
"""
LISTEN_TO_SALESFORCE = f"""{BEGINNING}
    connection = make_connection(
        workspace, vendor="salesforce", account_id="{SALESFORCE_ORG_ID}"
    )
    make_endpoint(
        workspace, source="salesforce", connection=connection,
        token="{SALESFORCE_TOKEN}", secrets="{{secret}}",
    )
    print(make_mapping(connection, remote_object="Lead", direction="both").pk)
"""
SUBSCRIPTIONS = [
    "contact.creation",
    "contact.propertyChange:firstname",
    "contact.propertyChange:email",
]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveSystem]:
    """Without beat: nothing is polled, so only a hint can bring a change in."""
    with LiveSystem(tmp_path, env={"CRM_TOKEN": PRIVATE_TOKEN}) as system:
        system.start("broker", "web", *WORKERS)
        yield system


def endpoint_url(live: LiveSystem, token: str) -> str:
    return f"{live.url}/webhooks/{token}/"


def test_what_a_person_changes_in_hubspot_arrives_by_its_webhook(
    live: LiveSystem,
) -> None:
    with RunningSimulator(port=live.simulator_port, flags=["--no-limits"]) as simulator:
        live.manage("connect", "hubspot", "--workspace", "live")
        live.manage("shell", "-c", LISTEN_TO_HUBSPOT)
        simulator.configure(webhook_duplicate=0.5, webhook_reorder=0.5)
        simulator.set_webhooks(endpoint_url(live, HUBSPOT_TOKEN), SUBSCRIPTIONS)
        person = HubSpotUser(simulator)

        remote_id = person.make(email="ada@example.com", firstname="Ada")
        live.wait_until(lambda: names(live, "ada@example.com") == ["Ada"])
        person.edit(remote_id, firstname="Adele")

        live.wait_until(lambda: names(live, "ada@example.com") == ["Adele"])
        wait_until(lambda: simulator.webhooks()["waiting"] == 0)
        assert told(simulator, "status") == {202}
    live.wait_until(lambda: states(live) == {"processed"})


def names(live: LiveSystem, email: str) -> list[str]:
    query = "SELECT first_name FROM leads_lead WHERE email = %s"
    return [row[0] for row in live.sql(query, email)]


def states(live: LiveSystem) -> set[str]:
    return {row[0] for row in live.sql("SELECT state FROM integrations_delivery")}


# --- Salesforce -----------------------------------------------------------------------


def test_an_outbound_message_of_salesforce_is_stored_and_acknowledged(
    live: LiveSystem,
) -> None:
    with RunningSimulator("salesforce") as simulator:
        mapping_id = listen_to_salesforce(live, secret="")
        session = f"{SALESFORCE_ORG_ID}!live.session.of.nobody"
        url = endpoint_url(live, SALESFORCE_TOKEN)
        target = {"url": url, "object": "Lead", "fields": ["Email"]}
        simulator.control("POST", "outbound", target | {"session_id": session})

        ids = simulator.seed([LEADS])["Lead"]

        live.wait_until(lambda: asked(live, mapping_id) == set(ids))
        wait_until(lambda: told(simulator, "acknowledged") == {True})
    [(body,), *_] = live.sql("SELECT body FROM integrations_delivery")
    assert b"<SessionId>removed</SessionId>" in bytes(body)


def test_a_change_event_of_salesforce_needs_the_secret(live: LiveSystem) -> None:
    with RunningSimulator("salesforce") as simulator:
        mapping_id = listen_to_salesforce(live, secret="quite secret")
        for secret in ("quite secret", "a guess"):
            target = {"url": endpoint_url(live, SALESFORCE_TOKEN), "batch": 100}
            headers = {"X-Crmsync-Secret": secret}
            simulator.control("POST", "events", target | {"headers": headers})

        ids = simulator.seed([LEADS])["Lead"]

        live.wait_until(lambda: asked(live, mapping_id) == set(ids))
        wait_until(lambda: told(simulator, "status") == {202, 401})


LEADS = {
    "object": "Lead",
    "count": 30,
    "properties": {
        "LastName": "Example {n}",
        "Company": "Example Works",
        "Email": "person{n}@example.com",
    },
}


def listen_to_salesforce(live: LiveSystem, *, secret: str) -> int:
    """Make a connection, a mapping and an endpoint; return the mapping's id."""
    # Nothing is fetched: what is asked for is looked at.
    live.stop("worker-urgent")
    live.stop("worker-sync")
    made = live.manage("shell", "-c", LISTEN_TO_SALESFORCE.format(secret=secret))
    return int(made.split()[-1])


def asked(live: LiveSystem, mapping_id: int) -> set[str]:
    """Return the ids that are to be fetched for a mapping."""
    rows = live.sql("SELECT key FROM core_workitem WHERE kind = 'fetch'")
    keys = [str(key).split(":") for (key,) in rows]
    return {remote_id for mapping, remote_id in keys if mapping == str(mapping_id)}


def told(simulator: RunningSimulator, name: str) -> set[object]:
    """Return what came back to the simulator's deliveries."""
    return {one[name] for one in simulator.control("GET", "webhooks")["deliveries"]}
