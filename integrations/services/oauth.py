"""Signing in at a vendor: begun here, finished here, bound to who began it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta

from django.db import transaction

from crmsync.core import queue
from crmsync.core.models import User, Workspace
from crmsync.core.services import Actor, audit
from integrations.connectors import CONNECTORS, grants
from integrations.connectors.grants import Grant, NotSetUp
from integrations.errors import ReauthRequired, SyncError, redact
from integrations.models import Connection, OAuthState
from integrations.records import Account
from integrations.services import connect
from integrations.services.connect import ConnectionRefused, Tokens

STATE_LIFE = timedelta(minutes=10)
# How long a used state is kept, to tell "used before" from "never given".
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs in, and in which browser session."""

    workspace: Workspace
    user: User
    session_key: str = field(repr=False)

    @property
    def session_digest(self) -> str:
        """Return what is stored of the session: the key itself opens the session."""
        return _digest(self.session_key)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor sent a person back with; "" = absent."""

    state: str = field(repr=False)
    code: str = field(default="", repr=False)
    error: str = ""
    description: str = ""


def begin(
    who: Person, vendor: str, *, redirect_uri: str, connection: Connection | None = None
) -> str:
    """Return the address at the vendor to send a person to.

    connection: the one that signs in again, with the same account. Raises
    ConnectionRefused when this installation has no app at the vendor.
    """
    state = secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(64) if _facts_pkce(vendor) else ""
    try:
        address = grants.authorize_url(
            vendor,
            redirect_uri=redirect_uri,
            state=state,
            verifier=verifier,
            account_id=connection.account_id if connection else "",
        )
    except NotSetUp as error:
        raise ConnectionRefused(str(error)) from None
    at = queue.now()
    OAuthState.objects.filter(expires_at__lt=at - KEPT).delete()
    OAuthState.objects.create(
        digest=_digest(state),
        workspace=who.workspace,
        user=who.user,
        vendor=vendor,
        session_key=who.session_digest,
        code_verifier=verifier,
        redirect_uri=redirect_uri,
        connection=connection,
        expires_at=at + STATE_LIFE,
    )
    return address


def finish(who: Person, vendor: str, answer: Answer) -> Connection:
    """Connect the account a person came back with.

    Raises ConnectionRefused, with nothing stored, for whatever is not exactly the
    sign-in this person began, and for what the vendor refuses.
    """
    begun = _consume(who, vendor, answer.state)
    label = CONNECTORS[vendor].spec.label
    if answer.error:
        raise ConnectionRefused(_declined(label, answer))
    if not answer.code:
        raise ConnectionRefused(f"{label} sent no authorization code.")
    grant = _exchange(begun, answer.code, label)
    return _store(begun, grant, _account(begun, grant, label))


def _facts_pkce(vendor: str) -> bool:
    facts = CONNECTORS[vendor].spec.oauth
    return facts is not None and facts.pkce


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _consume(who: Person, vendor: str, state: str) -> OAuthState:
    """Use a state up, in one conditional UPDATE: of two callbacks only one goes on."""
    at = queue.now()
    mine = OAuthState.objects.filter(
        digest=_digest(state),
        vendor=vendor,
        workspace=who.workspace,
        user=who.user,
        session_key=who.session_digest,
    )
    if not mine.filter(used_at=None, expires_at__gt=at).update(used_at=at):
        raise ConnectionRefused(_why_not(mine.first()))
    return mine.select_related("connection", "workspace", "user").get()


def _why_not(state: OAuthState | None) -> str:
    if state is None:
        return (
            "This sign-in was not begun here: it belongs to another person, browser "
            "or workspace, or it was never begun."
        )
    if state.used_at is not None:
        return "This sign-in has been used already; each can be used once."
    return "This sign-in took longer than ten minutes."


def _declined(label: str, answer: Answer) -> str:
    if answer.error == "access_denied":
        return f"Access was declined at {label}."
    told = redact(answer.description or answer.error, 300)
    return f"{label} refused the sign-in: {told}"


def _exchange(begun: OAuthState, code: str, label: str) -> Grant:
    try:
        return grants.exchange(
            begun.vendor,
            code=code,
            redirect_uri=begun.redirect_uri,
            verifier=str(begun.code_verifier),
        )
    except NotSetUp as error:
        raise ConnectionRefused(str(error)) from None
    except ReauthRequired:
        told = f"{label} did not accept the authorization code: it is old or used."
        raise ConnectionRefused(told) from None
    except SyncError as error:
        told = error.message or error.detail
        raise ConnectionRefused(f"{label} could not be asked: {told}") from None


def _account(begun: OAuthState, grant: Grant, label: str) -> Account:
    """Return whose account was granted; of a reconnect it must be known."""
    access = Connection.Auth.OAUTH
    account = connect.checked(begun.vendor, _tokens(grant), access=access)
    account = replace(
        account,
        id=grant.account_id or account.id,
        user_id=grant.user_id or account.user_id,
        scopes=account.scopes or grant.scopes,
    )
    if begun.connection is not None and begun.connection.account_id and not account.id:
        raise ConnectionRefused(f"{label} did not say which account this is.")
    return account


def _tokens(grant: Grant) -> Tokens:
    life = timedelta(seconds=grant.lifetime_s)
    return Tokens(
        access=grant.access,
        refresh=grant.refresh,
        expires_at=queue.now() + life if grant.lifetime_s else None,
        lifetime_s=grant.lifetime_s,
        api_url=grant.api_url,
    )


def _store(begun: OAuthState, grant: Grant, account: Account) -> Connection:
    tokens = _tokens(grant)
    with transaction.atomic():
        connection = begun.connection
        if connection is not None:
            connect.resume(connection, tokens, account)
        else:
            connection = connect.store(
                begun.workspace,
                vendor=begun.vendor,
                name="",
                auth=Connection.Auth.OAUTH,
                tokens=tokens,
                account=account,
            )
        connection.auth = Connection.Auth.OAUTH
        connection.save(update_fields=["auth", "updated_at"])
        audit(
            begun.workspace,
            Actor(user=begun.user),
            "connection.signed_in",
            target=connection,
            details={"vendor": begun.vendor, "account": account.id},
        )
    return connection
