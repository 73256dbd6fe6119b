"""Many fields emptied in a CRM stop a run, however its pages divide them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.connectors.session import open_connector
from integrations.models import Connection, FieldMapping, Link, ObjectMapping, Run
from integrations.records import RemoteRecord
from integrations.simulators.testing import RunningSimulator
from integrations.sync import mass_clears, pull, runs
from integrations.sync.calls import Braked
from integrations.sync.terms import terms_of
from integrations.testing import make_run
from integrations.tests.sync.crm import HubSpotUser, both_ways, sync
from leads.facts import Origin
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

LINKED = 60


@pytest.fixture
def mapping(
    hubspot: Connection, hubspot_simulator: RunningSimulator, workspace: Workspace
) -> ObjectMapping:
    """Sixty contacts in step with their leads; an emptied city is news."""
    found = both_ways(
        ObjectMapping.objects.get(connection=hubspot, remote_object="contacts")
    )
    ObjectMapping.objects.exclude(pk=found.pk).update(active=False)
    FieldMapping.objects.filter(mapping=found, destination="city").update(
        clear_blanks=True
    )
    pull.ask_pull(found)
    sync(1)
    people = [
        {"email": f"p{n}@customer.example.org", "city": "Lyon"} for n in range(LINKED)
    ]
    HubSpotUser(hubspot_simulator).make_many(people)
    sync()
    assert Link.objects.count() == LINKED
    return found


def emptied(first: int, count: int) -> list[RemoteRecord]:
    """Return what a page shows of contacts whose city is empty now."""
    links = list(Link.objects.order_by("pk")[first : first + count])
    emails = dict(Lead.objects.values_list("pk", "email"))
    return [
        RemoteRecord(
            "contacts", one.remote_id, {"city": "", "email": emails[one.record_id]}
        )
        for one in links
    ]


@pytest.mark.parametrize("page", [12, 30])
def test_pages_that_each_empty_little_stop_together(
    mapping: ObjectMapping, page: int
) -> None:
    connector, _ = open_connector(mapping.connection)
    terms = terms_of(mapping, connector)
    run = Run.objects.create(
        workspace=mapping.workspace,
        connection=mapping.connection,
        mapping=mapping,
        kind=Run.Kind.PULL,
        direction="pull",
        state=Run.State.RUNNING,
    )

    def check_all() -> None:
        for first in range(0, LINKED, page):
            shown = emptied(first, page)
            mass_clears.check(mapping, shown, terms, connector, run=run)

    with pytest.raises(Braked):
        check_all()

    run.refresh_from_db()
    assert run.state == Run.State.STOPPED
    assert run.mass_change == Run.MassChange.CLEARS


# --- small accounts -------------------------------------------------------------------


@pytest.fixture
def check(mapping: ObjectMapping) -> Callable[[list[RemoteRecord]], None]:
    """Show pages to a poll of a mapping with nineteen linked contacts."""
    kept = list(Link.objects.order_by("pk")[:19])
    Link.objects.exclude(pk__in=[one.pk for one in kept]).delete()
    connector, _ = open_connector(mapping.connection)
    terms = terms_of(mapping, connector)
    run = make_run(mapping, kind=Run.Kind.PULL, state=Run.State.RUNNING)

    def show(page: list[RemoteRecord]) -> None:
        mass_clears.check(mapping, page, terms, connector, run=run)

    return show


def test_most_of_a_small_account_is_not_emptied_unasked(
    check: Callable[[list[RemoteRecord]], None],
) -> None:
    page = emptied(0, 19)

    with pytest.raises(Braked, match="19 records would have fields emptied"):
        check(page)


def test_a_few_emptied_fields_are_no_reason_to_ask(
    check: Callable[[list[RemoteRecord]], None],
) -> None:
    check(emptied(0, 3))
    check(emptied(3, 2))

    with pytest.raises(Braked):
        check(emptied(5, 1))


def test_blanks_that_are_no_news_do_not_count(
    check: Callable[[list[RemoteRecord]], None],
) -> None:
    Link.objects.update(base={"city": ""})
    Lead.objects.update(city="")

    for first in range(0, 19, 3):
        check(emptied(first, 3))

    assert not Run.objects.filter(state=Run.State.STOPPED).exists()


# --- emptied here ---------------------------------------------------------------------


def empty_here(workspace: Workspace, first: int, count: int) -> None:
    leads = Lead.objects.order_by("pk")[first : first + count]
    edits = [Edit(one.pk, {"city": ""}) for one in leads]
    records.update(workspace, "lead", edits, origin=Origin("user", "1", "Ada Example"))


def filled_there(simulator: RunningSimulator) -> int:
    found = simulator.dump("contacts")
    return sum(1 for one in found if one["properties"].get("city"))


def test_many_fields_emptied_here_wait_for_approval_before_the_first_is_written(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    empty_here(workspace, 0, 30)
    other = Lead.objects.order_by("pk")[40]
    edit = Edit(other.pk, {"city": "Oslo"})
    records.update(workspace, "lead", [edit], origin=Origin("user", "1", "Ada"))
    sync(1)

    run = Run.objects.get(state=Run.State.STOPPED)
    assert filled_there(hubspot_simulator) == LINKED
    assert (run.mass_change, run.mass_count) == (Run.MassChange.CLEARS, 30)
    assert run.message == "30 records would have fields emptied in the CRM."
    assert run.samples[0]["there"] == {"city": ["Lyon", ""]}
    cities = [one["properties"]["city"] for one in hubspot_simulator.dump("contacts")]
    assert "Oslo" in cities

    runs.approve(run)
    sync(2)

    run.refresh_from_db()
    assert filled_there(hubspot_simulator) == LINKED - 30
    assert run.state == Run.State.DONE


def test_fields_emptied_here_stay_there_where_a_person_says_no(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    empty_here(workspace, 0, 30)
    sync(1)

    runs.cancel(Run.objects.get(state=Run.State.STOPPED))
    sync(1)

    assert filled_there(hubspot_simulator) == LINKED
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


def test_fields_emptied_one_after_another_are_counted_together(
    workspace: Workspace, mapping: ObjectMapping, hubspot_simulator: RunningSimulator
) -> None:
    empty_here(workspace, 0, 4)
    sync(1)
    assert filled_there(hubspot_simulator) == LINKED - 4

    empty_here(workspace, 4, 4)
    sync(1)

    assert filled_there(hubspot_simulator) == LINKED - 4
    assert Run.objects.get(state=Run.State.STOPPED).mass_count == 4
