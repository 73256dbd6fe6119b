"""Runs: asked for, driven in slices, paused, resumed, cancelled, and brought to an end.

A run is one waiting row that drives it. What it has records sent for are outbox rows of
its own; it ends when none of them is unfinished.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django_scopes import scopes_disabled

from crmsync.core import queue
from crmsync.core.models import User, WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import Ask
from crmsync.core.runs import cancel_run, hold_run, release_run, run_counts
from crmsync.core.scoping import in_workspace
from integrations.connectors.session import open_connector
from integrations.models import ObjectMapping, Run
from integrations.sync import (
    audit,
    backfill,
    calls,
    dry,
    full,
    mass_pushes,
    outbox,
    pull,
    revert,
    window,
)
from integrations.sync.driving import Drive

log = logging.getLogger(__name__)

KIND = "run"
# How often a run that waits for its outbox rows is looked at.
LOOK_AGAIN_S = 2.0
OVER = frozenset(
    {
        Run.State.DONE,
        Run.State.DONE_WITH_ERRORS,
        Run.State.FAILED,
        Run.State.CANCELLED,
    }
)
GOES_ON = (
    "Only this poll was cancelled: the next one, at its usual time, goes on where it "
    "stopped. To take nothing in for now, pause a poll or switch the mapping off."
)
SKIPPED = "What it had found is not taken over; the next poll goes on after it."

# Each does one slice of a run and tells whether it has no more to begin.
DRIVERS: Mapping[str, Callable[[Drive], bool]] = {
    Run.Kind.BATCH: backfill.release,
    Run.Kind.BACKFILL: backfill.fill,
    Run.Kind.MANUAL: backfill.fill,
    Run.Kind.RECONCILE: full.compare_all,
    Run.Kind.AUDIT: audit.sample,
    Run.Kind.DRY: dry.foresee,
    Run.Kind.REVERT: revert.take_back,
}


def start(
    mapping: ObjectMapping,
    kind: str,
    *,
    user: User | None = None,
    options: Mapping[str, object] | None = None,
) -> Run:
    """Ask for a run; it begins when a worker takes it on. The caller wakes them."""
    with transaction.atomic():
        run = Run.objects.create(
            workspace_id=mapping.workspace_id,
            connection=mapping.connection,
            mapping=mapping,
            kind=kind,
            direction=mapping.direction,
            options=dict(options or {}),
            asked_by=user,
        )
        _ask(run)
    return run


def _ask(run: Run, *, wait_s: float = 0) -> None:
    assert run.connection.channel_id is not None
    ask = Ask(
        workspace_id=run.workspace_id,
        kind=KIND,
        key=str(run.pk),
        channel_id=run.connection.channel_id,
        lane=outbox.BULK,
        not_before=queue.now() + timedelta(seconds=wait_s),
    )
    queue.ask([ask])


# --- a person's wishes ----------------------------------------------------------------


def pause(run: Run) -> bool:
    """Stop a run where it is; return False when it is over or stands still already."""
    going = [Run.State.QUEUED, Run.State.RUNNING]
    if not _turn(run, going, Run.State.PAUSED):
        return False
    hold_run(run.pk)
    return True


def resume(run: Run) -> bool:
    """Let a paused run go on; return False when it is not paused."""
    if not _turn(run, [Run.State.PAUSED], Run.State.RUNNING):
        return False
    if run.kind == Run.Kind.PULL:
        pull.ask_pull(run.mapping, soon=True)
        return True
    release_run(run.pk)
    _ask(run)
    return True


def approve(run: Run) -> bool:
    """Let a run that was stopped before a mass change make it after all."""
    rows = Run.objects.filter(pk=run.pk, state=Run.State.STOPPED)
    if not rows.update(state=Run.State.RUNNING, approved=True, message=""):
        return False
    run.refresh_from_db()
    if run.kind == Run.Kind.PULL:
        _retry_pull(run)
        if run.mass_change == Run.MassChange.DELETES:
            # The polling went on meanwhile: its row is not one that failed.
            pull.ask_pull(run.mapping, soon=True)
    else:
        queue.retry(mass_pushes.held_by(run))
        _ask(run)
    return True


def _retry_pull(run: Run) -> None:
    rows = WorkItem.objects.filter(kind="pull", key=str(run.mapping_id))
    queue.retry(rows.values_list("pk", flat=True))


def cancel(run: Run) -> bool:
    """End a run; what was done stays done, what still waits is not sent for it."""
    going = [state for state in Run.State.values if state not in OVER]
    stopped = run.kind == Run.Kind.PULL and run.state == Run.State.STOPPED
    if not _turn(run, going, Run.State.CANCELLED):
        return False
    Run.objects.filter(pk=run.pk).update(
        finished_at=queue.now(), message=_what_now(run, stopped=stopped)
    )
    run.refresh_from_db()
    _wait_again(run)
    cancel_run(run.pk)
    queue.abandon(WorkItem.objects.filter(pk__in=mass_pushes.held_by(run)))
    if stopped:
        if run.mass_change != Run.MassChange.DELETES:
            window.skip(run.mapping)
        _retry_pull(run)
    return True


def _what_now(run: Run, *, stopped: bool) -> str:
    """Say what becomes of a poll's changes when it is cancelled."""
    if run.kind != Run.Kind.PULL or run.mass_change == Run.MassChange.DELETES:
        return run.message
    return SKIPPED if stopped else GOES_ON


def _wait_again(run: Run) -> None:
    """Let rows that changes had asked for wait for the next batch or wish."""
    if run.mapping.mode == ObjectMapping.Mode.REALTIME:
        return
    waiting = [State.READY, State.WAITING]
    rows = WorkItem.objects.filter(run=run.pk, state__in=waiting)
    rows.update(not_before=outbox.WHEN_ASKED)


def _turn(run: Run, before: Sequence[str], after: str) -> bool:
    changed = Run.objects.filter(pk=run.pk, state__in=before).update(state=after)
    run.refresh_from_db()
    return bool(changed)


# --- driving --------------------------------------------------------------------------


def runs_due() -> int:
    """Drive what is due, each for a slice of time; return how many runs."""
    deadline = time.monotonic() + settings.WORK_TIME_SLICE_S
    handled = 0
    for channel_id in queue.due_channels(KIND):
        items = queue.claim(KIND, channel_id=channel_id, limit=1)
        for item in items:
            _drive_item(item, deadline)
            handled += 1
    return handled


@scopes_disabled()
def _run_of(item: WorkItem) -> Run | None:
    rows = Run.objects.select_related(
        "mapping__connection", "mapping__workspace", "workspace"
    )
    return rows.filter(pk=item.key).first()


def _drive_item(item: WorkItem, deadline: float) -> None:
    run = _run_of(item)
    if run is not None and run.state == Run.State.FAILED:
        # Its row was given up, so it is due only because a person said so.
        _turn(run, [Run.State.FAILED], Run.State.RUNNING)
    if run is None or run.state in OVER or run.state == Run.State.PAUSED:
        queue.finish([item], skipped=True)
        return
    with in_workspace(run.workspace):
        begin(run)
        connection = run.mapping.connection
        with calls.guarded(
            connection, [item], done="run driven", mapping_id=run.mapping_id
        ) as guard:
            _drive(run, item, deadline)
        if guard.failed:
            _note_failure(run, item)


def begin(run: Run) -> None:
    """Mark a run as running, once."""
    at = queue.now()
    rows = Run.objects.filter(pk=run.pk, state=Run.State.QUEUED)
    if rows.update(state=Run.State.RUNNING, started_at=at, progress_at=at):
        run.refresh_from_db()


def _drive(run: Run, item: WorkItem, deadline: float) -> None:
    connector, _ = open_connector(run.mapping.connection)
    drive = Drive(run, run.mapping, connector, item=item, deadline=deadline)
    if run.cursor.get("begun_all") or DRIVERS[run.kind](drive):
        run.cursor["begun_all"] = True
        drive.save()
        if not any(run_counts(run.pk).values()):
            _end(run)
            queue.finish([item])
            return
    queue.give_back([item], wait_s=LOOK_AGAIN_S if run.cursor.get("begun_all") else 0)


def _end(run: Run) -> None:
    run.refresh_from_db()
    bad = run.failed or run.held
    state = Run.State.DONE_WITH_ERRORS if bad else Run.State.DONE
    rows = Run.objects.filter(pk=run.pk).exclude(state__in=OVER)
    rows.update(state=state, finished_at=queue.now(), total=F("settled"))


def _note_failure(run: Run, item: WorkItem) -> None:
    """Say on the run what keeps it; end it when its row was given up."""
    item.refresh_from_db()
    run.refresh_from_db()
    if run.state == Run.State.STOPPED or run.state in OVER:
        return
    run.message = item.error[:500]
    if item.state == "parked":
        run.state, run.finished_at = Run.State.FAILED, queue.now()
    run.save(update_fields=["message", "state", "finished_at"])
