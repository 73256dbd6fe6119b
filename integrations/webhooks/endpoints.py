"""Finds the endpoint of an address, remembering each for a short time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django_scopes import scopes_disabled

from crmsync.core.scoping import workspace_channel
from integrations.connectors.grants import NotSetUp, client_of
from integrations.models import Connection, Endpoint
from integrations.webhooks.database import with_reconnect
from integrations.webhooks.sources import SOURCES

# How long a change of an endpoint may take to be noticed.
LIFE_S = 5.0
MAX_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """What receiving needs of an endpoint.

    secrets: newest first; account: the vendor's id of its connection's account, "" when
    it has none.
    """

    endpoint_id: int
    workspace_id: int
    channel_id: int
    source: str
    secrets: tuple[str, ...]
    account: str = ""


def look_up(digest: str) -> Known | None:
    """Return the active endpoint with this digest from the database."""
    with scopes_disabled():
        rows = Endpoint.objects.select_related("connection")
        found = rows.filter(token_digest=digest, active=True).first()
    if found is None:
        return None
    return Known(
        endpoint_id=found.pk,
        workspace_id=found.workspace_id,
        channel_id=workspace_channel(found.workspace_id).pk,
        source=found.source,
        secrets=secrets_of(found),
        account=found.connection.account_id if found.connection else "",
    )


def secrets_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Return what the endpoint's source signs with, the newest first.

    A CRM signs with the secret of the app that was let in by OAuth, unless the endpoint
    has another.
    """
    own = (line.strip() for line in endpoint.secrets.splitlines())
    found = tuple(line for line in own if line)
    source, connection = SOURCES.get(endpoint.source), endpoint.connection
    if found or connection is None or source is None or not source.signs:
        return found
    if connection.auth != Connection.Auth.OAUTH:
        return ()
    try:
        return (client_of(connection.vendor)[1],)
    except NotSetUp:
        return ()


class EndpointCache:
    """Endpoints by digest. Only hits are kept, so a guesser cannot fill the memory."""

    def __init__(self, look_up: Callable[[str], Known | None] = look_up) -> None:
        self._look_up = look_up
        self._known: dict[str, tuple[float, Known]] = {}
        self._asked: dict[str, asyncio.Future[Known | None]] = {}
        # A thread of its own: a flush that takes long must not delay a look-up.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="endpoints")

    async def find(self, token: str) -> Known | None:
        """Return the endpoint, None for an unknown token.

        Raises what the database raises.
        """
        digest = Endpoint.digest_of(token)
        until, known = self._known.get(digest, (0.0, None))
        if known is not None and until > time.monotonic():
            return known
        return await self._fresh(digest)

    def forget(self, endpoint_id: int) -> None:
        """Drop an endpoint that turned out to be gone."""
        self._known = {
            digest: entry
            for digest, entry in self._known.items()
            if entry[1].endpoint_id != endpoint_id
        }

    async def _fresh(self, digest: str) -> Known | None:
        """Ask the database once, however many requests want to know."""
        if digest not in self._asked:
            self._asked[digest] = asyncio.ensure_future(self._ask(digest))
        return await asyncio.shield(self._asked[digest])

    async def _ask(self, digest: str) -> Known | None:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(
                self._thread, with_reconnect, lambda: self._look_up(digest)
            )
        finally:
            del self._asked[digest]
        self._known.pop(digest, None)
        if found is not None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[digest] = (time.monotonic() + LIFE_S, found)
        return found
