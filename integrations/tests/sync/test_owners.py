"""Owners on their way to the CRM, and threads whose messages come in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from crmsync.core.models import Membership, User, WorkItem, Workspace
from integrations.models import Connection, FieldMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.sync.push import push_due
from integrations.tests.sync.crm import SalesforceUser, sync
from integrations.tests.sync.test_push import record, reply
from leads.models import Conversation, Lead


@pytest.mark.parametrize(
    ("email", "owner"),
    [("ada.marsh@example.com", "71001"), ("nobody.there@example.com", None)],
)
def test_owner_goes_along_where_the_crm_knows_them_and_holds_up_nothing(
    workspace: Workspace,
    hubspot: Connection,
    hubspot_simulator: RunningSimulator,
    email: str,
    owner: str | None,
) -> None:
    user = User.objects.create_user(email)
    Membership.objects.create(workspace=workspace, user=user, role="rep")
    record(workspace, reply())
    Lead.objects.update(owner=user)

    push_due()

    (contact,) = hubspot_simulator.dump("contacts")
    assert contact["properties"].get("hubspot_owner_id") == owner
    assert len(hubspot_simulator.dump("notes")) == 1


def test_an_owner_whose_id_has_capitals_comes_in(
    workspace: Workspace,
    salesforce: Connection,
    salesforce_simulator: RunningSimulator,
) -> None:
    user = User.objects.create_user("rep@example.com")
    Membership.objects.create(workspace=workspace, user=user, role="rep")
    known = {one["email"]: one["id"] for one in salesforce.owners}
    owner_id = known["ada.marsh@example.com"]
    rows = FieldMapping.objects.filter(destination="OwnerId")
    rows.update(values={"rep@example.com": owner_id})
    pull.ask_due()
    seller = SalesforceUser(salesforce_simulator)

    seller.make("Lead", LastName="Example", Company="Fern", OwnerId=owner_id)
    sync()

    assert Lead.objects.get().owner == user


def test_an_owner_there_who_is_nobody_here_holds_up_nothing(
    workspace: Workspace,
    salesforce: Connection,
    salesforce_simulator: RunningSimulator,
) -> None:
    rows = FieldMapping.objects.filter(destination="OwnerId")
    rows.update(values={"rep@example.com": salesforce.owners[0]["id"]})
    pull.ask_due()
    seller = SalesforceUser(salesforce_simulator)

    seller.make("Lead", LastName="Example", Company="Fern")
    sync()

    assert Lead.objects.get().owner is None
    assert not WorkItem.objects.filter(state="parked").exists()


def test_time_of_a_thread_does_not_go_back(workspace: Workspace) -> None:
    newest = reply(key="second")
    older = replace(
        reply(key="first"), occurred_at=newest.occurred_at - timedelta(days=1)
    )

    record(workspace, newest, older)
    record(workspace, replace(older, key="third"))

    assert Conversation.objects.get().last_message_at == newest.occurred_at
