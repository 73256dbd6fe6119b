"""What was read before our last write, and comes in after it, is no news."""

from __future__ import annotations

import time

import pytest

from crmsync.core.models import Workspace
from integrations.connectors.session import open_connector
from integrations.models import Connection, Link, ObjectMapping
from integrations.records import RemoteRecord
from integrations.simulators.testing import RunningSimulator
from integrations.sync import intake, pull
from integrations.sync.push import push_due
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


def picture(mapping: ObjectMapping) -> RemoteRecord:
    connector, _ = open_connector(mapping.connection)
    fields = pull.fields_to_read(mapping, ["Title"])
    [found] = connector.fetch("Lead", [Link.objects.get().remote_id], fields=fields)
    return found


def show(mapping: ObjectMapping, record: RemoteRecord) -> None:
    connector, _ = open_connector(mapping.connection)
    intake.take_in(mapping, [record], connector)


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
    # Its stamps are whole seconds: one that differs from that of the old reading.
    time.sleep(1.1)
    person = SalesforceUser(salesforce_simulator)
    person.edit("Lead", old.remote_id, Title="Engineer")

    show(mapping, picture(mapping))

    lead.refresh_from_db()
    assert lead.job_title == "Engineer"
