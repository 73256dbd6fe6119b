"""A signed-in admin, the HubSpot simulator, and a browser that walks between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client
from django_scopes import scope

from crmsync.core.models import User, Workspace
from crmsync.core.testing import make_user, make_workspace
from integrations.connectors import session
from integrations.models import Connection
from integrations.simulators.testing import CLIENT_ID, CLIENT_SECRET, RunningSimulator
from leads.services.workspace import ensure_workspace_defaults

START = "/connections/hubspot/connect/"
CALLBACK = "/oauth/hubspot/callback/"
HUB = "4100001"
OTHER_HUB = "4100002"


@pytest.fixture
def workspace(db: None) -> Workspace:
    made = make_workspace()
    with scope(workspace=made):
        ensure_workspace_defaults(made)
    return made


@pytest.fixture
def admin(workspace: Workspace) -> User:
    return make_user(workspace)


@pytest.fixture
def browser(admin: User) -> Client:
    """A browser in which the admin is signed in."""
    return signed_in(admin)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def simulator(
    hubspot_simulator: RunningSimulator, settings: Any
) -> Iterator[RunningSimulator]:
    """The simulator as the HubSpot that settings point to."""
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    settings.HUBSPOT_API_URL = hubspot_simulator.base_url
    settings.HUBSPOT_AUTH_URL = hubspot_simulator.base_url
    settings.HUBSPOT_CLIENT_ID = CLIENT_ID
    settings.HUBSPOT_CLIENT_SECRET = CLIENT_SECRET
    settings.LIMITS_URL = "memory://"
    session.close_all()
    yield hubspot_simulator
    session.close_all()


def begin(browser: Client, connection: int | None = None) -> str:
    """Click "connect"; return the vendor's address one is sent to."""
    query = f"?connection={connection}" if connection else ""
    response = browser.get(START + query)
    assert response.status_code == 302, response.content
    return str(response["Location"])


def consent(address: str, *, account: str = HUB, decision: str = "connect") -> str:
    """Decide on the vendor's page; return the callback address one is sent to."""
    assert requests.get(address, timeout=10).status_code == 200
    form = {"decision": decision, "account": account}
    answer = requests.post(address, data=form, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def query_of(address: str) -> dict[str, str]:
    """Return the query of an address."""
    return {k: v[0] for k, v in parse_qs(urlsplit(address).query).items()}


def sign_in(
    browser: Client, *, account: str = HUB, connection: int | None = None
) -> str:
    """Walk the whole way; return the text of the page at its end."""
    back = consent(begin(browser, connection), account=account)
    return arrive(browser, back)


def arrive(browser: Client, back: str) -> str:
    """Follow a callback to the page at its end; return that page."""
    parts = urlsplit(back)
    response = browser.get(f"{parts.path}?{parts.query}", follow=True)
    for address, _ in response.redirect_chain:
        assert "code=" not in address
        assert "state=" not in address
    return str(response.content.decode())


@pytest.fixture
def connected(browser: Client, simulator: RunningSimulator) -> Connection:
    """A connection made by signing in."""
    from django_scopes import scopes_disabled

    sign_in(browser)
    with scopes_disabled():
        return Connection.objects.select_related("workspace").get()
