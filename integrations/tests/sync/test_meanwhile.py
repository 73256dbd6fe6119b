"""What another hand finishes between two looks of a push is seen all the same."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from integrations.connectors.session import open_connector
from integrations.models import Connection, Link, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync import gather, outbox
from integrations.sync.push import push
from integrations.tests.sync.crm import SalesforceUser, only
from integrations.tests.sync.test_push import record, reply
from leads.facts import Origin
from leads.services import records

HERE = Origin("user", "1", "Ada Example")


def send(mapping: ObjectMapping) -> None:
    """Do what is due of one mapping, as one hand does."""
    items = queue.claim(
        outbox.KIND,
        channel_id=mapping.connection.channel_id or 0,
        group=str(mapping.pk),
        limit=10,
    )
    connector, _ = open_connector(mapping.connection)
    push(mapping, items, connector)


@pytest.fixture
def another_hand(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let another hand send an object just before its rows are looked at."""
    looks = gather._states

    def begin(remote_object: str) -> None:
        def look(mapping: ObjectMapping, ids: set[int]) -> dict[str, str]:
            if mapping.remote_object == remote_object:
                monkeypatch.setattr(gather, "_states", looks)
                send(mapping)
            return looks(mapping, ids)

        monkeypatch.setattr(gather, "_states", look)

    return begin


def test_a_note_goes_to_a_person_who_was_sent_meanwhile(
    workspace: Workspace,
    hubspot: Connection,
    hubspot_simulator: RunningSimulator,
    another_hand: Callable[[str], None],
) -> None:
    ObjectMapping.objects.filter(remote_object="deals").update(active=False)
    record(workspace, reply())
    another_hand("contacts")

    send(ObjectMapping.objects.get(remote_object="notes"))

    assert Link.objects.filter(remote_object="contacts").exists()
    assert len(hubspot_simulator.dump("notes")) == 1


def test_a_person_who_was_found_meanwhile_is_not_made_again(
    workspace: Workspace,
    salesforce: Connection,
    salesforce_simulator: RunningSimulator,
    another_hand: Callable[[str], None],
) -> None:
    only(salesforce, "Contact", "Lead")
    seller = SalesforceUser(salesforce_simulator)
    seller.make("Contact", LastName="Example", Email="ada@customer.example.org")
    values = {
        "email": "ada@customer.example.org",
        "last_name": "Example",
        "company_name": "Customer",
    }
    records.create(workspace, "lead", [values], origin=HERE)
    another_hand("Contact")

    send(ObjectMapping.objects.get(remote_object="Lead"))

    assert Link.objects.get().remote_object == "Contact"
    assert seller.has("Lead") == []


def test_a_row_that_is_done_and_left_no_link_was_left_out(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    ObjectMapping.objects.filter(remote_object="deals").update(active=False)
    record(workspace, reply(direction="outbound"))
    send(ObjectMapping.objects.get(remote_object="contacts"))

    send(ObjectMapping.objects.get(remote_object="notes"))

    assert hubspot_simulator.dump("notes") == []
    assert not _waiting(["notes"])


def _waiting(objects: Collection[str]) -> list[str]:
    rows = WorkItem.objects.filter(state__in=["ready", "waiting", "parked"])
    groups = ObjectMapping.objects.filter(remote_object__in=objects)
    found = rows.filter(group__in=[str(one.pk) for one in groups])
    return list(found.values_list("key", flat=True))
