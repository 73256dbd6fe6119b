"""Connecting an org: consent, renewal, the host it is called at, and giving it back."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.test import Client
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from crmsync.core.models import Workspace
from crmsync.core.testing import make_user, make_workspace
from integrations.connectors import grants, session
from integrations.connectors.hosts import UntrustedHost
from integrations.connectors.session import open_connector
from integrations.errors import ReauthRequired
from integrations.models import Connection, OAuthToken, ObjectMapping
from integrations.services import connect
from integrations.services.setup import set_up_due
from integrations.simulators.testing import (
    CLIENT_ID,
    CLIENT_SECRET,
    SALESFORCE_ORG_ID,
    SALESFORCE_OTHER_ORG_ID,
    SALESFORCE_TOKEN,
    SALESFORCE_USER_ID,
    RunningSimulator,
)
from integrations.tests.connectors.wire import WireServer, answer
from leads.services.workspace import ensure_workspace_defaults

START = "/connections/salesforce/connect/"
NEW = "/connections/salesforce/new/"


@pytest.fixture
def workspace(db: None) -> Workspace:
    made = make_workspace()
    with scope(workspace=made):
        ensure_workspace_defaults(made)
    return made


@pytest.fixture
def browser(workspace: Workspace) -> Client:
    client = Client()
    client.force_login(make_user(workspace))
    return client


@pytest.fixture
def simulator(
    salesforce_simulator: RunningSimulator, settings: Any
) -> Iterator[RunningSimulator]:
    """The simulator as the Salesforce that settings point to."""
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    settings.SALESFORCE_AUTH_URL = salesforce_simulator.base_url
    settings.SALESFORCE_API_URL = ""
    settings.SALESFORCE_CLIENT_ID = CLIENT_ID
    settings.SALESFORCE_CLIENT_SECRET = CLIENT_SECRET
    settings.LIMITS_URL = "memory://"
    session.close_all()
    yield salesforce_simulator
    session.close_all()


def begin(browser: Client, connection: int | None = None) -> str:
    query = f"?connection={connection}" if connection else ""
    response = browser.get(START + query)
    assert response.status_code == 302, response.content
    return str(response["Location"])


def consent(
    address: str, *, org: str = SALESFORCE_ORG_ID, decision: str = "allow"
) -> str:
    form = {"decision": decision, "account": org}
    reply = requests.post(address, data=form, allow_redirects=False, timeout=10)
    assert reply.status_code in (302, 303), reply.text
    return str(reply.headers["Location"])


def arrive(browser: Client, back: str) -> str:
    path = back.removeprefix("http://127.0.0.1:8000")
    return str(browser.get(path, follow=True).content.decode())


def sign_in(browser: Client, **choice: Any) -> Connection:
    arrive(browser, consent(begin(browser), **choice))
    return only()


def only() -> Connection:
    with scopes_disabled():
        return Connection.objects.select_related("workspace", "channel").get()


def stored(connection: Connection) -> OAuthToken:
    with scopes_disabled():
        return OAuthToken.objects.get(pk=connection.pk)


def change(connection: Connection, **values: object) -> None:
    with scopes_disabled():
        OAuthToken.objects.filter(pk=connection.pk).update(**values)


# --- signing in -----------------------------------------------------------------------


def test_consent_connects_the_chosen_org_at_its_own_host(
    browser: Client, simulator: RunningSimulator
) -> None:
    connection = sign_in(browser, org=SALESFORCE_OTHER_ORG_ID)

    assert connection.account_id == SALESFORCE_OTHER_ORG_ID
    assert connection.account_name
    assert connection.auth == Connection.Auth.OAUTH
    assert connection.api_url == simulator.base_url
    assert connection.user_id.startswith("005")
    assert "api" in connection.scopes


def test_a_challenge_is_sent_and_proved(
    browser: Client, simulator: RunningSimulator
) -> None:
    address = begin(browser)
    assert "code_challenge_method=S256" in address
    forged = address.replace("code_challenge=", "code_challenge=A", 1)

    arrive(browser, consent(forged))

    with scopes_disabled():
        assert not Connection.objects.exists()


def test_the_lifetime_that_no_answer_tells_is_asked_for(
    browser: Client, simulator: RunningSimulator
) -> None:
    token = stored(sign_in(browser))

    assert token.refresh
    assert 7000 < token.lifetime_s <= 7200
    assert token.expires_at is not None
    assert token.expires_at - timezone.now() < timedelta(hours=2)


def test_declined_consent_connects_nothing(
    browser: Client, simulator: RunningSimulator
) -> None:
    page = arrive(browser, consent(begin(browser), decision="deny"))

    assert "declined" in page
    with scopes_disabled():
        assert not Connection.objects.exists()


def test_another_org_does_not_take_over_a_connection(
    browser: Client, simulator: RunningSimulator
) -> None:
    connection = sign_in(browser)
    before = stored(connection)

    page = arrive(
        browser, consent(begin(browser, connection.pk), org=SALESFORCE_OTHER_ORG_ID)
    )

    assert SALESFORCE_OTHER_ORG_ID in page
    assert only().account_id == SALESFORCE_ORG_ID
    assert stored(connection).access == before.access


def test_setting_up_makes_keys_and_mappings(
    browser: Client, simulator: RunningSimulator
) -> None:
    connection = sign_in(browser)

    set_up_due()

    connection = only()
    assert connection.status == Connection.Status.ACTIVE
    assert set(connection.key_fields.values()) == {"Crmsync_Id__c"}
    assert connection.pipelines[0]["stages"]
    with scopes_disabled():
        mappings = {
            (one.record_type, one.remote_object): one
            for one in ObjectMapping.objects.prefetch_related("rows")
        }
        stages = mappings["deal", "Opportunity"].rows.get(source="stage_id")
    assert not mappings["lead", "Contact"].creates
    assert mappings["lead", "Lead"].creates
    assert mappings["lead", "Lead"].direction == ObjectMapping.Direction.BOTH
    assert "Closed Won" in stages.values.values()


# --- renewing -------------------------------------------------------------------------


def test_a_session_that_has_ended_is_renewed_and_the_call_repeated(
    browser: Client, simulator: RunningSimulator
) -> None:
    connection = sign_in(browser)
    old = stored(connection)
    change(connection, access="00DFh0000000001!ended", expires_at=None)
    connector, _ = open_connector(connection)

    with scope(workspace=connection.workspace):
        assert connector.count("Lead") == 0

    renewed = stored(connection)
    assert renewed.access not in (old.access, "00DFh0000000001!ended")
    assert renewed.refresh == old.refresh
    assert renewed.generation == old.generation + 1


def test_an_org_that_has_moved_is_called_at_its_new_host(
    browser: Client, simulator: RunningSimulator
) -> None:
    connection = sign_in(browser)
    change(connection, access="00DFh0000000001!ended", expires_at=None)
    with scopes_disabled():
        Connection.objects.update(api_url="http://127.0.0.1:1")
        change(connection, expires_at=timezone.now(), lifetime_s=7200)
    connector, _ = open_connector(only())

    with scope(workspace=connection.workspace):
        assert connector.count("Lead") == 0

    assert only().api_url == simulator.base_url


def test_a_grant_that_was_taken_back_asks_for_a_person(
    browser: Client, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.connectors.oauth.REFUSAL_PAUSES_S", (0, 0))
    connection = sign_in(browser)
    grants.revoke("salesforce", str(stored(connection).refresh))
    connector, _ = open_connector(connection)

    with scope(workspace=connection.workspace), pytest.raises(ReauthRequired):
        connector.count("Lead")

    assert only().status == Connection.Status.NEEDS_REAUTH


def test_a_host_that_is_not_salesforces_is_not_believed(settings: Any) -> None:
    settings.SALESFORCE_CLIENT_ID = CLIENT_ID
    settings.SALESFORCE_CLIENT_SECRET = CLIENT_SECRET
    body = {
        "access_token": "00D!secret",
        "instance_url": "https://example.com/.my.salesforce.com",
        "id": "https://login.salesforce.com/id/00D000000000001AAA/005000000000001AAA",
    }
    with WireServer([answer(200, body)]) as server:
        settings.SALESFORCE_AUTH_URL = server.url

        with pytest.raises(UntrustedHost) as caught:
            grants.renew("salesforce", "5Aep-refresh")

    assert "secret" not in repr(caught.value) + str(caught.value)


# --- giving it back -------------------------------------------------------------------


def test_disconnecting_gives_the_grant_back(
    browser: Client, simulator: RunningSimulator
) -> None:
    connection = sign_in(browser)
    assert simulator.control("GET", "tokens")["refresh"] == 1

    with scope(workspace=connection.workspace):
        connect.disconnect(connection)

    assert simulator.control("GET", "tokens")["refresh"] == 0
    assert only().status == Connection.Status.DISCONNECTED


def test_a_vendor_that_is_down_keeps_nobody_connected(
    browser: Client, simulator: RunningSimulator
) -> None:
    connection = sign_in(browser)
    simulator.set_fault("500")

    with scope(workspace=connection.workspace):
        connect.disconnect(connection)

    assert only().status == Connection.Status.DISCONNECTED
    with scopes_disabled():
        assert not OAuthToken.objects.exists()


# --- by a token -----------------------------------------------------------------------


def test_a_token_and_an_address_connect_an_org(
    browser: Client, simulator: RunningSimulator
) -> None:
    form = {"token": SALESFORCE_TOKEN, "api_url": simulator.base_url + "/lightning/"}

    response = browser.post(NEW, form, follow=True)

    assert response.status_code == 200
    connection = only()
    assert (connection.account_id, connection.user_id) == (
        SALESFORCE_ORG_ID,
        SALESFORCE_USER_ID,
    )
    assert connection.api_url == simulator.base_url
    with scope(workspace=connection.workspace):
        assert open_connector(connection)[0].count("Lead") == 0


@pytest.mark.parametrize("address", ["", "https://example.com", "http://10.0.0.1:80"])
def test_a_token_is_sent_to_no_other_address(
    browser: Client, simulator: RunningSimulator, address: str
) -> None:
    form = {"token": SALESFORCE_TOKEN, "api_url": address}

    response = browser.post(NEW, form)

    assert response.status_code == 422
    assert simulator.stats()["total"] == 0
    with scopes_disabled():
        assert not Connection.objects.exists()


def test_a_wrong_token_is_said_in_words(
    browser: Client, simulator: RunningSimulator
) -> None:
    form = {"token": "00DFh0000000001!wrong", "api_url": simulator.base_url}

    response = browser.post(NEW, form)

    assert response.status_code == 422
    assert "does not accept this token" in response.content.decode()


def test_the_api_connects_an_org_too(
    browser: Client, simulator: RunningSimulator
) -> None:
    body = {
        "vendor": "salesforce",
        "token": SALESFORCE_TOKEN,
        "api_url": simulator.base_url,
    }

    response = browser.post(
        "/api/v1/connections/", body, content_type="application/json"
    )

    assert response.status_code == 201, response.content
    assert only().account_id == SALESFORCE_ORG_ID


def test_their_clock_is_known_after_a_call(
    browser: Client, simulator: RunningSimulator
) -> None:
    connection = sign_in(browser)
    connector, _ = open_connector(connection)
    with scope(workspace=connection.workspace):
        connector.count("Lead")

    offset_s = session.clock_offset_s(connection)

    assert offset_s is not None
    assert abs(offset_s) < 2
