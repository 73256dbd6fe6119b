"""A turn of several calls: what it takes on, and what follows when one fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection as db_connection
from django.test.utils import CaptureQueriesContext

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.connectors.base import Connector
from integrations.models import Conflict, Connection, Link, ObjectMapping
from integrations.records import WriteResult
from integrations.simulators.testing import RunningSimulator
from integrations.sync import outbox, pace, push, sending
from integrations.tests.sync.crm import HubSpotUser, both_ways, sync
from leads.facts import Origin
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")
PEOPLE = 250


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    """Leads and contacts alone, in the hands of one."""
    found = ObjectMapping.objects.get(connection=hubspot, remote_object="contacts")
    ObjectMapping.objects.exclude(pk=found.pk).update(active=False)
    ObjectMapping.objects.filter(pk=found.pk).update(engaged_only=False)
    found.refresh_from_db()
    return found


@pytest.fixture
def backlog(
    workspace: Workspace, mapping: ObjectMapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many people who wait in the batch lane of a connection that is quick."""
    people = [{"email": f"p{n}@customer.example.org"} for n in range(PEOPLE)]
    records.create(workspace, "lead", people, origin=HERE)
    WorkItem.objects.filter(kind=outbox.KIND).update(lane=outbox.BULK)
    monkeypatch.setattr(pace, "calls_at_once", lambda connection_id: 3)


def calls(simulator: RunningSimulator) -> int:
    return sum(
        route["count"]
        for name, route in simulator.stats()["routes"].items()
        if name.endswith("contacts/batch/upsert")
    )


def take_a_turn() -> int:
    return push.push_turn()


@pytest.mark.usefixtures("backlog")
def test_a_turn_of_the_batch_lane_makes_several_calls(
    hubspot_simulator: RunningSimulator,
) -> None:
    taken = take_a_turn()

    assert (taken, calls(hubspot_simulator)) == (PEOPLE, 3)
    assert len(hubspot_simulator.dump("contacts")) == PEOPLE


@pytest.mark.usefixtures("mapping", "hubspot_simulator")
def test_more_records_take_no_more_statements(workspace: Workspace) -> None:
    statements = []
    for title, count in (("a", 5), ("b", 60)):
        people = [{"email": f"{title}{n}@customer.example.org"} for n in range(count)]
        records.create(workspace, "lead", people, origin=HERE)
        with CaptureQueriesContext(db_connection) as queries:
            assert take_a_turn() == count
        statements.append(len(queries))

    few, many = statements
    assert many <= few  # the first turn learns what the second knows already


@pytest.mark.usefixtures("backlog")
def test_what_is_urgent_goes_call_by_call(hubspot_simulator: RunningSimulator) -> None:
    WorkItem.objects.filter(kind=outbox.KIND).update(lane=outbox.REALTIME)

    taken = take_a_turn()

    assert (taken, calls(hubspot_simulator)) == (100, 1)


@pytest.mark.usefixtures("backlog")
def test_what_was_to_follow_a_call_that_failed_uses_no_attempt(
    hubspot_simulator: RunningSimulator,
) -> None:
    hubspot_simulator.set_fault("503", path="contacts/batch")

    take_a_turn()

    rows = WorkItem.objects.filter(kind=outbox.KIND, state=State.READY)
    tried = rows.filter(attempts=1)
    assert (rows.count(), tried.count()) == (PEOPLE, 100)
    assert not rows.filter(attempts=0).exclude(failed_at=None).exists()


def test_what_another_worker_linked_meanwhile_has_arrived(
    workspace: Workspace, mapping: ObjectMapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = sending._written

    def linked_meanwhile(
        mapping: ObjectMapping, sends: sending.Sends, connector: Connector
    ) -> Sequence[WriteResult]:
        answers = write(mapping, sends, connector)
        for (item, _, _), answer in zip(sends, answers, strict=True):
            Link.objects.create(
                workspace=workspace,
                connection=mapping.connection,
                record_type="lead",
                record_id=outbox.record_of(item.key),
                remote_object="contacts",
                remote_id=answer.remote_id or "",
            )
        return answers

    monkeypatch.setattr(sending, "_written", linked_meanwhile)
    person = {"email": "ada@customer.example.org", "city": "Lyon"}
    records.create(workspace, "lead", [person], origin=HERE)

    take_a_turn()

    item = WorkItem.objects.get(kind=outbox.KIND)
    assert (item.state, item.applied, item.attempts) == (State.DONE, 1, 0)
    assert Link.objects.get().base["city"] == "Lyon"


def test_what_both_sides_enter_where_both_had_nothing_is_a_conflict(
    workspace: Workspace,
    mapping: ObjectMapping,
    hubspot_simulator: RunningSimulator,
) -> None:
    rule: dict[str, Any] = {"rule": "ask"}
    both_ways(mapping, city=rule)
    person = HubSpotUser(hubspot_simulator)
    (lead,) = records.create(
        workspace, "lead", [{"email": "ada@customer.example.org"}], origin=HERE
    )
    sync()
    person.edit(Link.objects.get().remote_id, city="Lyon")
    records.update(workspace, "lead", [Edit(lead.pk, {"city": "Oslo"})], origin=HERE)

    sync()

    conflict = Conflict.objects.get(state=Conflict.State.OPEN)
    assert (conflict.field, conflict.base_value) == ("city", "")
    assert {conflict.hub_value, conflict.crm_value} == {"Oslo", "Lyon"}
