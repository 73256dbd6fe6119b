"""Many fields emptied in a CRM stop a run, however its pages divide them."""

from __future__ import annotations

import pytest

from crmsync.core.models import Workspace
from integrations.connectors.session import open_connector
from integrations.models import Connection, FieldMapping, Link, ObjectMapping, Run
from integrations.records import RemoteRecord
from integrations.simulators.testing import RunningSimulator
from integrations.sync import mass_clears, pull
from integrations.sync.calls import Braked
from integrations.sync.terms import terms_of
from integrations.tests.sync.crm import HubSpotUser, both_ways, sync
from leads.models import Lead

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
