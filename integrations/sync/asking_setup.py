"""Asks for an account to be described again, and for its mappings to be made."""

from __future__ import annotations

from crmsync.core import queue
from crmsync.core.queue import Ask
from integrations.models import Connection

KIND = "setup"


def queue_setup(connection: Connection) -> None:
    """Ask for the account to be described and its mappings to be made."""
    assert connection.channel_id is not None
    ask = Ask(
        workspace_id=connection.workspace_id,
        kind=KIND,
        key=str(connection.pk),
        channel_id=connection.channel_id,
    )
    queue.ask([ask])
