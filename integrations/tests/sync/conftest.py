"""A workspace connected to the HubSpot simulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django_scopes import scope

from crmsync.core.models import Workspace
from crmsync.core.testing import make_workspace
from integrations.connectors import session
from integrations.models import Connection
from integrations.services import connect_with_token
from integrations.services.setup import set_up_due
from integrations.simulators.testing import SALESFORCE_TOKEN, RunningSimulator
from integrations.tests.sync.trio import Trio, trio_of
from leads.services.workspace import ensure_workspace_defaults


@pytest.fixture
def workspace(transactional_db: None) -> Iterator[Workspace]:
    """A workspace with its defaults; every query of the test is inside it."""
    made = make_workspace()
    with scope(workspace=made):
        ensure_workspace_defaults(made)
        yield made


def count_in_euros(simulator: RunningSimulator) -> None:
    """Let an account have one currency, that of our deals."""
    simulator.control("POST", "currencies", {"company_currency": "EUR"})


@pytest.fixture
def hubspot(
    workspace: Workspace,
    hubspot_simulator: RunningSimulator,
    settings: pytest.FixtureRequest,
) -> Connection:
    """A HubSpot connection that has been set up against the simulator."""
    settings.HUBSPOT_API_URL = hubspot_simulator.base_url  # type: ignore[attr-defined]
    session.close_all()
    count_in_euros(hubspot_simulator)
    made = connect_with_token(
        workspace, vendor="hubspot", name="HubSpot", token="pat-demo-token"
    )
    assert set_up_due() == 1
    made.refresh_from_db()
    return made


@pytest.fixture
def salesforce(
    workspace: Workspace,
    salesforce_simulator: RunningSimulator,
    settings: pytest.FixtureRequest,
) -> Connection:
    """A Salesforce connection that has been set up against the simulator."""
    settings.SALESFORCE_API_URL = salesforce_simulator.base_url  # type: ignore[attr-defined]
    settings.SALESFORCE_AUTH_URL = salesforce_simulator.base_url  # type: ignore[attr-defined]
    session.close_all()
    count_in_euros(salesforce_simulator)
    made = connect_with_token(
        workspace,
        vendor="salesforce",
        name="Salesforce",
        token=SALESFORCE_TOKEN,
        api_url=salesforce_simulator.base_url,
    )
    assert set_up_due() == 1
    made.refresh_from_db()
    assert made.status == Connection.Status.ACTIVE, made.status_detail
    return made


@pytest.fixture
def trio(
    workspace: Workspace,
    hubspot: Connection,
    salesforce: Connection,
    hubspot_simulator: RunningSimulator,
    salesforce_simulator: RunningSimulator,
) -> Trio:
    """Both CRMs connected to the workspace, with nobody in them yet."""
    return trio_of(
        workspace,
        {"hubspot": hubspot, "salesforce": salesforce},
        {"hubspot": hubspot_simulator, "salesforce": salesforce_simulator},
    )
