"""The factories make rows the database accepts."""

from __future__ import annotations

import pytest

from crmsync.core.scoping import in_workspace
from crmsync.core.testing import make_api_key
from integrations import testing as integrations
from leads import testing as leads
from leads.models import Pipeline, ScoreRule
from leads.services.workspace import ensure_workspace_defaults

pytestmark = pytest.mark.django_db


def test_every_factory_stores_a_row_of_its_workspace() -> None:
    workspace = leads.make_ready_workspace()

    connection = integrations.make_connection(workspace)
    endpoint = integrations.make_endpoint(workspace)
    delivery = integrations.make_delivery(endpoint)
    lead = leads.make_lead(workspace)
    rows = [
        make_api_key(workspace)[0],
        lead,
        leads.make_company(workspace),
        leads.make_deal(workspace, lead=lead),
        leads.make_activity(workspace, lead=lead),
        leads.make_campaign(workspace),
        leads.make_custom_field(workspace),
        leads.make_pipeline(workspace),
        connection,
        integrations.make_mapping(connection),
        integrations.make_event(delivery),
        integrations.make_link(connection, record_id=lead.pk),
        integrations.make_sync_entry(connection, record_id=lead.pk),
        integrations.make_parked_item(workspace),
    ]

    assert all(row.pk and row.workspace_id == workspace.pk for row in rows)


def test_workspace_defaults_are_made_once() -> None:
    workspace = leads.make_ready_workspace()

    ensure_workspace_defaults(workspace)

    with in_workspace(workspace):
        assert [one.stages.count() for one in Pipeline.objects.all()] == [6]
        assert ScoreRule.objects.count() == 2
