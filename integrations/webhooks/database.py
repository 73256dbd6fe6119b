"""The ingest's own way to the database, from threads that outlive a connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")


def with_reconnect(work: Callable[[], T]) -> T:
    """Run `work`, which must be safe to repeat; once more after a broken connection.

    Raises what the second try raises, and leaves no broken connection behind.
    """
    try:
        return work()
    except (OperationalError, InterfaceError):
        connection.close()
    try:
        return work()
    except Exception:
        connection.close()
        raise
