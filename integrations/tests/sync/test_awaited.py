"""What waits for another record names it, says how it stands and has it sent first."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core.models import AuditEntry, WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.roles import Role
from crmsync.core.testing import make_user
from integrations.models import Connection, Link, ObjectMapping
from integrations.sync import outbox
from integrations.sync.push import push_due
from integrations.tests.sync.crm import make_due, only
from integrations.tests.sync.trio import HERE
from leads.models import Company, Lead
from leads.services import records


@pytest.fixture
def ops(workspace: Workspace) -> Client:
    client = Client()
    client.force_login(make_user(workspace, Role.SALES_OPS))
    return client


def employed(workspace: Workspace) -> tuple[Company, Lead]:
    company = {"name": "Example Ltd", "domain": "fern.example.com"}
    (fern,) = records.create(workspace, "company", [company], origin=HERE)
    person = {"email": "ada@fern.example.com", "company_id": fern.pk}
    (ada,) = records.create(workspace, "lead", [person], origin=HERE)
    return Company.objects.get(pk=fern.pk), Lead.objects.get(pk=ada.pk)


def pushed() -> None:
    make_due()
    while push_due():
        pass


def waiting() -> WorkItem:
    return WorkItem.objects.get(state=State.WAITING)


def issue_of(client: Client, item: WorkItem) -> str:
    return client.get(reverse("issue", args=[item.pk])).content.decode()


def put_aside(mapping: ObjectMapping) -> None:
    """Let a mapping send only when it is asked to."""
    ObjectMapping.objects.filter(pk=mapping.pk).update(mode="manual")


def test_a_child_names_its_parent_and_has_it_created_first(
    workspace: Workspace, hubspot: Connection, ops: Client
) -> None:
    companies = next(
        one
        for one in only(hubspot, "contacts", "companies")
        if one.record_type == "company"
    )
    put_aside(companies)
    fern, ada = employed(workspace)
    pushed()
    item = waiting()

    page = issue_of(ops, item)
    answer = ops.post(reverse("issue-parent", args=[item.pk]), follow=True)
    pushed()

    assert "Waiting for Company Example Ltd" in item.error
    assert fern.get_absolute_url() in page
    assert "Create it in HubSpot first" in page
    assert "Company Example Ltd is sent first" in answer.content.decode()
    assert set(Link.objects.values_list("record_type", "record_id")) == {
        ("company", fern.pk),
        ("lead", ada.pk),
    }
    assert AuditEntry.objects.filter(action="parent.asked_for").count() == 1


def test_it_is_asked_for_once(
    workspace: Workspace, hubspot: Connection, ops: Client
) -> None:
    companies = next(
        one
        for one in only(hubspot, "contacts", "companies")
        if one.record_type == "company"
    )
    put_aside(companies)
    employed(workspace)
    pushed()
    url = reverse("issue-parent", args=[waiting().pk])
    ops.post(url)
    pushed()

    again = ops.post(url, follow=True).content.decode()

    assert "does not wait for another record" in again


def test_a_parent_that_its_mapping_leaves_out_is_said_to_be(
    workspace: Workspace, hubspot: Connection, ops: Client
) -> None:
    companies = next(
        one
        for one in only(hubspot, "contacts", "companies")
        if one.record_type == "company"
    )
    put_aside(companies)
    fern, _ = employed(workspace)
    pushed()
    item = waiting()
    ObjectMapping.objects.filter(pk=companies.pk).update(creates=False)

    page = issue_of(ops, item)
    answer = ops.post(reverse("issue-parent", args=[item.pk]), follow=True)

    assert "makes nothing new" in page
    assert "Create it in HubSpot first" not in page
    assert companies.get_absolute_url() in page
    assert "makes nothing new" in answer.content.decode()
    key = outbox.key_of(companies.pk, fern.pk)
    assert WorkItem.objects.get(key=key).not_before == outbox.WHEN_ASKED
