"""What another hand finishes between two looks of a push is seen all the same."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from integrations.connectors.session import open_connector
from integrations.models import Connection, Link, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync import gather, intake, outbox, resolve, results
from integrations.sync.cases import Case
from integrations.sync.push import push
from integrations.sync.terms import fields_to_read, terms_of
from integrations.tests.sync.crm import SalesforceUser, only, sync
from integrations.tests.sync.test_main_ties import change, make
from integrations.tests.sync.test_push import record, reply
from leads.facts import Origin
from leads.models import Lead
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


def test_a_push_written_down_while_a_page_is_compared_is_nobodys_change(
    workspace: Workspace,
    hubspot: Connection,
    hubspot_simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [mapping] = only(hubspot, "contacts")
    lead = make(workspace, "lead", email="ada@example.com", city="Oslo")
    send(mapping)
    change(workspace, "lead", lead, city="Rome")
    write_down, late = results.record, []
    monkeypatch.setattr(results, "record", lambda *given: late.append(given))
    send(mapping)
    change(workspace, "lead", lead, city="Lima")
    compared = resolve.cases_of

    def cases_of(*given: Any, **more: Any) -> list[Case]:
        found = compared(*given, **more)
        while late:
            write_down(*late.pop())
        return found

    monkeypatch.setattr(resolve, "cases_of", cases_of)
    connector, _ = open_connector(hubspot)
    names = fields_to_read(mapping, terms_of(mapping, connector).pulled)
    ids = [Link.objects.get().remote_id]
    there = connector.fetch("contacts", ids, fields=names)
    assert there[0].fields["city"] == "Rome"

    intake.take_in(mapping, there, connector)
    monkeypatch.undo()
    sync(1)

    assert Lead.objects.get().city == "Lima"
    (contact,) = hubspot_simulator.dump("contacts")
    assert contact["properties"]["city"] == "Lima"


def _waiting(objects: Collection[str]) -> list[str]:
    rows = WorkItem.objects.filter(state__in=["ready", "waiting", "parked"])
    groups = ObjectMapping.objects.filter(remote_object__in=objects)
    found = rows.filter(group__in=[str(one.pk) for one in groups])
    return list(found.values_list("key", flat=True))
