"""Starting runs and steering them, each with its entry in the audit trail.

The caller wakes the workers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crmsync.core.services import Actor, Refused, audit
from integrations.models import Connection, ObjectMapping, Run
from integrations.sync import halting, pull, runs

# What a person can ask for; a batch comes by its schedule as well.
ASKABLE = (
    Run.Kind.DRY,
    Run.Kind.RECONCILE,
    Run.Kind.BACKFILL,
    Run.Kind.MANUAL,
    Run.Kind.BATCH,
    Run.Kind.AUDIT,
    Run.Kind.REVERT,
)
_SENDS = frozenset({Run.Kind.BACKFILL, Run.Kind.MANUAL, Run.Kind.BATCH})
_GOING = (Run.State.QUEUED, Run.State.RUNNING, Run.State.PAUSED, Run.State.STOPPED)
MOST_IDS = 10_000


def start_run(
    mapping: ObjectMapping,
    actor: Actor,
    kind: str,
    *,
    options: Mapping[str, object] | None = None,
) -> Run:
    """Ask for a run of a mapping.

    options: {"ids": [...]} or {"filter": {...}} for a manual sync, {"run": id} for a
    revert. Raises Refused while another of the kind is under way.
    """
    _check(mapping, kind, options or {})
    run = runs.start(mapping, kind, user=actor.user, options=options)
    audit(mapping.workspace, actor, f"run.{kind}", target=mapping)
    return run


def _check(mapping: ObjectMapping, kind: str, options: Mapping[str, object]) -> None:
    if kind not in ASKABLE:
        raise Refused("kind", "There is no such run to ask for.")
    if mapping.connection.status == Connection.Status.DISCONNECTED:
        raise Refused("mapping", "Connect the CRM first.")
    if kind != Run.Kind.DRY and not mapping.active:
        raise Refused("mapping", "Switch the mapping on first, or try a dry run.")
    if kind in _SENDS and mapping.direction == ObjectMapping.Direction.PULL:
        raise Refused("kind", "This mapping sends nothing.")
    ids = options.get("ids")
    if isinstance(ids, list) and len(ids) > MOST_IDS:
        raise Refused("ids", f"At most {MOST_IDS:,} at once; use a filter for more.")
    if kind == Run.Kind.REVERT:
        _check_revert(mapping, options.get("run"))
    going = mapping.runs.filter(kind=kind, state__in=_GOING)
    if kind != Run.Kind.MANUAL and going.exists():
        raise Refused("kind", "One of these is under way already.")


def _check_revert(mapping: ObjectMapping, run_id: object) -> None:
    rows = mapping.runs.filter(pk=run_id) if isinstance(run_id, int) else None
    run = rows.first() if rows is not None else None
    if run is None:
        raise Refused("run", "Say which run of this mapping to revert.")
    if run.state in _GOING:
        raise Refused("run", "It is still under way; cancel it first.")
    if not run.entries.exclude(undo={}).exists():
        raise Refused("run", "It changed nothing that could be reverted.")


def pull_now(mapping: ObjectMapping, actor: Actor) -> None:
    """Ask the CRM for changes at once. Raises Refused when nothing is pulled."""
    if not pull.pulls(mapping):
        raise Refused("mapping", "This mapping takes nothing in.")
    if halting.is_paused(mapping):
        raise Refused("mapping", "Its poll is paused; resume that one.")
    pull.ask_pull(mapping, soon=True)
    audit(mapping.workspace, actor, "mapping.pulled", target=mapping)


STEPS: Mapping[str, Callable[[Run], bool]] = {
    "pause": runs.pause,
    "resume": runs.resume,
    "approve": runs.approve,
    "cancel": runs.cancel,
}
_TOO_LATE = {
    "pause": "It is not running.",
    "resume": "It is not paused.",
    "approve": "It does not wait for approval.",
    "cancel": "It is over already.",
}


def steer(run: Run, actor: Actor, step: str) -> Run:
    """Pause, resume, approve or cancel a run. Raises Refused when that is too late."""
    if not STEPS[step](run):
        raise Refused("state", _TOO_LATE[step])
    audit(run.workspace, actor, f"run.{step}", target=run)
    run.refresh_from_db()
    return run
