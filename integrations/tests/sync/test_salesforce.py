"""Our records in Salesforce: by collections, by jobs, with what belongs to them."""

from __future__ import annotations

import pytest

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.models import Connection, Link, ObjectMapping, Run, SyncEntry
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull, runs
from integrations.tests.sync.crm import SalesforceUser, make_due, sync
from integrations.tests.sync.test_push import record, reply
from leads.facts import Origin
from leads.models import Deal, Lead
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")


@pytest.fixture
def seller(
    salesforce: Connection, salesforce_simulator: RunningSimulator
) -> SalesforceUser:
    return SalesforceUser(salesforce_simulator)


def leads(workspace: Workspace, count: int) -> None:
    rows = [
        {"email": f"p{n}@customer.example.org", "last_name": f"P{n}"}
        for n in range(count)
    ]
    records.create(workspace, "lead", rows, origin=HERE)


def routes(simulator: RunningSimulator) -> dict[str, int]:
    found = simulator.stats()["routes"]
    return {name: told["count"] for name, told in found.items()}


def parked() -> list[str]:
    rows = WorkItem.objects.filter(state=State.PARKED)
    return list(rows.values_list("error", flat=True))


def test_a_reply_becomes_a_lead_and_an_opportunity(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    record(workspace, reply())

    sync(5)

    (lead,) = seller.has("Lead")
    (deal,) = seller.has("Opportunity")
    assert lead["Email"] == "person1@customer.example.org"
    assert (deal["Name"], bool(deal["CloseDate"])) == (
        "Pat Number 1 – Fern & Sons",
        True,
    )
    assert parked() == []


def test_a_stage_that_moves_there_moves_here(
    workspace: Workspace, seller: SalesforceUser
) -> None:
    record(workspace, reply())
    pull.ask_due()
    sync(5)
    link = Link.objects.get(record_type="deal")

    seller.edit("Opportunity", link.remote_id, StageName="Closed Won")
    sync()

    assert Deal.objects.get().stage.outcome == "won"


def test_a_large_backfill_goes_by_jobs_and_every_record_once(
    workspace: Workspace, salesforce: Connection, seller: SalesforceUser
) -> None:
    mapping = ObjectMapping.objects.get(remote_object="Lead")
    ObjectMapping.objects.exclude(pk=mapping.pk).update(active=False)
    ObjectMapping.objects.filter(pk=mapping.pk).update(
        engaged_only=False, mode=ObjectMapping.Mode.MANUAL
    )
    mapping.refresh_from_db()
    leads(workspace, 2100)
    before = routes(seller.simulator)

    run = runs.start(mapping, Run.Kind.BACKFILL)
    for _ in range(4):
        make_due()
        runs.runs_due()
    sync(3)

    run.refresh_from_db()
    after = routes(seller.simulator)
    jobs = sum(n - before.get(k, 0) for k, n in after.items() if "jobs/ingest" in k)
    assert (run.state, run.created) == (Run.State.DONE, 2100)
    assert len({one["Email"] for one in seller.has("Lead")}) == 2100
    assert len(seller.has("Lead")) == 2100
    assert jobs > 0


def test_a_push_says_how_many_changes_it_carried(
    workspace: Workspace, salesforce: Connection
) -> None:
    ObjectMapping.objects.update(engaged_only=False)
    leads(workspace, 1)
    lead = Lead.objects.get()
    for number in range(4):
        edit = Edit(lead.pk, {"city": f"City {number}"})
        records.update(workspace, "lead", [edit], origin=HERE)

    sync()

    entry = SyncEntry.objects.get(outcome="created", remote_object="Lead")
    assert entry.message == "Carried 5 changes: #1 to #4 are superseded by #5."
