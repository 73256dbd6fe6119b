"""Connecting an account: checked at the vendor first, stored as a whole after."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from crmsync.core import queue
from crmsync.core.models import Channel, User, Workspace
from crmsync.core.queue import Ask
from integrations.connectors import CONNECTORS
from integrations.connectors.session import connector_with
from integrations.errors import SyncError
from integrations.models import Connection, OAuthToken
from integrations.records import Account

SETUP_KIND = "setup"
# How many calls of one connection may be under way at once.
CONCURRENCY = 4


class ConnectionRefused(Exception):
    """The account cannot be connected; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a vendor granted. expires_at None: it does not end."""

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    expires_at: datetime | None = None
    lifetime_s: int = 0


class _Fixed:
    """A token provider for a token that is not stored yet."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, refused: str | None = None) -> str:
        return self.token


def connect_with_token(
    workspace: Workspace,
    *,
    vendor: str,
    name: str,
    token: str,
    user: User | None = None,
) -> Connection:
    """Connect an account by its private app token and queue its set-up.

    Raises ConnectionRefused when the vendor does not know the token.
    """
    account = checked(vendor, token.strip(), access=Connection.Auth.TOKEN)
    return store(
        workspace,
        vendor=vendor,
        name=name,
        auth=Connection.Auth.TOKEN,
        tokens=Tokens(token.strip()),
        account=account,
    )


def reconnect_with_token(connection: Connection, token: str) -> Connection:
    """Give a connection a new token of the same account, and let its queue go on."""
    account = checked(connection.vendor, token.strip(), access=Connection.Auth.TOKEN)
    connection.auth = Connection.Auth.TOKEN
    resume(connection, Tokens(token.strip()), account)
    return connection


def checked(vendor: str, token: str, *, access: str) -> Account:
    """Return whose account the token opens. Raises ConnectionRefused."""
    if vendor not in CONNECTORS:
        raise ConnectionRefused(f"There is no connector called {vendor!r}.")
    label = CONNECTORS[vendor].spec.label
    if not token:
        raise ConnectionRefused(f"Paste the access token from {label}.")
    connector = connector_with(vendor, _Fixed(token), scope="checking", access=access)
    try:
        return connector.check()
    except SyncError as error:
        raise ConnectionRefused(_refusal(label, error)) from error


def _refusal(label: str, error: SyncError) -> str:
    if error.error_class == "auth":
        return f"{label} does not accept this token. Check that it was copied whole."
    return f"{label} could not be asked: {error.message or error.detail}"


def store(
    workspace: Workspace,
    *,
    vendor: str,
    name: str,
    auth: str,
    tokens: Tokens,
    account: Account,
) -> Connection:
    """Store a new connection, or renew the one this account already has."""
    known = Connection.objects.filter(vendor=vendor, account_id=account.id).first()
    if known is not None and account.id:
        resume(known, tokens, account)
        return known
    with transaction.atomic():
        connection = Connection.objects.create(
            workspace=workspace,
            vendor=vendor,
            name=name.strip() or CONNECTORS[vendor].spec.label,
            auth=auth,
            account_id=account.id,
            account_name=account.name,
            scopes=list(account.scopes),
        )
        connection.channel = Channel.objects.create(
            name=f"connection:{connection.pk}", cap=CONCURRENCY
        )
        connection.save(update_fields=["channel"])
        _store_tokens(connection, tokens)
        queue_setup(connection)
    return connection


def resume(connection: Connection, tokens: Tokens, account: Account) -> None:
    """Sign a connection in again. Raises ConnectionRefused for another account."""
    if connection.account_id and account.id and connection.account_id != account.id:
        raise ConnectionRefused(
            f"This is account {account.id}; the connection belongs to account "
            f"{connection.account_id}. Connect the other account separately."
        )
    with transaction.atomic():
        _store_tokens(connection, tokens)
        connection.status = Connection.Status.SETTING_UP
        connection.status_detail = ""
        connection.scopes = list(account.scopes)
        connection.account_id = connection.account_id or account.id
        names = ["status", "status_detail", "scopes", "account_id", "updated_at"]
        connection.save(update_fields=names)
        queue.unblock(connection.channel_id or 0)
        queue_setup(connection)


def _store_tokens(connection: Connection, tokens: Tokens) -> None:
    # Deferred: a row that no key opens any more is just what a reconnect replaces.
    stored = OAuthToken.objects.defer("access", "refresh")
    token = stored.filter(connection=connection).first()
    token = token or OAuthToken(connection=connection, generation=0)
    token.access, token.refresh = tokens.access, tokens.refresh
    token.expires_at, token.lifetime_s = tokens.expires_at, tokens.lifetime_s
    token.generation += 1
    token.refused, token.refreshing_until = 0, None
    token.save()


def queue_setup(connection: Connection) -> None:
    """Ask for the account to be described and its mappings to be made."""
    assert connection.channel_id is not None
    queue.ask(
        [
            Ask(
                workspace_id=connection.workspace_id,
                kind=SETUP_KIND,
                key=str(connection.pk),
                channel_id=connection.channel_id,
            )
        ]
    )


def disconnect(connection: Connection) -> None:
    """Forget the secrets and stop sending; links and history stay for a reconnect."""
    with transaction.atomic():
        OAuthToken.objects.filter(connection=connection).delete()
        queue.block(connection.channel_id or 0, "Disconnected")
        connection.status = Connection.Status.DISCONNECTED
        connection.status_detail = ""
        connection.save(update_fields=["status", "status_detail", "updated_at"])
