"""What follows when a CRM refuses our sign-in, unless another is in use by then."""

from __future__ import annotations

from django.db import transaction

from crmsync.core import queue
from integrations.errors import ReauthRequired
from integrations.models import Connection, OAuthToken


def generation_of(connection: Connection) -> int | None:
    """Return which sign-in is in use, None without one; ask before calling."""
    return _generation(connection, lock=False)


def end(connection: Connection, error: ReauthRequired, *, used: int | None) -> bool:
    """Hold everything of the connection until a person signs in again.

    used: the sign-in that was refused. Returns False, having changed nothing, when it
    was renewed, replaced or given up while the call was under way.
    """
    with transaction.atomic():
        if _generation(connection, lock=True) != used:
            return False
        working = Connection.objects.filter(pk=connection.pk).exclude(
            status=Connection.Status.DISCONNECTED
        )
        held = working.update(
            status=Connection.Status.NEEDS_REAUTH,
            status_detail=(error.message or error.detail)[:500],
            updated_at=queue.now(),
        )
        if held:
            queue.block(connection.channel_id or 0, "Sign in again")
    return bool(held)


def _generation(connection: Connection, *, lock: bool) -> int | None:
    # Only the number: the secrets beside it are not needed here.
    rows = OAuthToken.objects.filter(pk=connection.pk)
    rows = rows.select_for_update() if lock else rows
    return rows.values_list("generation", flat=True).first()
