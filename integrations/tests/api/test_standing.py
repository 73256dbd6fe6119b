"""The API of where a record stands with each CRM, and why it is not in step."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from crmsync.core.models import Workspace
from crmsync.core.testing import api_client
from integrations.models import ObjectMapping
from integrations.testing import (
    make_conflict,
    make_connection,
    make_link,
    make_mapping,
    make_parked_item,
)
from leads.testing import make_company, make_lead, make_ready_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_ready_workspace()


@pytest.fixture
def viewer(workspace: Workspace) -> APIClient:
    return api_client(workspace, "viewer")


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    return make_mapping(make_connection(workspace), direction="both")


def test_a_linked_record_is_in_step(
    viewer: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    lead = make_lead(workspace)
    link = make_link(mapping.connection, record_id=lead.pk)

    (told,) = viewer.get(f"/api/v1/leads/{lead.pk}/standing/").json()

    assert told["status"] == "In step"
    assert (told["mapping_id"], told["link_id"]) == (mapping.pk, link.pk)
    assert link.remote_id in told["remote_url"]


def test_why_a_record_is_not_in_step_is_told(
    viewer: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    held, failed = make_lead(workspace), make_lead(workspace)
    make_conflict(mapping, make_link(mapping.connection, record_id=held.pk))
    make_parked_item(
        workspace,
        message="E-mail address is invalid",
        key=f"{mapping.pk}:{failed.pk}",
        group=str(mapping.pk),
        channel=mapping.connection.channel,
    )

    (first,) = viewer.get(f"/api/v1/leads/{held.pk}/standing/").json()
    (second,) = viewer.get(f"/api/v1/leads/{failed.pk}/standing/").json()

    assert first["code"] != second["code"]
    assert "E-mail address is invalid" in second["reason"]
    assert (second["link_id"], second["remote_id"]) == (None, "")


def test_what_no_mapping_takes_stands_nowhere(
    viewer: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    company = make_company(workspace)

    assert viewer.get(f"/api/v1/companies/{company.pk}/standing/").json() == []


def test_a_record_that_is_not_there_is_not_found(viewer: APIClient) -> None:
    theirs = make_lead(make_ready_workspace())

    assert viewer.get(f"/api/v1/leads/{theirs.pk}/standing/").status_code == 404
    assert viewer.get("/api/v1/deals/987654/standing/").status_code == 404
