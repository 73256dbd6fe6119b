"""Keeps a lease while a call takes long, so that nobody else begins the same work."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import Error, connection

from crmsync.core.leases import extend
from crmsync.core.models import WorkItem

log = logging.getLogger(__name__)


@contextlib.contextmanager
def kept(items: Sequence[WorkItem]) -> Iterator[None]:
    """Renew the lease of items every third of its time until the block ends.

    Costs a thread that sleeps; a quick call never sees it wake.
    """
    over = threading.Event()
    keeper = threading.Thread(
        target=_keep, args=(list(items), over), name="keep-lease", daemon=True
    )
    keeper.start()
    try:
        yield
    finally:
        over.set()


def _keep(items: list[WorkItem], over: threading.Event) -> None:
    while not over.wait(settings.WORK_LEASE_S / 3):
        try:
            if not extend(items):
                return
        except Error:
            # The next try comes in time: two thirds of the lease are left.
            log.warning("lease not renewed", extra={"items": len(items)})
        finally:
            connection.close()
