"""A poll under way is paused, resumed and cancelled like any other run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from crmsync.core.models import Workspace
from crmsync.core.services import Actor, Refused
from integrations.models import Connection, Cursor, ObjectMapping, Run
from integrations.services import runs as services
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pages, plans, pull
from integrations.tests.sync.crm import HubSpotUser, both_ways, sync
from leads.models import Lead
from leads.signals import records_changed

NOBODY = Actor()
# More pages than are settled at once.
MANY = 850

Steer = Callable[[str], None]


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
def at_the_first_page(
    workspace: Workspace,
    mapping: ObjectMapping,
    hubspot_simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Steer]:
    """Poll many new contacts; a person steers the run while its first page comes in."""
    monkeypatch.setattr(pages, "ENOUGH", 1)
    people = [{"email": f"p{n}@customer.example.org"} for n in range(MANY)]
    HubSpotUser(hubspot_simulator).make_many(people)
    steps: list[str] = []

    def steer(sender: object, **told: object) -> None:
        # Two pages may come in at once, and only one of them brings the person.
        with suppress(IndexError):
            step = steps.pop()
            run = Run.objects.get(kind=Run.Kind.PULL, state=Run.State.RUNNING)
            services.steer(run, NOBODY, step)

    def begin(step: str) -> None:
        steps.append(step)
        sync(1)

    records_changed.connect(steer)
    yield begin
    records_changed.disconnect(steer)


def test_a_paused_poll_stops_after_its_page_and_goes_on_from_it(
    mapping: ObjectMapping, at_the_first_page: Steer
) -> None:
    at_the_first_page("pause")
    some, page = Lead.objects.count(), Cursor.objects.get(mapping=mapping).page
    plans.ask_due()
    sync(2)

    assert 0 < some < MANY
    assert Lead.objects.count() == some
    run = Run.objects.get(kind=Run.Kind.PULL)
    assert (run.state, run.settled) == (Run.State.PAUSED, some)
    assert page == Cursor.objects.get(mapping=mapping).page != ""

    services.steer(run, NOBODY, "resume")
    sync(2)

    run.refresh_from_db()
    assert Lead.objects.count() == MANY
    assert (run.state, run.created_here) == (Run.State.DONE, MANY)


def test_a_cancelled_poll_stops_after_its_page_and_the_next_goes_on_from_it(
    mapping: ObjectMapping, at_the_first_page: Steer
) -> None:
    at_the_first_page("cancel")
    some, page = Lead.objects.count(), Cursor.objects.get(mapping=mapping).page
    run = Run.objects.get(kind=Run.Kind.PULL)

    assert 0 < some < MANY
    assert page
    assert (run.state, run.settled) == (Run.State.CANCELLED, some)

    sync(2)

    following = Run.objects.exclude(pk=run.pk).get(kind=Run.Kind.PULL)
    assert Lead.objects.count() == MANY
    assert following.created_here == MANY - some
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    assert "next one, at its usual time, goes on where it stopped" in run.message


def test_a_paused_poll_can_be_cancelled(
    mapping: ObjectMapping, at_the_first_page: Steer
) -> None:
    at_the_first_page("pause")
    run = Run.objects.get(kind=Run.Kind.PULL)

    services.steer(run, NOBODY, "cancel")
    plans.ask_due()
    sync(3)

    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    assert Lead.objects.count() == MANY


def test_no_poll_is_asked_for_beside_a_paused_one(
    mapping: ObjectMapping, at_the_first_page: Steer
) -> None:
    at_the_first_page("pause")

    with pytest.raises(Refused, match="paused"):
        services.pull_now(mapping, NOBODY)
