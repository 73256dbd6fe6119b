"""A hot lead during a backfill, and what is kept of the budget for it."""

from __future__ import annotations

from crmsync.core import queue
from crmsync.core.lanes import BATCH
from crmsync.core.models import Channel, WorkItem, Workspace
from crmsync.core.queue import Ask
from integrations.connectors import session
from integrations.models import Connection, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync import outbox
from integrations.sync.push import push_due
from integrations.tests.sync.test_push import log, record, reply
from leads.models import Lead


def backfill(workspace: Workspace, count: int) -> ObjectMapping:
    """Ask for leads that no one has engaged with, as a backfill does."""
    mapping = ObjectMapping.objects.get(record_type="lead")
    ObjectMapping.objects.filter(pk=mapping.pk).update(engaged_only=False)
    leads = Lead.objects.bulk_create(
        Lead(workspace=workspace, email=f"old{number}@example.com")
        for number in range(count)
    )
    queue.ask(
        Ask(
            workspace_id=workspace.pk,
            kind=outbox.KIND,
            key=outbox.key_of(mapping.pk, lead.pk),
            channel_id=mapping.connection.channel_id or 0,
            group=str(mapping.pk),
            lane=BATCH,
        )
        for lead in leads
    )
    return mapping


def contact_calls(simulator: RunningSimulator) -> list[int]:
    """Return how many contacts each call carried, in the order of the calls."""
    return [
        int(str(one["inputs"]))
        for one in log(simulator)
        if "contacts/batch" in str(one["path"])
    ]


def test_hot_lead_goes_before_the_backfill_and_alone(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    backfill(workspace, 250)
    record(workspace, reply())

    push_due()

    assert contact_calls(hubspot_simulator) == [1, 100, 100, 50]
    assert len(hubspot_simulator.dump("contacts")) == 251


def test_while_the_days_budget_runs_out_only_hot_leads_go(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    hubspot_simulator.configure(limits=True, daily_limit=50)
    connector, _ = session.open_connector(hubspot)
    for _ in range(45):
        connector.pipelines("deals")
    backfill(workspace, 250)
    record(workspace, reply())

    push_due()

    emails = [one["properties"]["email"] for one in hubspot_simulator.dump("contacts")]
    assert emails == ["person1@customer.example.org"]
    waiting = WorkItem.objects.filter(kind=outbox.KIND, lane=BATCH)
    assert set(waiting.values_list("state", "attempts")) == {("ready", 0)}


def test_told_wait_keeps_everything_of_the_connection_at_home(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    hubspot_simulator.set_fault("429", object="contacts", count=1, retry_after="20")
    backfill(workspace, 250)
    push_due()
    made = len(log(hubspot_simulator))
    record(workspace, reply())
    # Were the pause forgotten, the budget that all processes share still holds.
    Channel.objects.update(paused_until=None, batch_paused_until=None)

    push_due()

    assert len(log(hubspot_simulator)) == made
