"""When an access token is renewed, and what a failing vendor does to a connection."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as db_connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scopes_disabled

from integrations.connectors import oauth
from integrations.connectors.oauth import StoredToken
from integrations.connectors.session import open_connector
from integrations.errors import RateLimited, ReauthRequired, Retryable
from integrations.models import Connection, OAuthToken
from integrations.simulators.testing import RunningSimulator
from integrations.testing import make_connection
from integrations.tests.connectors.wire import WireServer, answer
from integrations.tests.oauth.tokens import (
    TOKEN_PATH,
    change,
    let_pass,
    reloaded,
    stored,
    token_calls,
)


@pytest.fixture(autouse=True)
def everywhere() -> Any:
    """The tests look at rows of any workspace; scopes are tested elsewhere."""
    with scopes_disabled():
        yield


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth, "REFUSAL_PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr(oauth, "WAIT_S", 0.2)


@pytest.fixture
def signed(connected: Connection, simulator: RunningSimulator) -> Connection:
    """A connection just signed in; the vendor's log is empty."""
    simulator.reset()
    simulator.configure(limits=False, index_delay_s=0)
    return connected


# --- by the clock ---------------------------------------------------------------------


def test_young_token_is_used_as_it_is(
    signed: Connection, simulator: RunningSimulator
) -> None:
    let_pass(signed, 0.79)

    token = StoredToken(signed.pk)()

    assert token == stored(signed).access
    assert token_calls(simulator) == 0


def test_token_past_four_fifths_of_its_life_is_renewed(
    signed: Connection, simulator: RunningSimulator
) -> None:
    before = stored(signed)
    let_pass(signed, 0.81)

    token = StoredToken(signed.pk)()

    after = stored(signed)
    assert token == after.access != before.access
    assert after.generation == before.generation + 1
    assert after.refreshing_until is None
    assert after.expires_at is not None
    assert after.expires_at > timezone.now() + timedelta(minutes=29)
    assert token_calls(simulator) == 1


def test_token_the_vendor_calls_expired_is_renewed_once(
    signed: Connection, simulator: RunningSimulator
) -> None:
    simulator.control("POST", "expire-tokens")
    connector, _ = open_connector(signed)

    owners = connector.owners()

    assert owners
    assert token_calls(simulator) == 1


def test_the_calls_of_a_turn_look_at_the_token_once(signed: Connection) -> None:
    connector, _ = open_connector(signed)
    with CaptureQueriesContext(db_connection) as queries:
        connector.owners()
        connector.owners()

    assert sum("integrations_oauthtoken" in one["sql"] for one in queries) == 1


def test_the_next_turn_uses_the_token_of_a_new_sign_in(
    signed: Connection,
) -> None:
    open_connector(signed)[0].owners()
    change(signed, access="signed-in-elsewhere", refresh="", expires_at=None)

    connector, _ = open_connector(signed)

    with pytest.raises(ReauthRequired):  # the vendor does not know that one
        connector.owners()


def test_what_was_renewed_is_used_by_the_next_call(
    signed: Connection, simulator: RunningSimulator
) -> None:
    connector, _ = open_connector(signed)
    connector.owners()
    simulator.control("POST", "expire-tokens")
    connector.owners()
    connector.owners()

    refused = [one for one in simulator.requests_since() if one["status"] == 401]
    assert len(refused) == 1


def test_refused_token_that_was_replaced_meanwhile_is_not_renewed(
    signed: Connection, simulator: RunningSimulator
) -> None:
    token = StoredToken(signed.pk)("an-older-token")

    assert token == stored(signed).access
    assert token_calls(simulator) == 0


def test_rotated_refresh_token_is_kept(
    signed: Connection, simulator: RunningSimulator
) -> None:
    simulator.configure(rotate_refresh_tokens=True)
    before = stored(signed).refresh

    for _ in range(3):
        let_pass(signed, 1.0)
        StoredToken(signed.pk)()

    assert stored(signed).refresh != before
    assert token_calls(simulator) == 3
    assert reloaded(signed).status != Connection.Status.NEEDS_REAUTH


def test_absent_refresh_token_means_keep_the_old_one(
    signed: Connection, settings: Any
) -> None:
    before = stored(signed).refresh
    let_pass(signed, 1.0)
    body = {"access_token": "new-access", "expires_in": "600"}
    with WireServer([answer(200, body)]) as server:
        settings.HUBSPOT_API_URL = server.url

        token = StoredToken(signed.pk)()

    after = stored(signed)
    assert token == after.access == "new-access"
    assert after.refresh == before
    assert after.lifetime_s == 600
    (request,) = server.requests
    assert "authorization" not in {name.lower() for name in request.headers}
    assert b"grant_type=refresh_token" in request.body


@pytest.mark.parametrize("told", [None, "soon", -5, True, 1e400, [], "²", 10**40])
def test_nonsense_lifetime_falls_back_to_the_facts(
    signed: Connection, settings: Any, told: object
) -> None:
    let_pass(signed, 1.0)
    with WireServer([answer(200, {"access_token": "a", "expires_in": told})]) as server:
        settings.HUBSPOT_API_URL = server.url

        StoredToken(signed.pk)()

    assert stored(signed).lifetime_s == 1800


def test_private_app_token_is_never_renewed(
    simulator: RunningSimulator, workspace: Any
) -> None:
    private = make_connection(workspace)
    token = StoredToken(private.pk)()

    with pytest.raises(ReauthRequired):
        StoredToken(private.pk)(token)
    assert token_calls(simulator) == 0


def test_disconnected_account_has_no_token(
    signed: Connection, simulator: RunningSimulator
) -> None:
    OAuthToken.objects.all().delete()

    with pytest.raises(ReauthRequired):
        StoredToken(signed.pk)()


# --- the vendor in trouble ------------------------------------------------------------


@pytest.mark.parametrize("kind", ["503", "500", "429", "drop", "html_2xx", "redirect"])
def test_vendor_in_trouble_never_ends_a_connection(
    signed: Connection, simulator: RunningSimulator, kind: str
) -> None:
    simulator.set_fault(kind, path=TOKEN_PATH)
    let_pass(signed, 1.0)

    for _ in range(5):
        with pytest.raises(Retryable):
            StoredToken(signed.pk)()
    simulator.clear_faults()

    assert reloaded(signed).status != Connection.Status.NEEDS_REAUTH
    assert stored(signed).refused == 0
    assert StoredToken(signed.pk)() == stored(signed).access


def test_vendor_that_is_down_for_a_day_never_ends_a_connection(
    signed: Connection, settings: Any
) -> None:
    up = settings.HUBSPOT_API_URL
    settings.HUBSPOT_API_URL = "http://127.0.0.1:1"
    change(signed, expires_at=timezone.now() - timedelta(days=1))

    for _ in range(20):
        with pytest.raises(Retryable, match="could not be renewed"):
            StoredToken(signed.pk)()
    settings.HUBSPOT_API_URL = up

    assert StoredToken(signed.pk)()


def test_token_that_is_still_good_is_used_while_the_vendor_is_down(
    signed: Connection, simulator: RunningSimulator
) -> None:
    simulator.set_fault("503", path=TOKEN_PATH)
    let_pass(signed, 0.85)
    token = StoredToken(signed.pk)

    given = {token() for _ in range(5)}

    assert given == {stored(signed).access}
    assert token_calls(simulator) == 1


def test_rate_limit_of_the_token_call_tells_how_long_to_wait(
    signed: Connection, simulator: RunningSimulator
) -> None:
    simulator.set_fault("429", path=TOKEN_PATH, retry_after="20")
    let_pass(signed, 1.0)

    with pytest.raises(RateLimited) as caught:
        StoredToken(signed.pk)()

    assert caught.value.retry_after_s == 20


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "invalid_client", "status": "BAD_CLIENT_SECRET"}),
        (401, {"error": "invalid_client"}),
        (400, {"error": "invalid_request"}),
        (403, b"<html>blocked</html>"),
        (404, b""),
        (500, {"error": "invalid_grant"}),
        (200, {"access_token": ""}),
        (200, {"access_token": 5}),
        (200, b"[]"),
    ],
)
def test_only_a_plain_invalid_grant_counts_against_a_connection(
    signed: Connection, settings: Any, status: int, body: object
) -> None:
    let_pass(signed, 1.0)
    with WireServer([answer(status, body)]) as server:
        settings.HUBSPOT_API_URL = server.url

        for _ in range(4):
            with pytest.raises(Retryable):
                StoredToken(signed.pk)()

    assert stored(signed).refused == 0
    assert reloaded(signed).status != Connection.Status.NEEDS_REAUTH


def test_client_that_is_not_set_up_is_no_end_of_a_connection(
    signed: Connection, settings: Any
) -> None:
    settings.HUBSPOT_CLIENT_SECRET = ""
    let_pass(signed, 1.0)

    with pytest.raises(Retryable, match="HUBSPOT_CLIENT_SECRET"):
        StoredToken(signed.pk)()

    assert stored(signed).refreshing_until is None


def test_missing_encryption_key_makes_work_wait(
    signed: Connection, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS = ["k9:another-secret"]

    with pytest.raises(Retryable, match="encryption key"):
        StoredToken(signed.pk)()
