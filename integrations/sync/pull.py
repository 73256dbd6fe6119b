"""When a mapping is polled: asked for, given its turn, and asked for again.

What a poll reads is in `window`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django_scopes import scopes_disabled

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import Ask, Failure
from crmsync.core.scoping import in_workspace
from integrations.connectors.base import Connector
from integrations.connectors.session import open_connector
from integrations.errors import RateLimited, ReauthRequired, SyncError
from integrations.models import Connection, ObjectMapping, Run
from integrations.sync import (
    calls,
    gone,
    halting,
    late,
    passing,
    window,
)
from integrations.sync.calls import BRAKED

log = logging.getLogger(__name__)

KIND = "pull"
FAST_PULL_S = 60
# A pull that was given up comes again after these; see `_waits`.
SOONEST_AGAIN, LATEST_AGAIN = timedelta(minutes=1), timedelta(hours=1)


def ask_pull(
    mapping: ObjectMapping, *, not_before: datetime | None = None, soon: bool = False
) -> None:
    """Ask for a mapping's changes; a pull that is asked for already keeps its time.

    soon: it does not wait for its time any longer.
    """
    assert mapping.connection.channel_id is not None
    ask = Ask(
        workspace_id=mapping.workspace_id,
        kind=KIND,
        key=str(mapping.pk),
        channel_id=mapping.connection.channel_id,
        not_before=not_before,
    )
    queue.ask([ask])
    if soon:
        rows = WorkItem.objects.filter(kind=KIND, key=ask.key)
        queue.retry(rows.values_list("pk", flat=True))
        rows.filter(state=State.READY).update(not_before=queue.now())


def ask_due() -> int:
    """Ask for the pull of every mapping that has none waiting; return how many.

    One that only sends has a turn where deletions are due.
    """
    asked = 0
    with scopes_disabled():
        rows = ObjectMapping.objects.filter(active=True)
        paused = Q(cursor__run__state=Run.State.PAUSED)
        polled = ~Q(direction=ObjectMapping.Direction.PUSH) & ~paused
        rows = rows.filter(polled | late.is_due())
        mappings = list(rows.select_related("connection", "workspace"))
        keys = [str(one.pk) for one in mappings]
        waiting = WorkItem.objects.filter(kind=KIND, key__in=keys)
        known = set(waiting.exclude(state=State.DONE).values_list("key", flat=True))
        given_up = list(waiting.filter(state=State.PARKED))
    for mapping in mappings:
        if str(mapping.pk) not in known and has_turns(mapping):
            ask_pull(mapping)
            asked += 1
    return asked + _ask_again(given_up)


def _ask_again(given_up: Sequence[WorkItem]) -> int:
    """Let pulls come again that were given up, or a mapping would stay behind for good.

    Its error is listed until one succeeds. Only a person lets one go on that was
    stopped before a mass change.
    """
    at = queue.now()
    due = [
        item.pk
        for item in given_up
        if item.error_class != BRAKED
        and item.failed_at is not None
        and item.failed_at + _waits(item) <= at
    ]
    return queue.again(WorkItem.objects.filter(pk__in=due)) if due else 0


def _waits(item: WorkItem) -> timedelta:
    """Return how long a pull waits that was given up: longer, the longer it fails."""
    if item.failed_at is None or item.failing_since is None:
        return LATEST_AGAIN
    failing = item.failed_at - item.failing_since
    return min(max(2 * failing, SOONEST_AGAIN), LATEST_AGAIN)


def pulls(mapping: ObjectMapping) -> bool:
    """Tell whether a mapping takes anything in."""
    return has_turns(mapping) and not late.only_sends(mapping)


def has_turns(mapping: ObjectMapping) -> bool:
    """Tell whether the CRM is asked anything for a mapping, if only what is gone."""
    off = mapping.connection.status == Connection.Status.DISCONNECTED
    return mapping.active and not off


def pull_due() -> int:
    """Pull every mapping whose time has come, for a time slice; return how many."""
    deadline = time.monotonic() + settings.WORK_TIME_SLICE_S
    handled = 0
    for item in queue.one_by_one(KIND, until=deadline):
        _pull_item(item, deadline)
        handled += 1
    return handled


@scopes_disabled()
def _mapping_of(item: WorkItem) -> tuple[ObjectMapping, int | None] | None:
    """Return the mapping, and the newest told value: no query more when it is none."""
    rows = ObjectMapping.objects.select_related("connection", "workspace")
    found = rows.annotate(told=passing.newest()).filter(pk=item.key).first()
    return (found, found.told) if found is not None else None


def _pull_item(item: WorkItem, deadline: float) -> None:
    found = _mapping_of(item)
    if found is None:
        queue.finish([item], skipped=True)
        return
    mapping, told = found
    with in_workspace(mapping.workspace):
        if has_turns(mapping) and late.only_sends(mapping):
            _follow_late(mapping, item)
            return
        if not pulls(mapping) or halting.is_paused(mapping):
            queue.finish([item], skipped=True)
            return
        connector, _ = open_connector(mapping.connection)
        with calls.guarded(
            mapping.connection, [item], done="pulled", mapping_id=mapping.pk
        ) as guard:
            finished = window.read(
                mapping, connector, item=item, deadline=deadline, told_up_to=told
            )
            failure = _follow_gone(mapping, connector) if finished else None
        if guard.failed:
            return
        if finished:
            _come_again(mapping, item, failure)
        elif halting.is_paused(mapping):
            queue.finish([item])
        else:
            queue.give_back([item])


def _follow_late(mapping: ObjectMapping, item: WorkItem) -> None:
    """Give a mapping that only sends its turn; the next comes once one is due."""
    connector, _ = open_connector(mapping.connection)
    with calls.guarded(
        mapping.connection, [item], done="deletions followed", mapping_id=mapping.pk
    ) as guard:
        more = late.follow(mapping, connector)
    if guard.failed:
        return
    with transaction.atomic():
        queue.finish([item])
        if more:
            ask_pull(mapping, not_before=queue.now() + gone.EVERY)


def _come_again(
    mapping: ObjectMapping, item: WorkItem, failure: Failure | None
) -> None:
    """Ask for the next pull. failure: of what goes on without it, told until then."""
    at = queue.now()
    fast = mapping.fast_pull_until is not None and mapping.fast_pull_until > at
    wait_s = min(FAST_PULL_S, mapping.pull_every_s) if fast else mapping.pull_every_s
    if failure is not None:
        queue.give_back([item], failure=failure, wait_s=wait_s)
        return
    with transaction.atomic():
        queue.finish([item])
        ask_pull(mapping, not_before=at + timedelta(seconds=wait_s))


def _follow_gone(mapping: ObjectMapping, connector: Connector) -> Failure | None:
    """Ask what was deleted or merged; return why that failed, which costs no edit.

    It is asked again by the next pull, from where the last answer ended.
    """
    try:
        gone.follow_approved(mapping)
        if gone.pull_due(mapping, connector):
            gone.carry_over_deletes(mapping, connector, now=queue.now())
    except (RateLimited, ReauthRequired):
        raise
    except SyncError as error:
        log.warning("deletions not read", extra={"mapping": mapping.pk})
        return calls.failure_of(error)
    return None
