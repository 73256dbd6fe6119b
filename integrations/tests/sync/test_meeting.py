"""A push meets records that the CRM has already, in mappings that go both ways."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from crmsync.core.models import WorkItem, Workspace
from integrations.connectors.salesforce import answers
from integrations.connectors.salesforce.connector import SalesforceConnector
from integrations.models import Connection, Link, ObjectMapping
from integrations.records import WriteResult
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.sync.push import push_due
from integrations.tests.sync.crm import HubSpotUser, SalesforceUser, only, sync
from integrations.tests.sync.trio import HERE
from leads.models import Lead
from leads.services import records

pytestmark = pytest.mark.django_db

EMAIL = "ada@customer.example.org"


@pytest.fixture
def contacts(workspace: Workspace, hubspot: Connection) -> ObjectMapping:
    return only(hubspot, "contacts")[0]


@pytest.fixture
def marketer(hubspot_simulator: RunningSimulator) -> HubSpotUser:
    return HubSpotUser(hubspot_simulator)


def make_lead(workspace: Workspace, **values: str) -> Lead:
    given = {"email": EMAIL, "last_name": "Ours", "company_name": "Ours", **values}
    [made] = records.create(workspace, "lead", [given], origin=HERE)
    return Lead.objects.get(pk=made.pk)


def push_only() -> None:
    WorkItem.objects.exclude(kind="push").delete()
    while push_due():
        pass


def test_a_push_that_meets_a_contact_fills_its_blanks_and_no_more(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser
) -> None:
    there = marketer.make(email=EMAIL, lastname="Theirs", city="Rome", country="Italy")

    lead = make_lead(workspace, city="Kiel", job_title="Boss")
    push_only()

    lead.refresh_from_db()
    seen = marketer.sees(there, "lastname", "city", "jobtitle")
    assert seen == {"lastname": "Theirs", "city": "Rome", "jobtitle": "Boss"}
    assert (lead.last_name, lead.city, lead.country) == ("Ours", "Kiel", "Italy")
    assert Link.objects.get().remote_id == there
    assert len(marketer.simulator.dump("contacts")) == 1
    assert not WorkItem.objects.exclude(error="").exists()


def test_what_was_chosen_to_win_at_the_first_meeting_wins(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser
) -> None:
    there = marketer.make(email=EMAIL, lastname="Theirs", city="Rome")
    contacts.rows.filter(destination="lastname").update(first="hub")
    contacts.rows.filter(destination="city").update(first="crm")

    lead = make_lead(workspace, city="Kiel")
    push_only()

    lead.refresh_from_db()
    assert marketer.sees(there, "lastname", "city") == {
        "lastname": "Ours",
        "city": "Rome",
    }
    assert lead.city == "Rome"


def test_a_push_that_meets_a_lead_in_salesforce_fills_its_blanks_and_no_more(
    workspace: Workspace, salesforce: Connection, salesforce_simulator: RunningSimulator
) -> None:
    only(salesforce, "Lead")
    seller = SalesforceUser(salesforce_simulator)
    seller.make("Lead", LastName="Theirs", Company="Theirs", Email=EMAIL, City="Oslo")

    make_lead(workspace, city="Kiel", job_title="Boss")
    push_only()

    [there] = seller.has("Lead")
    assert (there["LastName"], there["Company"], there["City"], there["Title"]) == (
        "Theirs",
        "Theirs",
        "Oslo",
        "Boss",
    )


def test_a_mapping_that_only_pushes_writes_what_we_have(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser
) -> None:
    there = marketer.make(email=EMAIL, lastname="Theirs", city="Rome")
    ObjectMapping.objects.filter(pk=contacts.pk).update(direction="push")

    make_lead(workspace, city="Kiel")
    push_only()

    assert marketer.sees(there, "lastname", "city") == {
        "lastname": "Ours",
        "city": "Kiel",
    }


def test_a_contact_of_another_lead_is_not_written_through_its_second_email(
    workspace: Workspace, contacts: ObjectMapping, marketer: HubSpotUser
) -> None:
    first = marketer.make(email="main@customer.example.org", lastname="Main")
    second = marketer.make(email=EMAIL, lastname="Second")
    kept = marketer.merge(first, second)
    pull.ask_pull(contacts)
    sync()
    owner = Lead.objects.get()

    lead = make_lead(workspace, city="Kiel")
    make_lead(workspace, email="eve@customer.example.org")
    make_lead(workspace, email="may@customer.example.org")
    push_only()

    assert marketer.sees(kept, "lastname")["lastname"] == "Main"
    item = WorkItem.objects.exclude(error="").get()
    assert item.error_class == "duplicate"
    assert str(owner) in item.error
    assert str(lead) in item.error
    assert item.error_about == {"there": [["", kept]]}
    assert Link.objects.count() == 3


def test_a_contact_that_a_duplicate_rule_names_is_not_linked_as_a_lead(
    workspace: Workspace, salesforce: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(salesforce, "Lead")
    contact = "003Fh0000000001MAA"
    found = {"attributes": {"type": "Contact"}, "Id": contact}
    rule = {"matchResults": [{"matchRecords": [{"record": found}]}]}
    refusal = {
        "statusCode": "DUPLICATES_DETECTED",
        "message": "Use one of these records?",
        "duplicateResut": rule,
    }

    def refused(
        self: SalesforceConnector, object_type: str, batch: Sequence[answers.Sent]
    ) -> list[WriteResult]:
        items = [{"success": False, "errors": [refusal]}] * len(batch)
        return answers.written(batch, items, updating=False)

    monkeypatch.setattr(SalesforceConnector, "_write_batch", refused)
    make_lead(workspace)
    push_only()

    assert not Link.objects.exists()
    item = WorkItem.objects.exclude(error="").get()
    assert item.error_class == "duplicate"
    assert "as Contact" in item.error
    assert item.error_about == {"there": [["Contact", contact]]}
