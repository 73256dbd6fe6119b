"""What was read before our last write, and comes in after it, is no news."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from crmsync.core import queue
from crmsync.core.models import Workspace
from integrations.connectors.session import open_connector
from integrations.models import Connection, Link, ObjectMapping
from integrations.records import Page
from integrations.simulators.testing import RunningSimulator
from integrations.sync import failures_in, intake, pull
from integrations.sync.fetches import fetch_due
from integrations.sync.push import push_due
from integrations.sync.terms import fields_to_read
from integrations.tests.sync.crm import SalesforceUser, make_due, polled
from leads.facts import Origin
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")


@pytest.fixture
def mapping(salesforce: Connection) -> ObjectMapping:
    return polled(salesforce, "Lead")


@pytest.fixture
def lead(workspace: Workspace, mapping: ObjectMapping) -> Lead:
    values = {
        "email": "ada@customer.example.org",
        "last_name": "Example",
        "company_name": "Customer",
    }
    (made,) = records.create(workspace, "lead", [values], origin=HERE)
    push_due()
    assert isinstance(made, Lead)
    return made


def enter(lead: Lead, title: str) -> None:
    edit = Edit(lead.pk, {"job_title": title})
    records.update(lead.workspace, "lead", [edit], origin=HERE)
    make_due()
    assert push_due() == 1


def picture(mapping: ObjectMapping) -> Page:
    """Read the lead there, as of now."""
    connector, _ = open_connector(mapping.connection)
    fields = fields_to_read(mapping, ["Title"])
    read_at = queue.now()
    found = connector.fetch("Lead", [Link.objects.get().remote_id], fields=fields)
    return Page(tuple(found), read_at=read_at)


def show(mapping: ObjectMapping, page: Page) -> None:
    connector, _ = open_connector(mapping.connection)
    intake.take_in(mapping, page.records, connector, read_at=page.read_at)


def test_two_readings_from_between_two_writes_undo_nothing(
    mapping: ObjectMapping, lead: Lead
) -> None:
    enter(lead, "Engineer")
    by_a_poll, by_a_fetch = picture(mapping), picture(mapping)
    enter(lead, "Director")

    show(mapping, by_a_poll)
    show(mapping, by_a_fetch)

    lead.refresh_from_db()
    assert lead.job_title == "Director"


def test_who_enters_our_old_value_again_is_heard_after_an_old_reading(
    mapping: ObjectMapping, lead: Lead, salesforce_simulator: RunningSimulator
) -> None:
    enter(lead, "Engineer")
    old = picture(mapping)
    enter(lead, "Director")
    show(mapping, old)
    person = SalesforceUser(salesforce_simulator)
    person.edit("Lead", Link.objects.get().remote_id, Title="Engineer")

    show(mapping, picture(mapping))

    lead.refresh_from_db()
    assert lead.job_title == "Engineer"


def test_polls_and_fetches_say_when_they_began_to_read(
    mapping: ObjectMapping,
    lead: Lead,
    salesforce_simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[object] = []
    takes_in = intake.take_in

    def listen(*args: Any, **named: Any) -> intake.Taken:
        told.append(named.get("read_at"))
        return takes_in(*args, **named)

    monkeypatch.setattr(intake, "take_in", listen)
    remote_id, begun = Link.objects.get().remote_id, queue.now()
    person = SalesforceUser(salesforce_simulator)

    person.edit("Lead", remote_id, Title="Engineer")
    pull.ask_pull(mapping, soon=True)
    pull.pull_due()
    person.edit("Lead", remote_id, Title="Director")
    queue.ask(failures_in.asks(mapping, [remote_id]))
    fetch_due()

    lead.refresh_from_db()
    assert lead.job_title == "Director"
    asked = [
        one["at"]
        for one in salesforce_simulator.requests_since()
        if one["at"] > begun.timestamp() and one["path"].startswith("/services/data/")
    ]
    poll, fetch = told
    assert isinstance(poll, datetime)
    assert isinstance(fetch, datetime)
    # Each before its own call, not only before what was read is taken in.
    assert begun.timestamp() <= poll.timestamp() <= asked[0]
    assert poll < fetch
    assert fetch.timestamp() <= asked[-1]
