"""What a run's page counts: each record once, and no more of them than it is about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.signals import pre_save

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.services import Actor
from integrations.models import Connection, Cursor, ObjectMapping, Run
from integrations.services import runs as services
from integrations.simulators.testing import RunningSimulator
from integrations.sync import outbox, pull
from integrations.tests.sync.crm import HubSpotUser, both_ways, make_due, sync
from leads.facts import Origin
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")
RECORDS = ("created", "updated", "created_here", "updated_here", "linked", "unchanged")


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    """Leads and contacts, both ways, polled once from now on."""
    found = both_ways(
        ObjectMapping.objects.get(connection=hubspot, remote_object="contacts")
    )
    ObjectMapping.objects.exclude(pk=found.pk).update(active=False)
    pull.ask_pull(found)
    sync(1)
    return found


@pytest.fixture
def person(hubspot_simulator: RunningSimulator, mapping: ObjectMapping) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


@pytest.fixture
def pairs(workspace: Workspace, person: HubSpotUser) -> dict[str, Lead]:
    """Three leads that are in step with their contacts: remote id -> lead."""
    people = [{"email": f"p{n}@customer.example.org", "city": "Rome"} for n in range(3)]
    ids = person.make_many(people)
    sync()
    leads = {one.email: one for one in Lead.objects.all()}
    return {
        remote_id: leads[one["email"]]
        for remote_id, one in zip(ids, people, strict=True)
    }


def edit_quietly(workspace: Workspace, lead: Lead, **values: object) -> None:
    """Change a lead here without its being sent by itself."""
    records.update(workspace, "lead", [Edit(lead.pk, values)], origin=HERE)
    WorkItem.objects.filter(kind=outbox.KIND).update(not_before=outbox.WHEN_ASKED)


def counted(run: Run) -> int:
    return sum(getattr(run, name) for name in RECORDS)


def test_a_comparison_counts_what_it_sends_as_sent_alone(
    workspace: Workspace, mapping: ObjectMapping, pairs: dict[str, Lead]
) -> None:
    edit_quietly(workspace, next(iter(pairs.values())), city="Lyon")

    run = services.start_run(mapping, Actor(), Run.Kind.RECONCILE, options={})
    sync(6)
    run.refresh_from_db()

    assert run.state == Run.State.DONE
    assert (run.updated, run.unchanged) == (1, 2)
    assert counted(run) == run.settled == run.total == 3


def test_a_poll_is_done_with_each_record_that_it_read(
    workspace: Workspace,
    mapping: ObjectMapping,
    person: HubSpotUser,
    pairs: dict[str, Lead],
) -> None:
    first, second, third = pairs
    edit_quietly(workspace, pairs[first], city="Lyon")
    person.edit(first, jobtitle="Buyer")
    person.edit(second, jobtitle="Buyer")
    edit_quietly(workspace, pairs[third], city="Lyon")
    person.edit(third, lastname="Example")
    Run.objects.all().delete()

    sync()

    run = Run.objects.get(kind=Run.Kind.PULL)
    assert run.updated_here == 3
    assert counted(run) == run.settled == run.total


# --- a worker that dies ---------------------------------------------------------------


class Killed(BaseException):
    """What ends a worker between two statements; nothing of ours catches it."""


def die_before_its_place_is_kept(model: type[Cursor | Run], name: str) -> None:
    """Let the worker die when a portion has been stored, and its place has not."""

    def die(instance: Any, update_fields: frozenset[str] | None, **_: object) -> None:
        kept = instance.cursor if isinstance(instance, Run) else {"scanned": True}
        if update_fields == frozenset({name}) and "scanned" in kept:
            raise Killed

    pre_save.connect(die, sender=model, weak=False)
    try:
        with pytest.raises(Killed):
            sync(2)
    finally:
        pre_save.disconnect(die, sender=model)
    rows = WorkItem.objects.filter(state=State.LEASED)
    rows.update(leased_until=queue.now() - timedelta(seconds=1))
    assert queue.rescue() == 1


@pytest.mark.parametrize("dies", [False, True])
def test_a_comparison_whose_worker_died_counts_each_record_once(
    workspace: Workspace, person: HubSpotUser, mapping: ObjectMapping, *, dies: bool
) -> None:
    person.make_many([{"email": f"q{n}@customer.example.org"} for n in range(9)])
    rows = [{"email": f"q{n}@customer.example.org", "city": "Rome"} for n in range(4)]
    rows += [{"email": f"p{n}@customer.example.org"} for n in range(3)]
    records.create(workspace, "lead", rows, origin=HERE)
    WorkItem.objects.filter(kind=outbox.KIND).update(not_before=outbox.WHEN_ASKED)
    WorkItem.objects.filter(kind=pull.KIND).delete()

    run = services.start_run(mapping, Actor(), Run.Kind.RECONCILE, options={})
    if dies:
        die_before_its_place_is_kept(Run, "cursor")
    sync(4)

    run.refresh_from_db()
    assert (run.created_here, run.updated, run.created) == (5, 4, 3)
    assert run.settled == run.total == 12


@pytest.mark.parametrize("dies", [False, True])
def test_a_poll_whose_worker_died_counts_each_record_once(
    person: HubSpotUser, mapping: ObjectMapping, *, dies: bool
) -> None:
    person.make_many([{"email": f"q{n}@customer.example.org"} for n in range(9)])

    if dies:
        make_due()
        die_before_its_place_is_kept(Cursor, "page")
    sync(2)

    run = Run.objects.filter(kind=Run.Kind.PULL).latest("pk")
    assert (run.created_here, run.unchanged, run.settled) == (9, 0, 9)
