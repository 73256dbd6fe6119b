"""What ends a sign-in, what must not, and the timetable that keeps it alive."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from crmsync.core.models import Channel
from crmsync.core.testing import make_user, make_workspace
from integrations.connectors import oauth
from integrations.connectors.oauth import CRASHED, StoredToken, refresh_due
from integrations.errors import ReauthRequired, Retryable
from integrations.models import Connection, OAuthToken
from integrations.simulators.testing import RunningSimulator
from integrations.tests.connectors.wire import WireServer, answer, hang_up
from integrations.tests.oauth.conftest import sign_in, signed_in
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


def test_third_invalid_grant_ends_the_connection(
    signed: Connection, simulator: RunningSimulator
) -> None:
    simulator.control("POST", "revoke")
    let_pass(signed, 1.0)

    with pytest.raises(ReauthRequired):
        StoredToken(signed.pk)()

    after = reloaded(signed)
    assert after.status == Connection.Status.NEEDS_REAUTH
    assert after.status_detail == (
        "HubSpot no longer accepts this sign-in. Reconnect the account."
    )
    assert after.channel is not None
    assert after.channel.blocked_because == "Sign in again"
    assert token_calls(simulator) == 3


def test_ended_connection_is_not_asked_about_again(
    signed: Connection, simulator: RunningSimulator
) -> None:
    simulator.control("POST", "revoke")
    let_pass(signed, 1.0)
    token = StoredToken(signed.pk)
    with pytest.raises(ReauthRequired):
        token()

    for refused in (None, "x", stored(signed).access):
        with pytest.raises(ReauthRequired):
            token(refused)

    assert token_calls(simulator) == 3


def test_two_invalid_grants_are_forgotten_by_a_good_answer(
    signed: Connection, settings: Any
) -> None:
    let_pass(signed, 1.0)
    refusal = answer(400, {"error": "invalid_grant"})
    grant = answer(200, {"access_token": "new-access", "expires_in": 600})
    with WireServer([refusal, refusal, grant]) as server:
        settings.HUBSPOT_API_URL = server.url

        token = StoredToken(signed.pk)()

    assert token == "new-access"
    assert stored(signed).refused == 0
    assert reloaded(signed).status != Connection.Status.NEEDS_REAUTH


def test_invalid_grant_does_not_end_what_another_worker_has_renewed(
    signed: Connection, simulator: RunningSimulator
) -> None:
    let_pass(signed, 1.0)
    late = oauth._read(signed.pk)
    late.refresh = "na1-used-up"
    newer = StoredToken(signed.pk)()

    token = oauth._Renewal(late).run()

    assert token == newer
    assert stored(signed).refused == 0
    assert reloaded(signed).status != Connection.Status.NEEDS_REAUTH


def test_reconnect_during_the_last_refusal_wins(
    browser: Client, signed: Connection, simulator: RunningSimulator
) -> None:
    late = oauth._read(signed.pk)
    late.refresh, late.refused = "na1-used-up", 2
    sign_in(browser, connection=signed.pk)

    token = oauth._Renewal(late).run()

    assert token == stored(signed).access
    assert reloaded(signed).status == Connection.Status.SETTING_UP


def test_late_answer_does_not_overwrite_a_reconnect(
    browser: Client, signed: Connection, simulator: RunningSimulator
) -> None:
    late = oauth._read(signed.pk)
    sign_in(browser, connection=signed.pk)
    before = stored(signed)

    token = oauth._Renewal(late).run()

    after = stored(signed)
    assert token == after.access == before.access
    assert after.generation == before.generation


def test_late_answer_does_not_bring_a_disconnected_account_back(
    signed: Connection, simulator: RunningSimulator
) -> None:
    late = oauth._read(signed.pk)
    OAuthToken.objects.all().delete()

    with pytest.raises(ReauthRequired):
        oauth._Renewal(late).run()

    assert not OAuthToken.objects.exists()


# --- cut off in the middle ------------------------------------------------------------


def test_answer_lost_on_the_way_is_named_as_the_cause(
    signed: Connection, simulator: RunningSimulator
) -> None:
    simulator.configure(rotate_refresh_tokens=True)
    simulator.set_fault("drop_after_apply", path=TOKEN_PATH, count=1)
    let_pass(signed, 1.0)
    with pytest.raises(Retryable):
        StoredToken(signed.pk)()

    with pytest.raises(ReauthRequired, match="cut off"):
        StoredToken(signed.pk)()

    assert reloaded(signed).status_detail == CRASHED


def test_lost_answer_is_remembered_over_an_outage(
    signed: Connection, settings: Any
) -> None:
    let_pass(signed, 1.0)
    refusal = answer(400, {"error": "invalid_grant"})
    with WireServer([hang_up, answer(404), refusal]) as server:
        settings.HUBSPOT_API_URL = server.url
        for _ in range(2):
            with pytest.raises(Retryable):
                StoredToken(signed.pk)()

        with pytest.raises(ReauthRequired, match="cut off"):
            StoredToken(signed.pk)()


def test_lost_answer_that_did_no_harm_is_forgotten(
    signed: Connection, simulator: RunningSimulator
) -> None:
    simulator.set_fault("drop_after_apply", path=TOKEN_PATH, count=1)
    let_pass(signed, 1.0)
    with pytest.raises(Retryable):
        StoredToken(signed.pk)()

    StoredToken(signed.pk)()

    assert stored(signed).refreshing_until is None
    assert reloaded(signed).status != Connection.Status.NEEDS_REAUTH


def test_lease_of_a_dead_worker_is_taken_over(
    signed: Connection, simulator: RunningSimulator
) -> None:
    let_pass(signed, 1.0)
    change(signed, refreshing_until=timezone.now() - timedelta(seconds=1))

    assert StoredToken(signed.pk)() == stored(signed).access
    assert token_calls(simulator) == 1


def test_who_waits_too_long_for_another_comes_back_later(
    signed: Connection, simulator: RunningSimulator
) -> None:
    let_pass(signed, 1.0)
    change(signed, refreshing_until=timezone.now() + timedelta(minutes=1))

    with pytest.raises(Retryable, match="another worker"):
        StoredToken(signed.pk)()

    assert token_calls(simulator) == 0


def test_good_token_is_used_while_another_renews_it(
    signed: Connection, simulator: RunningSimulator
) -> None:
    let_pass(signed, 0.85)
    change(signed, refreshing_until=timezone.now() + timedelta(minutes=1))

    assert StoredToken(signed.pk)() == stored(signed).access
    assert token_calls(simulator) == 0


# --- the timetable --------------------------------------------------------------------


def test_timetable_renews_idle_connections_of_all_workspaces(
    signed: Connection, simulator: RunningSimulator
) -> None:
    sign_in(signed_in(make_user(make_workspace())))
    both = list(Connection.objects.all())
    calls_before = token_calls(simulator)
    for one in both:
        let_pass(one, 0.81)

    assert refresh_due() == 2
    assert refresh_due() == 0
    assert token_calls(simulator) == calls_before + 2


def test_timetable_keeps_a_token_without_an_end_from_lapsing(
    signed: Connection, simulator: RunningSimulator
) -> None:
    change(signed, expires_at=None, updated_at=timezone.now() - timedelta(days=8))

    assert refresh_due() == 1


@pytest.mark.parametrize(
    "status", [Connection.Status.NEEDS_REAUTH, Connection.Status.DISCONNECTED]
)
def test_timetable_leaves_alone_what_is_signed_out(
    signed: Connection, simulator: RunningSimulator, status: str
) -> None:
    let_pass(signed, 1.0)
    Connection.objects.update(status=status)

    assert refresh_due() == 0
    assert token_calls(simulator) == 0


def test_timetable_asks_a_vendor_that_is_down_only_once(
    signed: Connection, simulator: RunningSimulator
) -> None:
    for _ in range(3):
        sign_in(signed_in(make_user(make_workspace())))
    for one in Connection.objects.all():
        let_pass(one, 1.0)
    before = token_calls(simulator)
    simulator.set_fault("503", path=TOKEN_PATH)

    assert refresh_due() == 0

    assert token_calls(simulator) == before + 1


def test_timetable_says_so_when_a_sign_in_has_ended(
    signed: Connection, simulator: RunningSimulator
) -> None:
    simulator.control("POST", "revoke")
    let_pass(signed, 0.9)

    assert refresh_due() == 0

    assert reloaded(signed).status == Connection.Status.NEEDS_REAUTH
    assert Channel.objects.filter(blocked_because="Sign in again").count() == 1
