"""Many deletions wait for a person's word, which is about those that were listed."""

from __future__ import annotations

import pytest

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.models import Connection, Cursor, Link, ObjectMapping, Run
from integrations.simulators.testing import RunningSimulator
from integrations.sync import failures_in, pull, runs
from integrations.sync.fetches import fetch_due
from integrations.tests.sync.crm import HubSpotUser, polled, sync
from leads.facts import Origin
from leads.models import Lead
from leads.services import removal

HERE = Origin("user", "1", "Ada Example")


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    """Leads and contacts, both ways, polled once from now on."""
    return polled(hubspot, "contacts")


@pytest.fixture
def person(hubspot_simulator: RunningSimulator, mapping: ObjectMapping) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


@pytest.fixture
def ids(person: HubSpotUser) -> list[str]:
    """Sixty linked contacts."""
    found = person.make_many([{"email": f"p{n}@x.example.org"} for n in range(60)])
    sync()
    return found


def delete(person: HubSpotUser, ids: list[str]) -> None:
    for one in ids:
        person.delete(one)


def ask_what_is_gone(mapping: ObjectMapping) -> None:
    Cursor.objects.update(gone_up_to=None)
    pull.ask_pull(mapping, soon=True)
    pull.pull_due()


def hint(mapping: ObjectMapping, ids: list[str]) -> None:
    queue.ask(failures_in.asks(mapping, ids))
    fetch_due()


def deleted() -> int:
    return Link.objects.filter(state=Link.State.DELETED).count()


def stopped() -> Run:
    return Run.objects.get(state=Run.State.STOPPED)


def test_edits_come_in_while_many_deletions_wait(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    delete(person, ids[:30])
    ask_what_is_gone(mapping)
    person.edit(ids[40], lastname="Edited")

    sync(1)

    assert stopped().mass_count == 30
    assert Lead.objects.filter(last_name="Edited").exists()
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_deletions_that_trickle_in_are_counted_together(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    for start in (0, 15, 30, 45):
        some = ids[start : start + 15]
        delete(person, some)
        hint(mapping, some)

    assert deleted() == 15
    assert stopped().mass_count == 45


def test_an_approval_is_of_what_was_listed(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    delete(person, ids[:30])
    ask_what_is_gone(mapping)
    asked = stopped()
    delete(person, ids[30:])

    runs.approve(asked)
    ask_what_is_gone(mapping)

    assert deleted() == 30
    asked.refresh_from_db()
    assert (asked.state, asked.deleted) == (Run.State.DONE, 30)
    assert stopped().mass_count == 30


def test_what_was_refused_is_not_asked_about_again(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    delete(person, ids[:30])
    ask_what_is_gone(mapping)

    runs.cancel(stopped())
    ask_what_is_gone(mapping)
    hint(mapping, ids[:5])

    assert deleted() == 0
    assert not Run.objects.filter(state=Run.State.STOPPED).exists()


# --- deleted here ---------------------------------------------------------------------


def delete_here(mapping: ObjectMapping, count: int) -> None:
    ObjectMapping.objects.filter(pk=mapping.pk).update(deletes="propagate")
    ids = list(Lead.objects.order_by("pk").values_list("pk", flat=True)[:count])
    removal.delete(mapping.workspace, "lead", ids, origin=HERE)


def left_there(person: HubSpotUser) -> int:
    found = person.simulator.dump("contacts")
    return len([one for one in found if not one.get("archived")])


def test_few_records_deleted_here_are_deleted_there(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    delete_here(mapping, 20)
    sync(1)

    assert left_there(person) == 40


def test_many_records_deleted_here_wait_for_approval(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    delete_here(mapping, 60)
    sync(2)

    run = stopped()
    assert left_there(person) == 60
    assert (run.mass_count, len(run.samples)) == (60, 20)
    assert run.message == "60 linked records were deleted here."

    runs.approve(run)
    sync(3)

    run.refresh_from_db()
    assert left_there(person) == 0
    assert (run.state, run.deleted) == (Run.State.DONE, 60)


def test_many_records_deleted_here_stay_there_where_a_person_says_no(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    delete_here(mapping, 30)
    sync(1)

    runs.cancel(stopped())
    sync(2)

    assert left_there(person) == 60
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_deletions_made_here_one_after_another_are_counted_together(
    mapping: ObjectMapping, person: HubSpotUser, ids: list[str]
) -> None:
    delete_here(mapping, 15)
    sync(1)
    delete_here(mapping, 15)
    sync(1)

    assert left_there(person) == 45
    assert stopped().mass_count == 15

    runs.approve(stopped())
    sync(2)
    assert left_there(person) == 30

    # Those a person approved do not count with what comes next.
    delete_here(mapping, 5)
    sync(1)
    assert left_there(person) == 25
