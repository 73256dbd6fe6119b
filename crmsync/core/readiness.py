"""Is the product working? Each part looked at by itself, with a reason in words.

Without the broker nothing is lost, because what must happen stands in the database:
that is "degraded". Work that is due and that nobody takes on is "failing".
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

import kombu
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min, Q
from django_scopes import scopes_disabled

from crmsync.core import heartbeat, queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State

log = logging.getLogger(__name__)

# Work that is due and not taken on for so long means that nobody works.
STALLED_S = 180.0
BROKER_TIMEOUT_S = 0.5
_started = time.monotonic()
_migrated: set[str] = set()


class Status(StrEnum):
    """How a part stands; the worst one is that of the whole."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that was looked at. seconds: an age, where there is one."""

    status: Status
    detail: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """The whole: database, migrations, broker, workers, waiting."""

    status: Status
    parts: dict[str, Part]

    def as_json(self) -> dict[str, object]:
        """Return what `/readyz` answers."""
        parts = {name: asdict(part) for name, part in self.parts.items()}
        return {"status": self.status, "parts": parts}


def look(*, up_s: float | None = None) -> Readiness:
    """Look at every part. up_s: how long this process runs, None to measure it."""
    up_s = time.monotonic() - _started if up_s is None else up_s
    parts = {
        "database": _try(_database),
        "migrations": _try(_migrations),
        "broker": _broker(),
    }
    broker_there = parts["broker"].status == Status.OK
    parts["workers"] = _workers(up_s=up_s, broker_there=broker_there)
    parts["waiting"] = _try(lambda: _waiting(up_s=up_s))
    found = {part.status for part in parts.values()}
    worst = [one for one in reversed(Status) if one in found]
    return Readiness(worst[0], parts)


def _try(check: Callable[[], Part]) -> Part:
    """Run a check of the database; what it raises is not for strangers."""
    try:
        return check()
    except (DatabaseError, InterfaceError) as error:
        log.warning("readiness check failed", extra={"error": type(error).__name__})
        return Part(Status.FAILING, "The database does not answer.")


def _database() -> Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Part(Status.OK)


def _migrations() -> Part:
    """Compare the tables with the code; once equal they stay so for this process."""
    if "yes" not in _migrated:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            return Part(Status.FAILING, f"{len(missing)} are not applied: migrate.")
        _migrated.add("yes")
    return Part(Status.OK)


def _broker() -> Part:
    options = {
        **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        "socket_connect_timeout": BROKER_TIMEOUT_S,
        "socket_timeout": BROKER_TIMEOUT_S,
        "max_retries": 0,
    }
    try:
        with kombu.Connection(
            settings.CELERY_BROKER_URL, transport_options=options
        ) as broker:
            broker.connect()
    except Exception as error:  # every transport raises errors of its own
        log.warning("broker away", extra={"error": type(error).__name__})
        return Part(Status.DEGRADED, "It does not answer; work waits, nothing is lost.")
    return Part(Status.OK)


def _workers(*, up_s: float, broker_there: bool) -> Part:
    """Look when each queue's workers were last seen; they need a moment to start."""
    silent = {name: heartbeat.silent_s(name) for name in heartbeat.SILENT_S}
    missing = [
        name
        for name, limit in heartbeat.SILENT_S.items()
        if up_s > limit and (silent[name] is None or silent[name] > limit)  # type: ignore[operator]
    ]
    seen = [one for one in silent.values() if one is not None]
    age = round(max(seen), 1) if seen else None
    if not missing:
        return Part(Status.OK, "" if seen else "Starting.", age)
    detail = f"No sign of life from the workers of: {', '.join(missing)}."
    if not broker_there:
        return Part(Status.DEGRADED, f"{detail} They need the broker.", age)
    if not heartbeat.memory_works():
        return Part(Status.DEGRADED, "The cache does not answer, so nobody knows.", age)
    return Part(Status.FAILING, detail, age)


@scopes_disabled()
def _waiting(*, up_s: float) -> Part:
    """Look at what is due on open channels: old and nobody at it is a stall."""
    at = queue.now()
    busy = WorkItem.objects.filter(state=State.LEASED, leased_until__gt=at)
    busy_kinds = set(busy.order_by().values_list("kind", flat=True).distinct())
    ages = oldest_due_s(at)
    oldest = round(max(ages.values(), default=0.0), 1)
    late = [kind for kind, age in ages.items() if age > STALLED_S]
    stalled = [kind for kind in late if kind not in busy_kinds]
    if stalled and up_s > STALLED_S:
        detail = f"Due and taken on by nobody: {', '.join(sorted(stalled))}."
        return Part(Status.FAILING, detail, oldest)
    if late:
        return Part(Status.DEGRADED, f"Behind with: {', '.join(sorted(late))}.", oldest)
    return Part(Status.OK, "", oldest)


@scopes_disabled()
def oldest_due_s(at: datetime) -> dict[str, float]:
    """Return kind -> age in seconds of the oldest due item on an open channel."""
    is_open = Q(channel__paused_until=None) | Q(channel__paused_until__lte=at)
    due = WorkItem.objects.filter(
        is_open, state=State.READY, not_before__lte=at, channel__blocked_because=""
    )
    oldest = due.order_by().values_list("kind").annotate(first=Min("not_before"))
    return {kind: (at - first).total_seconds() for kind, first in oldest}
