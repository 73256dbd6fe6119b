"""Connecting an account: checked at the vendor first, stored as a whole after."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from crmsync.core import queue
from crmsync.core.crypto import WrongKey
from crmsync.core.models import Channel, User, Workspace
from integrations.connectors import CONNECTORS, grants, hosts
from integrations.connectors.session import connector_with
from integrations.errors import SyncError
from integrations.models import Connection, OAuthToken
from integrations.records import Account
from integrations.sync.asking_setup import queue_setup

log = logging.getLogger(__name__)


class ConnectionRefused(Exception):
    """The account cannot be connected; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a vendor granted. expires_at None: its end is not told, or there is none.

    api_url: the account's own host, "" where all accounts have the same.
    """

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    expires_at: datetime | None = None
    lifetime_s: int = 0
    api_url: str = ""


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
    api_url: str = "",
    user: User | None = None,
) -> Connection:
    """Connect an account by an access token and queue its set-up.

    api_url: the account's own address, for vendors that give each one. Raises
    ConnectionRefused when the vendor does not know the token.
    """
    tokens = Tokens(token.strip(), api_url=_own_host(vendor, api_url))
    return store(
        workspace,
        vendor=vendor,
        name=name,
        auth=Connection.Auth.TOKEN,
        tokens=tokens,
        account=checked(vendor, tokens, access=Connection.Auth.TOKEN),
    )


def reconnect_with_token(
    connection: Connection, token: str, *, api_url: str = ""
) -> Connection:
    """Give a connection a new token of the same account, and let its queue go on."""
    host = _own_host(connection.vendor, api_url or connection.api_url)
    tokens = Tokens(token.strip(), api_url=host)
    account = checked(connection.vendor, tokens, access=Connection.Auth.TOKEN)
    connection.auth = Connection.Auth.TOKEN
    resume(connection, tokens, account)
    return connection


def _own_host(vendor: str, address: str) -> str:
    """Return the account's host to be stored. Raises ConnectionRefused."""
    if vendor not in CONNECTORS:
        raise ConnectionRefused(f"There is no connector called {vendor!r}.")
    if not hosts.has_own(vendor):
        return ""
    label = CONNECTORS[vendor].spec.label
    if not address.strip():
        if hosts.api_url(vendor):
            return ""
        raise ConnectionRefused(f"Give the address of your account at {label}.")
    try:
        return hosts.accepted(vendor, address)
    except hosts.UntrustedHost as error:
        raise ConnectionRefused(error.message) from None


def checked(vendor: str, tokens: Tokens, *, access: str) -> Account:
    """Return whose account the tokens open. Raises ConnectionRefused."""
    label = CONNECTORS[vendor].spec.label
    if not tokens.access:
        raise ConnectionRefused(f"Paste the access token from {label}.")
    connector = connector_with(
        vendor,
        _Fixed(tokens.access),
        # Alone: an account that says "not before tomorrow" must not hold the others.
        scope=f"checking-{secrets.token_hex(8)}",
        access=access,
        account_url=tokens.api_url,
    )
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
        known.auth = auth
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
            api_url=tokens.api_url,
            user_id=account.user_id,
            scopes=list(account.scopes),
        )
        connection.channel = Channel.objects.create(
            name=f"connection:{connection.pk}", cap=CONNECTORS[vendor].spec.concurrency
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
        connection.api_url = tokens.api_url or connection.api_url
        connection.user_id = account.user_id or connection.user_id
        names = ["status", "status_detail", "scopes", "account_id", "auth"]
        connection.save(update_fields=[*names, "api_url", "user_id", "updated_at"])
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


def disconnect(connection: Connection) -> None:
    """Forget the secrets and stop sending; links and history stay for a reconnect.

    The vendor is told afterwards; a vendor that cannot be reached changes nothing.
    """
    refresh = _refresh_token(connection)
    with transaction.atomic():
        OAuthToken.objects.filter(connection=connection).delete()
        queue.block(connection.channel_id or 0, "Disconnected")
        connection.status = Connection.Status.DISCONNECTED
        connection.status_detail = ""
        connection.save(update_fields=["status", "status_detail", "updated_at"])
    if refresh:
        _give_back(connection, refresh)


def _refresh_token(connection: Connection) -> str:
    """Return what ends the grant at the vendor; a pasted token is not ours to end."""
    if connection.auth != Connection.Auth.OAUTH:
        return ""
    try:
        token = OAuthToken.objects.filter(connection=connection).first()
    except WrongKey:
        return ""
    return str(token.refresh) if token else ""


def _give_back(connection: Connection, refresh: str) -> None:
    try:
        grants.revoke(connection.vendor, refresh)
    except (SyncError, grants.NotSetUp) as error:
        log.warning(
            "a grant could not be given back",
            extra={"connection": connection.pk, "why": str(error)},
        )
