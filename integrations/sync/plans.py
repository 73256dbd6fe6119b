"""What comes by the clock: polls, batches, full comparisons, audits.

Each is asked for once, however many ask: who gets there first moves the slot on. No CRM
is called here: one that is slow must not hold up the others' turns.
What a connection may have under way at once follows its vendor's facts as well.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django_scopes import scopes_disabled

from crmsync.core import queue
from crmsync.core.models import Channel, Workspace
from crmsync.core.scoping import in_workspace
from integrations.connectors import CONNECTORS
from integrations.models import Connection, Cursor, ObjectMapping, Run
from integrations.sync import listening, pull, runs
from integrations.sync.schedule import BadSchedule, next_slot
from leads.services import unmerging

log = logging.getLogger(__name__)

AUDIT_EVERY = timedelta(hours=24)
_GOING = (Run.State.QUEUED, Run.State.RUNNING, Run.State.PAUSED, Run.State.STOPPED)


def ask_due() -> int:
    """Ask for everything whose time has come; return how much that was."""
    keep_caps()
    asked = pull.ask_due()
    now = queue.now()
    for mapping in _working():
        with in_workspace(mapping.workspace):
            asked += _batch(mapping, now) + _sweep(mapping, now) + _audit(mapping, now)
            if listening.is_time(mapping, now=now):
                listening.listen(mapping, now=now)
    return asked


@scopes_disabled()
def keep_caps() -> None:
    """Let every channel have as much under way as its vendor's facts say today.

    A claim reads the channel alone, so the figure is kept there; one that an older
    release stored is put right here.
    """
    for vendor, entry in CONNECTORS.items():
        cap = entry.spec.concurrency
        rows = Channel.objects.filter(connection__vendor=vendor).exclude(cap=cap)
        rows.update(cap=cap)


@scopes_disabled()
def _working() -> list[ObjectMapping]:
    rows = ObjectMapping.objects.filter(
        active=True, connection__status=Connection.Status.ACTIVE
    )
    return list(rows.select_related("connection", "workspace"))


def _batch(mapping: ObjectMapping, now: datetime) -> int:
    """Begin a batch whose slot has come; slots missed meanwhile are one."""
    slot = mapping.next_batch_at
    if mapping.mode != ObjectMapping.Mode.BATCH or (slot and slot > now):
        return 0
    try:
        zone = ZoneInfo(mapping.workspace.time_zone)
        following = next_slot(mapping.schedule, now, zone)
    except BadSchedule:
        log.warning("no such schedule", extra={"mapping": mapping.pk})
        return 0
    rows = ObjectMapping.objects.filter(pk=mapping.pk, next_batch_at=slot)
    if not rows.update(next_batch_at=following) or slot is None:
        return 0
    return _start(mapping, Run.Kind.BATCH)


def _sweep(mapping: ObjectMapping, now: datetime) -> int:
    """Compare everything now and then, where anything is taken in.

    The first comparison is a person's to begin: it may bring in a whole account.
    """
    if not pull.pulls(mapping) or not mapping.reconcile_every_h:
        return 0
    cursor = Cursor.objects.filter(mapping=mapping).first()
    if cursor is None or cursor.swept_at is None:
        return 0
    if cursor.swept_at + timedelta(hours=mapping.reconcile_every_h) > now:
        return 0
    return _start(mapping, Run.Kind.RECONCILE)


def _audit(mapping: ObjectMapping, now: datetime) -> int:
    last = mapping.runs.filter(kind=Run.Kind.AUDIT).order_by("-id").first()
    since = last.created_at if last else mapping.created_at
    return _start(mapping, Run.Kind.AUDIT) if since + AUDIT_EVERY <= now else 0


def _start(mapping: ObjectMapping, kind: str) -> int:
    if mapping.runs.filter(kind=kind, state__in=_GOING).exists():
        return 0
    runs.start(mapping, kind)
    return 1


def forget_old() -> None:
    """Forget what merges kept for taking them back, once that is too late."""
    at = queue.now()
    for workspace in Workspace.objects.all():
        with in_workspace(workspace):
            unmerging.forget_old(at)
