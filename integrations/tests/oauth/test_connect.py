"""Connecting HubSpot through its consent page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from crmsync.core.models import AuditEntry, Membership, User, WorkItem, Workspace
from crmsync.core.roles import Role
from crmsync.core.testing import make_user, make_workspace
from integrations.connectors import CONNECTORS
from integrations.models import Connection, OAuthState, OAuthToken
from integrations.simulators.testing import RunningSimulator
from integrations.testing import make_connection
from integrations.tests.oauth.conftest import (
    HUB,
    OTHER_HUB,
    START,
    arrive,
    begin,
    consent,
    query_of,
    sign_in,
    signed_in,
)


def connections() -> list[Connection]:
    with scopes_disabled():
        return list(Connection.objects.all())


def token_calls(simulator: RunningSimulator) -> int:
    return sum(
        route["count"]
        for name, route in simulator.stats()["routes"].items()
        if name.startswith("POST /oauth/") and name.endswith("/token")
    )


# --- the way that works ---------------------------------------------------------------


def test_consent_connects_the_chosen_account(
    browser: Client, simulator: RunningSimulator, admin: User
) -> None:
    sign_in(browser, account=OTHER_HUB)

    (connection,) = connections()
    assert connection.account_id == OTHER_HUB
    assert connection.auth == Connection.Auth.OAUTH
    assert connection.status == Connection.Status.SETTING_UP
    assert "crm.objects.contacts.write" in connection.scopes
    with scopes_disabled():
        token = OAuthToken.objects.get()
        assert WorkItem.objects.get(kind="setup").key == str(connection.pk)
        assert AuditEntry.objects.get().user == admin
    assert token.access
    assert str(token.refresh).startswith("na1-")
    assert token.lifetime_s == 1800
    assert token.expires_at is not None
    assert abs(token.expires_at - timezone.now() - timedelta(minutes=30)) < timedelta(
        seconds=30
    )


def test_only_the_scopes_in_the_facts_are_asked_for(
    browser: Client, simulator: RunningSimulator
) -> None:
    asked = query_of(begin(browser))["scope"].split(" ")

    assert CONNECTORS["hubspot"].spec.oauth is not None
    assert tuple(asked) == CONNECTORS["hubspot"].spec.oauth.scopes


def test_scopes_an_account_may_lack_are_asked_for_as_optional(
    browser: Client, simulator: RunningSimulator
) -> None:
    asked = query_of(begin(browser))

    assert asked["optional_scope"].split(" ") == [
        "marketing.campaigns.read",
        "marketing.campaigns.write",
        "forms",
    ]
    assert "marketing" not in asked["scope"]


def test_state_is_stored_as_a_digest_only(
    browser: Client, simulator: RunningSimulator
) -> None:
    state = query_of(begin(browser))["state"]

    with scopes_disabled():
        (row,) = OAuthState.objects.values()
    assert len(state) == 43
    assert state not in str(row)
    assert str(browser.session.session_key) not in str(row)


def test_challenge_is_sent_and_proved_where_the_vendor_offers_it(
    browser: Client,
    simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = CONNECTORS["hubspot"]
    assert entry.spec.oauth is not None
    spec = replace(entry.spec, oauth=replace(entry.spec.oauth, pkce=True))
    monkeypatch.setitem(CONNECTORS, "hubspot", replace(entry, spec=spec))

    address = begin(browser)
    arrive(browser, consent(address))

    assert len(query_of(address)["code_challenge"]) == 43
    assert query_of(address)["code_challenge_method"] == "S256"
    assert len(connections()) == 1


def test_wrong_verifier_connects_nothing(
    browser: Client,
    simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = CONNECTORS["hubspot"]
    assert entry.spec.oauth is not None
    spec = replace(entry.spec, oauth=replace(entry.spec.oauth, pkce=True))
    monkeypatch.setitem(CONNECTORS, "hubspot", replace(entry, spec=spec))
    back = consent(begin(browser))
    with scopes_disabled():
        OAuthState.objects.update(code_verifier="x" * 64)

    page = arrive(browser, back)

    assert "did not accept the authorization code" in page
    assert connections() == []


def test_same_account_again_renews_its_connection(
    browser: Client, simulator: RunningSimulator
) -> None:
    sign_in(browser)

    sign_in(browser)

    assert len(connections()) == 1
    with scopes_disabled():
        assert OAuthToken.objects.get().generation == 2


def test_connection_made_with_a_token_becomes_one_with_a_sign_in(
    browser: Client, simulator: RunningSimulator, workspace: Workspace
) -> None:
    before = make_connection(workspace, account_id=HUB)

    sign_in(browser)

    (connection,) = connections()
    assert connection.pk == before.pk
    assert connection.auth == Connection.Auth.OAUTH


# --- reconnecting ---------------------------------------------------------------------


def test_reconnect_offers_the_same_account_only(
    browser: Client, simulator: RunningSimulator, connected: Connection
) -> None:
    address = begin(browser, connected.pk)

    assert f"/oauth/{HUB}/authorize?" in address


def test_reconnect_opens_the_channel_again(
    browser: Client, simulator: RunningSimulator, connected: Connection
) -> None:
    assert connected.channel is not None
    with scopes_disabled():
        Connection.objects.update(status=Connection.Status.NEEDS_REAUTH)
        connected.channel.blocked_because = "Sign in again"
        connected.channel.save()

    sign_in(browser, connection=connected.pk)

    (connection,) = connections()
    connected.channel.refresh_from_db()
    assert connection.status == Connection.Status.SETTING_UP
    assert connected.channel.blocked_because == ""


def test_reconnect_with_another_account_is_refused(
    browser: Client, simulator: RunningSimulator, connected: Connection
) -> None:
    with scopes_disabled():
        before = OAuthToken.objects.get().access
    pinned = begin(browser, connected.pk)
    unpinned = pinned.replace(f"/oauth/{HUB}/", "/oauth/")

    page = arrive(browser, consent(unpinned, account=OTHER_HUB))

    assert "Connect the other account separately" in page
    assert [one.account_id for one in connections()] == [HUB]
    with scopes_disabled():
        assert OAuthToken.objects.get().access == before


def test_connection_of_another_workspace_does_not_exist(
    browser: Client, simulator: RunningSimulator
) -> None:
    foreign = make_connection(make_workspace())

    response = browser.get(f"{START}?connection={foreign.pk}")

    assert response.status_code == 404


@pytest.mark.parametrize("given", ["x", "-1", "1e3", "9" * 30, "1%00", "٣"])
def test_nonsense_connection_does_not_exist(
    browser: Client, simulator: RunningSimulator, given: str
) -> None:
    response = browser.get(f"{START}?connection={given}")

    assert response.status_code == 404


# --- who may --------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.SALES_OPS, Role.REP, Role.VIEWER])
def test_only_admins_may_begin(
    simulator: RunningSimulator, workspace: Workspace, role: str
) -> None:
    browser = signed_in(make_user(workspace, role))

    response = browser.get(START)

    assert response.status_code == 403
    with scopes_disabled():
        assert not OAuthState.objects.exists()


def test_signed_out_person_is_asked_to_sign_in(
    simulator: RunningSimulator, db: None
) -> None:
    response = Client().get(START)

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/connections/")


def test_role_lost_meanwhile_connects_nothing(
    browser: Client, simulator: RunningSimulator
) -> None:
    back = consent(begin(browser))
    with scopes_disabled():
        Membership.objects.update(role=Role.VIEWER)

    arrive(browser, back)

    assert connections() == []


@pytest.mark.parametrize("vendor", ["nobody", "close", "%2e%2e"])
def test_vendor_without_sign_in_does_not_exist(browser: Client, vendor: str) -> None:
    assert browser.get(f"/connections/{vendor}/connect/").status_code == 404
    assert browser.get(f"/oauth/{vendor}/callback/").status_code == 404


def test_missing_client_id_is_said_in_words(
    browser: Client, simulator: RunningSimulator, settings: Any
) -> None:
    settings.HUBSPOT_CLIENT_ID = ""

    page = browser.get(START, follow=True).content.decode()

    assert "Set HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRET" in page
