"""What two pages both bring at one moment becomes one record of ours."""

from __future__ import annotations

import pytest

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.connectors.session import open_connector
from integrations.models import Connection, Link, ObjectMapping, Run
from integrations.records import Page, RemoteRecord
from integrations.sync import inflow, intake, pages
from integrations.sync.inflow import Pass
from integrations.sync.terms import terms_of
from integrations.sync.turns import Turn
from integrations.testing import make_run
from integrations.tests.sync.crm import both_ways
from leads.models import Lead

PEOPLE = 100


def page_of(number: int) -> Page:
    """Return the same people once more, each page in another order and as others."""
    people = range(PEOPLE) if number % 2 else reversed(range(PEOPLE))
    records = tuple(
        RemoteRecord(
            "contacts",
            f"{number}{one:04}",
            {"email": f"p{one}@customer.example.org", "city": "Lyon"},
        )
        for one in people
    )
    return Page(records, str(number + 1) if number < 4 else None)


def test_the_same_people_on_two_pages_are_one_lead_each_and_the_rest_is_told(
    hubspot: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "ENOUGH", 1)
    mapping = both_ways(
        ObjectMapping.objects.get(connection=hubspot, remote_object="contacts")
    )
    connector, _ = open_connector(hubspot)
    run = make_run(mapping, kind=Run.Kind.RECONCILE, state=Run.State.RUNNING)
    terms = terms_of(mapping, connector)

    def settle(page: Page, turn: Turn | None) -> None:
        intake.take_in(mapping, page.records, connector, run=run, turn=turn)

    whole = Pass(mapping, connector, terms, run_of=lambda: run, wanted=lambda: True)
    with inflow.settled(whole, lambda at: page_of(int(at or 1)), None, settle) as found:
        cursors = [one.cursor for one in found]

    assert cursors == ["2", "3", "4", None]
    assert Lead.objects.count() == Link.objects.count() == PEOPLE
    told = WorkItem.objects.filter(state=State.PARKED, error_class="duplicate")
    assert told.count() == 3 * PEOPLE
    run.refresh_from_db()
    assert (run.created_here, run.failed) == (PEOPLE, 3 * PEOPLE)
