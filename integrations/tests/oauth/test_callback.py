"""Callbacks that are not the sign-in a person began, or fail at the vendor."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from crmsync.core.models import Membership, User, Workspace
from crmsync.core.roles import Role
from crmsync.core.testing import make_user, make_workspace
from integrations.models import Connection, OAuthState
from integrations.simulators.testing import RunningSimulator
from integrations.tests.oauth.conftest import (
    CALLBACK,
    START,
    arrive,
    begin,
    consent,
    query_of,
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


def test_declined_consent_is_said_in_words(
    browser: Client, simulator: RunningSimulator
) -> None:
    page = arrive(browser, consent(begin(browser), decision="cancel"))

    assert "Access was declined at HubSpot" in page
    assert START in page
    assert connections() == []


def test_callback_cannot_be_used_twice(
    browser: Client, simulator: RunningSimulator
) -> None:
    back = consent(begin(browser))
    arrive(browser, back)

    page = arrive(browser, back)

    assert "has been used already" in page
    assert token_calls(simulator) == 1
    assert len(connections()) == 1


def test_expired_state_connects_nothing(
    browser: Client, simulator: RunningSimulator
) -> None:
    back = consent(begin(browser))
    with scopes_disabled():
        OAuthState.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    page = arrive(browser, back)

    assert "longer than ten minutes" in page
    assert token_calls(simulator) == 0
    assert connections() == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "code=abc",
        "state=",
        "state=abc&code=abc",
        "state=%00&code=%00",
        "state=%FF%FE&code=%ED%A0%80",
        "error=access_denied",
        "error=x&error_description=%3Cscript%3Ealert(1)%3C/script%3E",
        "state=a&state=b&code=c",
        "state=" + "a" * 5000,
    ],
)
def test_callback_nobody_began_connects_nothing(
    browser: Client, simulator: RunningSimulator, query: str
) -> None:
    page = arrive(browser, f"{CALLBACK}?{query}")

    assert "HubSpot was not connected" in page
    assert START in page
    assert "<script>alert" not in page
    assert token_calls(simulator) == 0
    assert connections() == []


def test_state_of_another_person_connects_nothing(
    browser: Client, simulator: RunningSimulator, workspace: Workspace
) -> None:
    back = consent(begin(browser))
    colleague = signed_in(make_user(workspace))

    page = arrive(colleague, back)

    assert "was not begun here" in page
    assert token_calls(simulator) == 0
    assert connections() == []


def test_state_of_another_session_of_the_same_person_connects_nothing(
    browser: Client, simulator: RunningSimulator, admin: User
) -> None:
    back = consent(begin(browser))

    page = arrive(signed_in(admin), back)

    assert "was not begun here" in page
    assert connections() == []


def test_state_of_another_workspace_connects_nothing(
    browser: Client, simulator: RunningSimulator, admin: User
) -> None:
    back = consent(begin(browser))
    other = make_workspace()
    with scopes_disabled():
        Membership.objects.create(workspace=other, user=admin, role=Role.ADMIN)
    session = browser.session
    session["workspace"] = other.pk
    session.save()

    page = arrive(browser, back)

    assert "was not begun here" in page
    assert connections() == []


def test_state_of_another_vendor_connects_nothing(
    browser: Client, simulator: RunningSimulator
) -> None:
    back = consent(begin(browser))
    with scopes_disabled():
        OAuthState.objects.update(vendor="salesforce")

    page = arrive(browser, back)

    assert "was not begun here" in page
    assert connections() == []


def test_signed_out_person_is_not_connected(
    browser: Client, simulator: RunningSimulator
) -> None:
    back = consent(begin(browser))

    arrive(Client(), back)

    assert token_calls(simulator) == 0
    assert connections() == []


def test_code_of_someone_else_is_refused_by_the_vendor(
    browser: Client, simulator: RunningSimulator
) -> None:
    state = query_of(begin(browser))["state"]

    page = arrive(browser, f"{CALLBACK}?code=stolen-code&state={state}")

    assert "did not accept the authorization code" in page
    assert "stolen-code" not in page
    assert connections() == []


def test_redirect_address_cannot_be_swapped(
    browser: Client, simulator: RunningSimulator
) -> None:
    address = begin(browser)
    elsewhere = address.replace("127.0.0.1%3A8000", "127.0.0.1%3A9999")
    code = query_of(consent(elsewhere))["code"]

    page = arrive(browser, f"{CALLBACK}?code={code}&state={query_of(address)['state']}")

    assert elsewhere != address
    assert "did not accept the authorization code" in page
    assert connections() == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"kind": "503"}, "HubSpot could not be asked"),
        ({"kind": "drop"}, "HubSpot could not be asked"),
        ({"kind": "html_2xx"}, "HubSpot could not be asked"),
        ({"kind": "empty_2xx"}, "HubSpot could not be asked"),
        ({"kind": "truncated_json"}, "HubSpot could not be asked"),
        ({"kind": "redirect"}, "HubSpot could not be asked"),
    ],
)
def test_vendor_trouble_connects_nothing_and_is_said_in_words(
    browser: Client,
    simulator: RunningSimulator,
    fault: dict[str, str],
    told: str,
) -> None:
    back = consent(begin(browser))
    simulator.set_fault(fault["kind"], path="/oauth/v3/token")

    page = arrive(browser, back)

    assert told in page
    assert connections() == []


def test_callback_is_kept_out_of_caches_and_referers(
    browser: Client, simulator: RunningSimulator
) -> None:
    back = consent(begin(browser))

    response = browser.get(back.removeprefix("http://127.0.0.1:8000"))

    assert response.status_code == 302
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]


def test_signing_in_is_never_a_post(
    browser: Client, simulator: RunningSimulator
) -> None:
    assert browser.post(START).status_code == 405
    assert browser.post(CALLBACK).status_code == 405


def test_states_of_yesterday_are_dropped(
    browser: Client, simulator: RunningSimulator, workspace: Workspace
) -> None:
    begin(browser)
    with scopes_disabled():
        OAuthState.objects.update(expires_at=timezone.now() - timedelta(days=2))

    begin(browser)

    with scope(workspace=workspace):
        assert OAuthState.objects.count() == 1
