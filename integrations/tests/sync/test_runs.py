"""Runs: what they do, how they are steered, foreseen and taken back."""

from __future__ import annotations

import math

import pytest

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.queue import ledger
from crmsync.core.services import Actor, Refused
from integrations.models import Connection, Link, ObjectMapping, Run, SyncEntry
from integrations.services import runs as services
from integrations.services.retries import retry
from integrations.simulators.testing import RunningSimulator
from integrations.sync import outbox, plans, runs
from integrations.sync.push import push_due
from integrations.tests.sync.crm import HubSpotUser, both_ways, sync
from leads.facts import Origin
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")
NOBODY = Actor()


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    """Leads to contacts alone, when asked."""
    found = ObjectMapping.objects.get(connection=hubspot, remote_object="contacts")
    ObjectMapping.objects.exclude(pk=found.pk).update(active=False)
    found.engaged_only = False
    found.mode = ObjectMapping.Mode.MANUAL
    found.save()
    return found


@pytest.fixture
def person(hubspot_simulator: RunningSimulator, mapping: ObjectMapping) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


def make_leads(workspace: Workspace, count: int, **values: object) -> list[Lead]:
    rows = [
        {"email": f"p{n}@customer.example.org", "first_name": f"P{n}", **values}
        for n in range(count)
    ]
    return records.create(workspace, "lead", rows, origin=HERE)  # type: ignore[return-value]


def start(mapping: ObjectMapping, kind: str, **options: object) -> Run:
    return services.start_run(mapping, NOBODY, kind, options=options)


def finished(run: Run) -> Run:
    """Let the workers go on until the run is over."""
    for _ in range(20):
        sync(1)
        run.refresh_from_db()
        if run.state in runs.OVER or run.state == Run.State.STOPPED:
            return run
    raise AssertionError(f"still {run.state}: {run.cursor} {run.message}")


def contact_calls(simulator: RunningSimulator) -> int:
    return int(simulator.stats()["total"])


# --- three modes ----------------------------------------------------------------------


def test_what_waits_to_be_asked_for_is_not_sent(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    make_leads(workspace, 3)

    sync()

    assert hubspot_simulator.dump("contacts") == []
    assert WorkItem.objects.filter(kind=outbox.KIND, state=State.READY).count() == 3


def test_a_manual_sync_sends_the_chosen_records_only(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    leads = make_leads(workspace, 3)

    run = finished(start(mapping, Run.Kind.MANUAL, ids=[leads[1].pk]))

    (contact,) = hubspot_simulator.dump("contacts")
    assert contact["properties"]["email"] == "p1@customer.example.org"
    assert (run.state, run.created, run.settled) == (Run.State.DONE, 1, 1)


def test_a_batch_sends_at_its_slot_what_changed_since(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    mapping.mode = ObjectMapping.Mode.BATCH
    mapping.next_batch_at = mapping.created_at
    mapping.save()
    make_leads(workspace, 3)
    sync()
    before = hubspot_simulator.dump("contacts")

    asked = plans.ask_due() + plans.ask_due()
    run = finished(Run.objects.get())

    assert before == []
    assert asked == 1
    assert (run.kind, run.created) == (Run.Kind.BATCH, 3)
    mapping.refresh_from_db()
    assert mapping.next_batch_at > run.created_at


def test_ten_edits_before_a_batch_are_one_push(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    (lead,) = make_leads(workspace, 1)
    for number in range(10):
        edit = Edit(lead.pk, {"city": f"City {number}"})
        records.update(workspace, "lead", [edit], origin=HERE)
    before = contact_calls(hubspot_simulator)

    finished(start(mapping, Run.Kind.BATCH))

    assert contact_calls(hubspot_simulator) - before == 1
    assert ledger()["difference"] == 0


# --- calls ----------------------------------------------------------------------------


def test_a_backfill_makes_as_few_calls_as_the_vendor_allows(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    make_leads(workspace, 250)
    before = contact_calls(hubspot_simulator)

    run = finished(start(mapping, Run.Kind.BACKFILL))

    assert run.created == 250
    assert contact_calls(hubspot_simulator) - before == math.ceil(250 / 100)


def test_what_is_in_step_costs_no_call(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    make_leads(workspace, 120)
    finished(start(mapping, Run.Kind.BACKFILL))
    before = contact_calls(hubspot_simulator)

    run = finished(start(mapping, Run.Kind.BACKFILL))

    assert contact_calls(hubspot_simulator) == before
    assert (run.unchanged, run.settled) == (120, 120)


# --- steering -------------------------------------------------------------------------


def begun(workspace: Workspace, mapping: ObjectMapping) -> Run:
    """Return a backfill whose rows have been asked for and not sent."""
    make_leads(workspace, 10)
    run = start(mapping, Run.Kind.BACKFILL)
    runs.runs_due()
    run.refresh_from_db()
    return run


def test_a_paused_run_sends_nothing_and_goes_on_when_resumed(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    run = begun(workspace, mapping)

    services.steer(run, NOBODY, "pause")
    sync(2)
    while_paused = hubspot_simulator.dump("contacts")
    services.steer(run, NOBODY, "resume")
    run = finished(run)

    assert while_paused == []
    assert (run.state, run.created) == (Run.State.DONE, 10)


def test_a_cancelled_run_sends_nothing_and_breaks_no_law(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    run = begun(workspace, mapping)

    services.steer(run, NOBODY, "cancel")
    sync(2)

    assert hubspot_simulator.dump("contacts") == []
    assert run.state == Run.State.CANCELLED
    assert ledger()["difference"] == 0
    with pytest.raises(Refused):
        services.steer(run, NOBODY, "cancel")


def test_an_urgent_edit_of_a_paused_runs_record_leaves_at_once(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    run = begun(workspace, mapping)
    services.steer(run, NOBODY, "pause")
    mapping.mode = ObjectMapping.Mode.REALTIME
    mapping.save()
    lead = Lead.objects.first()
    assert lead is not None

    records.update(workspace, "lead", [Edit(lead.pk, {"city": "Lyon"})], origin=HERE)
    push_due()

    (contact,) = hubspot_simulator.dump("contacts")
    assert contact["properties"]["city"] == "Lyon"


def test_only_one_run_of_a_kind_goes_at_a_time(
    workspace: Workspace, mapping: ObjectMapping
) -> None:
    start(mapping, Run.Kind.BACKFILL)

    with pytest.raises(Refused):
        start(mapping, Run.Kind.BACKFILL)


def test_a_run_that_failed_goes_on_where_it_was_when_it_is_retried(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    both_ways(mapping)
    person.make_many([{"email": f"q{n}@customer.example.org"} for n in range(9)])
    person.simulator.set_fault("403", path="objects/contacts", method="GET")
    failed = finished(start(mapping, Run.Kind.RECONCILE))
    state = failed.state
    person.simulator.clear_faults()

    retry(WorkItem.objects.filter(kind="run"))
    runs.runs_due()
    run = finished(Run.objects.get(pk=failed.pk))

    assert state == Run.State.FAILED
    assert (run.state, run.created_here) == (Run.State.DONE, 9)


# --- everything, foreseen -------------------------------------------------------------


def two_sides(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    """40 people only here, 30 only there, 20 on both of whom 5 are alike."""
    both_ways(mapping, city={"first": "crm"})
    make_leads(workspace, 60, city="Lyon")
    person.make_many(
        [
            {
                "email": f"p{n}@customer.example.org",
                "firstname": f"P{n}",
                "city": "Lyon" if n < 5 else "Paris",
            }
            for n in range(20)
        ]
    )
    person.make_many([{"email": f"q{n}@customer.example.org"} for n in range(30)])


def test_a_dry_run_foresees_what_the_real_one_does_and_writes_nothing(
    workspace: Workspace,
    mapping: ObjectMapping,
    person: HubSpotUser,
    hubspot_simulator: RunningSimulator,
) -> None:
    two_sides(workspace, mapping, person)
    there, here = hubspot_simulator.dump("contacts"), Lead.objects.count()

    dry = finished(start(mapping, Run.Kind.DRY))
    after = hubspot_simulator.dump("contacts"), Lead.objects.count()
    links = Link.objects.count()
    real = finished(start(mapping, Run.Kind.RECONCILE))

    assert after == (there, here)
    assert links == 0
    counts = dry.cursor["counts"]
    assert counts["created"] == real.created == 40
    assert counts["created_here"] == real.created_here == 30
    assert counts["updated_here"] == real.updated_here == 15
    assert 0 < len(dry.samples) <= 20


def test_a_full_comparison_brings_both_sides_in_step(
    workspace: Workspace,
    mapping: ObjectMapping,
    person: HubSpotUser,
    hubspot_simulator: RunningSimulator,
) -> None:
    two_sides(workspace, mapping, person)

    finished(start(mapping, Run.Kind.RECONCILE))
    before = contact_calls(hubspot_simulator)
    again = finished(start(mapping, Run.Kind.RECONCILE))

    theirs = {
        one["properties"]["email"]: one["properties"].get("city") or ""
        for one in hubspot_simulator.dump("contacts")
    }
    ours = dict(Lead.objects.values_list("email", "city"))
    assert theirs == ours
    assert len(ours) == 90
    assert (again.updated, again.updated_here, again.created) == (0, 0, 0)
    assert contact_calls(hubspot_simulator) - before < 5


def test_a_comparison_marks_every_link_it_saw(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    both_ways(mapping)
    ids = person.make_many([{"email": f"q{n}@customer.example.org"} for n in range(9)])
    finished(start(mapping, Run.Kind.RECONCILE))
    person.edit(ids[0], city="Paris")
    person.make(email="new@customer.example.org")

    run = finished(start(mapping, Run.Kind.RECONCILE))

    marks = Link.objects.values_list("seen_in", flat=True)
    assert list(marks) == [run.pk] * 10


def test_an_interrupted_comparison_deletes_nothing(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    both_ways(mapping)
    person.make_many([{"email": f"q{n}@customer.example.org"} for n in range(30)])
    finished(start(mapping, Run.Kind.RECONCILE))
    run = start(mapping, Run.Kind.RECONCILE)

    person.simulator.set_fault("500", path="objects/contacts", method="GET")
    sync(2)
    services.steer(run, NOBODY, "cancel")

    assert Link.objects.filter(state=Link.State.LINKED).count() == 30


def test_what_two_comparisons_do_not_find_is_gone(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    both_ways(mapping)
    ids = person.make_many([{"email": f"q{n}@customer.example.org"} for n in range(9)])
    finished(start(mapping, Run.Kind.RECONCILE))
    person.delete(ids[0])

    finished(start(mapping, Run.Kind.RECONCILE))
    once = Link.objects.get(remote_id=ids[0]).state
    finished(start(mapping, Run.Kind.RECONCILE))
    twice = Link.objects.get(remote_id=ids[0]).state

    assert (once, twice) == (Link.State.MISSING, Link.State.DELETED)
    assert Lead.objects.count() == 9


# --- audit and revert -----------------------------------------------------------------


def test_a_silent_change_there_is_found_and_mended_by_the_audit(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    both_ways(mapping, city={"direction": "push"})
    make_leads(workspace, 30, city="Lyon")
    finished(start(mapping, Run.Kind.BACKFILL))
    remote_id = Link.objects.order_by("pk")[0].remote_id
    person.edit(remote_id, city="Paris")

    first = finished(start(mapping, Run.Kind.AUDIT))
    sync()
    second = finished(start(mapping, Run.Kind.AUDIT))

    assert first.cursor["counts"] == {"checked": 30, "drifted": 1}
    assert second.cursor["counts"] == {"checked": 30, "drifted": 0}
    assert person.sees(remote_id, "city") == {"city": "Lyon"}


def test_a_revert_takes_back_what_nobody_changed_since(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    both_ways(mapping, city={"first": "crm"})
    leads = make_leads(workspace, 3, city="Lyon")
    person.make_many(
        [
            {
                "email": f"p{n}@customer.example.org",
                "firstname": f"P{n}",
                "city": "Paris",
            }
            for n in range(3)
        ]
    )
    run = finished(start(mapping, Run.Kind.RECONCILE))
    edit = Edit(leads[0].pk, {"city": "Rome"})
    records.update(workspace, "lead", [edit], origin=HERE)

    revert = finished(start(mapping, Run.Kind.REVERT, run=run.pk))

    cities = dict(Lead.objects.order_by("pk").values_list("pk", "city"))
    assert [cities[one.pk] for one in leads] == ["Rome", "Lyon", "Lyon"]
    assert revert.cursor["counts"]["put_back_here"] == 2
    assert SyncEntry.objects.filter(run=run).exclude(undo={}).count() == 3


def test_a_revert_of_a_push_writes_the_old_values_back_there(
    workspace: Workspace, mapping: ObjectMapping, person: HubSpotUser
) -> None:
    leads = make_leads(workspace, 2, city="Lyon")
    finished(start(mapping, Run.Kind.BACKFILL))
    edits = [Edit(one.pk, {"city": "Rome"}) for one in leads]
    records.update(workspace, "lead", edits, origin=HERE)
    run = finished(start(mapping, Run.Kind.MANUAL))
    ids = [Link.objects.get(record_id=one.pk).remote_id for one in leads]
    person.edit(ids[0], city="Oslo")

    finished(start(mapping, Run.Kind.REVERT, run=run.pk))

    assert person.sees(ids[0], "city") == {"city": "Oslo"}
    assert person.sees(ids[1], "city") == {"city": "Lyon"}
