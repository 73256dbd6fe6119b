"""Access tokens of stored connections, renewed before they end, by one at a time.

Who renews holds a lease in the token's row; no transaction is open during the call.
`refreshing_until` in the past means that a renewal was begun and its answer never seen.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django_scopes import scopes_disabled

from crmsync.core import queue
from crmsync.core.crypto import WrongKey
from integrations.connectors import CONNECTORS, grants
from integrations.connectors.grants import Grant
from integrations.errors import (
    OutcomeUnknown,
    RateLimited,
    ReauthRequired,
    Retryable,
    SyncError,
)
from integrations.models import Connection, OAuthToken

log = logging.getLogger(__name__)

# The part of its life after which a token is renewed, and after which it is not used.
RENEW_AFTER = 0.8
UNSAFE_AFTER = 0.95
# Longer than one token call may take, so that a lease that ended means a crash.
LEASE_S = grants.DEADLINE_S + 10.0
WAIT_S = 12.0
POLL_S = 0.05
# A refresh token is given up after this many refusals; the pauses are in between, since
# a vendor's own replicas may lag behind a renewal for a moment.
MAX_REFUSALS = 3
REFUSAL_PAUSES_S = (0.5, 1.5)
# With a token that is still good, the next try after a failed one.
REST_S = 30.0
# How long the calls of one turn go without looking at the row again.
KEPT_S = 1.0
# A grant nobody uses lapses at some vendors after 30 days.
IDLE_RENEWAL = timedelta(days=7)

CRASHED = (
    "A renewal of the sign-in was cut off before its answer arrived, which may have "
    "used it up. Reconnect the account."
)


class StoredToken:
    """Gives the access token of a connection to whoever calls its vendor."""

    def __init__(self, connection_id: int) -> None:
        self.connection_id = connection_id
        # The account's own host, as of the last token that was given; "" = none.
        self.api_url = ""
        self._rest_until = 0.0
        self._kept, self._kept_until = "", 0.0

    def look_again(self) -> None:
        """Read the row at the next call: another turn begins."""
        self._kept_until = 0.0

    def __call__(self, refused: str | None = None) -> str:
        """Return the token to use now. Raises ReauthRequired when there is none.

        refused: the token the vendor just called expired. Raises Retryable while the
        vendor cannot be asked for a newer one.
        """
        if refused is not None:
            self.look_again()
        elif time.monotonic() < self._kept_until:
            return self._kept
        give_up_at = time.monotonic() + WAIT_S
        while True:
            row = _read(self.connection_id)
            self.api_url = row.connection.api_url
            _insist_on_grant(row)
            usable = _is_usable(row, refused)
            if usable and (not _is_due(row) or time.monotonic() < self._rest_until):
                return self._keep(str(row.access))
            if not row.refresh:
                raise ReauthRequired(_ended(row, crashed=False))
            if _take(row):
                return self._renewed(row, usable=usable)
            if usable:
                return str(row.access)
            if time.monotonic() > give_up_at:
                raise Retryable("The access token is being renewed by another worker.")
            time.sleep(POLL_S)

    def _keep(self, access: str) -> str:
        self._kept, self._kept_until = access, time.monotonic() + KEPT_S
        return access

    def _renewed(self, row: OAuthToken, *, usable: bool) -> str:
        """Renew; a failure does not matter while the old token is good."""
        try:
            access = _Renewal(row).run()
            self.api_url = _api_url_of(self.connection_id)
            return access
        except Retryable:
            if not usable:
                raise
            self._rest_until = time.monotonic() + REST_S
            return str(row.access)


@scopes_disabled()
def refresh_due() -> int:
    """Renew what is due in all workspaces, used or not; return how many were renewed.

    A vendor that cannot be reached is left alone until the next time.
    """
    renewed = 0
    down: set[str] = set()
    for connection_id, vendor in _due():
        if vendor in down:
            continue
        try:
            renewed += _renew_if_due(connection_id)
        except Retryable as error:
            down.add(vendor)
            log.warning(
                "tokens not renewed", extra={"vendor": vendor, "why": str(error)}
            )
        except ReauthRequired:
            log.warning("a sign-in has ended", extra={"connection": connection_id})
    return renewed


def _due() -> list[tuple[int, str]]:
    """Return (connection, vendor) of tokens past their time, the oldest first."""
    at = queue.now()
    working = [Connection.Status.SETTING_UP, Connection.Status.ACTIVE]
    rows = OAuthToken.objects.filter(
        connection__auth=Connection.Auth.OAUTH, connection__status__in=working
    ).values_list("pk", "connection__vendor", "expires_at", "lifetime_s", "updated_at")
    return [
        (pk, vendor)
        for pk, vendor, expires_at, lifetime_s, updated_at in rows.order_by(
            "expires_at"
        )
        if (expires_at and at >= _point(expires_at, lifetime_s, RENEW_AFTER))
        or updated_at < at - IDLE_RENEWAL
    ]


def _renew_if_due(connection_id: int) -> int:
    row = _read(connection_id)
    if not row.refresh or row.refused >= MAX_REFUSALS or not _take(row):
        return 0
    _Renewal(row).run()
    return 1


# --- the row --------------------------------------------------------------------------


def _read(connection_id: int) -> OAuthToken:
    """Return the row with `at`, the database's time. Raises ReauthRequired for none."""
    found = OAuthToken.objects.filter(pk=connection_id).annotate(at=Now())
    try:
        row = found.select_related("connection").first()
    except WrongKey as error:
        # The key can be put back, so what waits must wait and not be given up.
        raise Retryable(str(error)) from None
    if row is None:
        raise ReauthRequired("The connection is signed out.")
    return row


def _api_url_of(connection_id: int) -> str:
    urls = Connection.objects.filter(pk=connection_id).values_list("api_url", flat=True)
    return urls.first() or ""


def _at(row: OAuthToken) -> datetime:
    at: datetime = row.at  # type: ignore[attr-defined]
    return at


def _point(expires_at: datetime, lifetime_s: int, part: float) -> datetime:
    return expires_at - timedelta(seconds=lifetime_s * (1 - part))


def _is_due(row: OAuthToken) -> bool:
    if row.expires_at is None or not row.refresh:
        return False
    return _at(row) >= _point(row.expires_at, row.lifetime_s, RENEW_AFTER)


def _is_usable(row: OAuthToken, refused: str | None) -> bool:
    if refused is not None and refused == row.access:
        return False
    if row.expires_at is None:
        return True
    return _at(row) < _point(row.expires_at, row.lifetime_s, UNSAFE_AFTER)


def _insist_on_grant(row: OAuthToken) -> None:
    """Raise ReauthRequired where the vendor has said often enough that it is over."""
    if row.refused >= MAX_REFUSALS:
        raise ReauthRequired(row.connection.status_detail or _ended(row, crashed=False))


def _take(row: OAuthToken) -> bool:
    """Take the lease of the row as it was read; False when another holds it."""
    free = Q(refreshing_until=None) | Q(refreshing_until__lte=_at(row))
    until = _at(row) + timedelta(seconds=LEASE_S)
    same = OAuthToken.objects.filter(free, pk=row.pk, generation=row.generation)
    return same.update(refreshing_until=until) == 1


def _ended(row: OAuthToken, *, crashed: bool) -> str:
    if crashed:
        return CRASHED
    label = CONNECTORS[row.connection.vendor].spec.label
    return f"{label} no longer accepts this sign-in. Reconnect the account."


# --- one renewal ----------------------------------------------------------------------


class _Renewal:
    """Renews one token under a lease that was taken on `row`.

    Every write is guarded by the generation: what a reconnect or another worker has
    stored meanwhile is never overwritten.
    """

    def __init__(self, row: OAuthToken) -> None:
        self.row = row
        # From before the lease: still there = whoever held it never came back.
        self.crashed = row.refreshing_until is not None

    def run(self) -> str:
        """Return the new access token. Raises Retryable or ReauthRequired."""
        while True:
            started_at = queue.now()
            try:
                grant = self._ask()
            except ReauthRequired as error:
                if newer := self._refused(error):
                    return newer
            else:
                return self._keep(grant, started_at)

    def _ask(self) -> Grant:
        vendor = self.row.connection.vendor
        try:
            return grants.renew(vendor, str(self.row.refresh))
        except ReauthRequired:
            raise
        except OutcomeUnknown as error:
            self._release(lost=True)
            raise _later(error) from None
        except RateLimited:
            self._release(lost=self.crashed)
            raise
        except SyncError as error:
            self._release(lost=self.crashed)
            raise _later(error) from None
        except grants.NotSetUp as error:
            self._release(lost=self.crashed)
            raise Retryable(str(error)) from None

    def _keep(self, grant: Grant, started_at: datetime) -> str:
        life = timedelta(seconds=grant.lifetime_s)
        kept = self._change(
            access=grant.access,
            refresh=grant.refresh or self.row.refresh,
            expires_at=started_at + life if grant.lifetime_s else None,
            lifetime_s=grant.lifetime_s,
            generation=F("generation") + 1,
            refreshing_until=None,
            refused=0,
            updated_at=queue.now(),
        )
        if not kept:
            return str(_read(self.row.pk).access)
        self._follow(grant)
        return grant.access

    def _follow(self, grant: Grant) -> None:
        """Call the account where it is now: accounts are moved between hosts."""
        if grant.api_url and grant.api_url != self.row.connection.api_url:
            rows = Connection.objects.filter(pk=self.row.pk)
            rows.update(api_url=grant.api_url, updated_at=queue.now())

    def _refused(self, error: ReauthRequired) -> str | None:
        """Count a refusal and pause; return the token another has got meanwhile."""
        refusals = self.row.refused + 1
        if refusals >= MAX_REFUSALS:
            return self._give_up(error)
        until = queue.now() + timedelta(seconds=LEASE_S)
        if not self._change(refused=refusals, refreshing_until=until):
            return str(_read(self.row.pk).access)
        self.row.refused = refusals
        time.sleep(REFUSAL_PAUSES_S[refusals - 1])
        return None

    def _give_up(self, error: ReauthRequired) -> str:
        """Mark the connection, unless it was signed in again meanwhile."""
        message = _ended(self.row, crashed=self.crashed)
        connection = self.row.connection
        with transaction.atomic():
            ended = self._change(refused=MAX_REFUSALS, refreshing_until=None)
            if ended:
                Connection.objects.filter(pk=connection.pk).update(
                    status=Connection.Status.NEEDS_REAUTH,
                    status_detail=message,
                    updated_at=queue.now(),
                )
                queue.block(connection.channel_id or 0, "Sign in again")
        if not ended:
            return str(_read(self.row.pk).access)
        raise ReauthRequired(
            message, vendor=error.vendor, status=error.status, code=error.code
        )

    def _release(self, *, lost: bool) -> None:
        """End the lease; lost: leave the mark that an answer was never seen."""
        self._change(refreshing_until=queue.now() if lost else None)

    def _change(self, **values: object) -> bool:
        same = OAuthToken.objects.filter(pk=self.row.pk, generation=self.row.generation)
        return same.update(**values) == 1


def _later(error: SyncError) -> Retryable:
    """Return an error as "later": no trouble of the token call blames a record."""
    return Retryable(
        f"The access token could not be renewed: {error.message or error.detail}",
        vendor=error.vendor,
        status=error.status,
        code=error.code,
    )
