"""What workers do when they are woken; a task carries nothing and may come twice."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from crmsync.core import heartbeat, queue, upkeep
from crmsync.core.wake import wake
from integrations.services import setup
from integrations.sync import (
    fetches,
    held_forms,
    hints,
    passing,
    plans,
    pull,
    push,
    repair,
    runs,
    submissions,
    urgent,
)
from integrations.webhooks import inbox

# Longer than a row that goes to wait can be in a worker's hands.
RECENT = timedelta(minutes=10)
# The kinds of rows that `take_in` works on.
_COMES_IN = ("fetch", "pull", "run", "form", "held-form")


@shared_task
def process_deliveries() -> int:
    """Turn what arrived into records, and hints of CRMs into rows that fetch."""
    handled = inbox.process_due(hints.take)
    if handled:
        wake("integrations.tasks.rush", "urgent")
    return handled


@shared_task
def rush() -> int:
    """Push what is urgent, and fetch what webhooks named."""
    heartbeat.mark("urgent")
    done = urgent.work_off()
    # What waits for the calls of another thread is looked at when those are over.
    if done and urgent.is_due():
        wake("integrations.tasks.rush", "urgent")
    return done


@shared_task
def drain() -> int:
    """Push what is due, after setting up what was just connected."""
    heartbeat.mark("sync")
    done = setup.set_up_due() + push.push_due(leave_s=urgent.LEFT_S)
    if queue.turns("push", leave_s=urgent.LEFT_S):
        # The slice is over: others' messages first, then on.
        wake("integrations.tasks.drain", "sync")
    return done


@shared_task
def take_in() -> int:
    """Fetch what webhooks named, pull what is due, and drive the runs."""
    heartbeat.mark("sync")
    handled = fetches.fetch_due() + pull.pull_due() + runs.runs_due()
    handled += submissions.take_in_due() + held_forms.take_in_due()
    if handled:
        wake("integrations.tasks.drain", "sync")
    return handled


@shared_task
def plan_ahead() -> None:
    """Ask for polls, batches, comparisons and audits whose time has come."""
    heartbeat.mark("sync")
    if plans.ask_due() + submissions.ask_due():
        wake("integrations.tasks.take_in", "sync")


@shared_task
def sweep() -> None:
    """Free what dead workers held and announce everything that is due."""
    heartbeat.mark("ingest")
    queue.rescue()
    repair.release_orphans(recent=RECENT)
    if queue.due_channels("process"):
        wake("integrations.tasks.process_deliveries", "ingest")
    if urgent.is_due():
        wake("integrations.tasks.rush", "urgent")
    if queue.turns("push", leave_s=urgent.LEFT_S) or queue.due_channels("setup"):
        wake("integrations.tasks.drain", "sync")
    if any(queue.due_channels(kind) for kind in _COMES_IN):
        wake("integrations.tasks.take_in", "sync")


@shared_task
def keep_up() -> None:
    """Let the database look again at tables that have changed much."""
    upkeep.keep_up()


@shared_task
def refresh_tokens() -> int:
    """Renew access tokens before they end."""
    from integrations.connectors.oauth import refresh_due

    heartbeat.mark("sync")
    return refresh_due()


@shared_task
def prune() -> None:
    """Drop what is kept for inspection only, and end what nothing can do any more."""
    repair.release_orphans()
    repair.end_unmapped()
    inbox.prune()
    plans.forget_old()
    passing.prune()
