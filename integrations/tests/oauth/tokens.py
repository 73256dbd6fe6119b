"""What the tests of renewals do to a stored token, and how they count renewals."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django_scopes import scopes_disabled

from integrations.models import Connection, OAuthToken
from integrations.simulators.testing import RunningSimulator

TOKEN_PATH = "/oauth/v3/token"


def stored(connection: Connection) -> OAuthToken:
    """Return the token's row as it is now."""
    with scopes_disabled():
        return OAuthToken.objects.get(pk=connection.pk)


def change(connection: Connection, **values: object) -> None:
    """Change the token's row behind everyone's back."""
    with scopes_disabled():
        OAuthToken.objects.filter(pk=connection.pk).update(**values)


def let_pass(connection: Connection, part: float) -> None:
    """Let this part of the token's half hour pass."""
    left = timedelta(minutes=30) * (1 - part)
    change(connection, expires_at=timezone.now() + left, lifetime_s=1800)


def token_calls(simulator: RunningSimulator) -> int:
    """Return how many token calls reached the vendor."""
    return sum(
        1
        for one in simulator.requests_since()
        if one["method"] == "POST" and one["path"] == TOKEN_PATH
    )


def reloaded(connection: Connection) -> Connection:
    """Return the connection as it is now."""
    with scopes_disabled():
        return Connection.objects.select_related("channel").get(pk=connection.pk)
