"""A run as people see it: how far it is, how fast, how long still, what it does now.

PURE but for the run it reads: no query, and the time is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from integrations.models import ObjectMapping, Run

Tone = Literal["ok", "warn", "bad", "info", "idle"]
State, Kind = Run.State, Run.Kind

OVER = frozenset({State.DONE, State.DONE_WITH_ERRORS, State.FAILED, State.CANCELLED})
GOING = frozenset({State.QUEUED, State.RUNNING})
TONES: Mapping[str, Tone] = {
    State.QUEUED: "idle",
    State.RUNNING: "info",
    State.PAUSED: "warn",
    State.STOPPED: "bad",
    State.DONE: "ok",
    State.DONE_WITH_ERRORS: "warn",
    State.FAILED: "bad",
    State.CANCELLED: "idle",
}
# Too little has passed to tell a rate from.
_LEAST_S = 1.0
_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. total None: unknown; rate, time left None: cannot be told."""

    done: int
    total: int | None
    failed: int
    rate_per_s: float | None
    left_s: float | None
    phase: str

    @property
    def percent(self) -> int:
        """Return how much is settled, 0 to 100."""
        return _share(self.done, self.total)

    @property
    def percent_bad(self) -> int:
        """Return how much of it failed."""
        return min(_share(self.failed, self.total), self.percent)

    @property
    def percent_ok(self) -> int:
        """Return how much of it did not."""
        return self.percent - self.percent_bad

    @property
    def rate(self) -> str:
        """Return the rate in words, "" when it is not to be told."""
        return rate_in_words(self.rate_per_s)

    @property
    def left(self) -> str:
        """Return the time left in words, "" when it is not to be told."""
        return "" if self.left_s is None else f"about {duration(self.left_s)} left"


def _share(part: int, whole: int | None) -> int:
    return min(round(100 * part / whole), 100) if whole else 0


def progress_of(run: Run, now: datetime) -> Progress:
    """Return how far a run is."""
    done = _done(run)
    total = None if run.kind == Kind.DRY else run.total
    rate = _rate(run, done, now)
    left = None
    if run.state == State.RUNNING and rate and total and total > done:
        left = (total - done) / rate
    return Progress(done, total, run.failed, rate, left, phase_of(run))


def with_progress(runs: Iterable[Run], now: datetime) -> list[tuple[Run, Progress]]:
    """Return runs with how far each is."""
    return [(run, progress_of(run, now)) for run in runs]


def _done(run: Run) -> int:
    counts = counted(run)
    if run.kind == Kind.AUDIT:
        return counts.get("checked", 0)
    if run.kind == Kind.DRY:
        return counts.get("seen", 0) or sum(counts.values())
    return run.settled


def counted(run: Run) -> Mapping[str, int]:
    """Return the numbers that a run keeps beside its columns."""
    found = run.cursor.get("counts", {})
    return {k: v for k, v in found.items() if isinstance(v, int)}


def _rate(run: Run, done: int, now: datetime) -> float | None:
    until = run.finished_at or (now if run.state == State.RUNNING else run.progress_at)
    if run.started_at is None or until is None or not done:
        return None
    return done / max((until - run.started_at).total_seconds(), _LEAST_S)


def rate_in_words(per_s: float | None) -> str:
    """Return a rate as people say it.

    >>> rate_in_words(34.4), rate_in_words(0.2), rate_in_words(0.001)
    ('34 a second', '12 a minute', '4 an hour')
    """
    if not per_s:
        return ""
    for count, unit in ((per_s, "a second"), (per_s * _MINUTE, "a minute")):
        if count >= 1:
            return f"{count:,.0f} {unit}"
    return f"{per_s * _HOUR:,.0f} an hour"


def duration(seconds: float) -> str:
    """Return a time span as people say it.

    >>> duration(8), duration(95), duration(7300)
    ('8 seconds', '2 minutes', '2 hours')
    """
    for size, unit in ((_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= size:
            return _plural(round(seconds / size), unit)
    return _plural(max(round(seconds), 1), "second")


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


# --- what it does now -----------------------------------------------------------------


def phase_of(run: Run) -> str:
    """Return what a run is at, in words; "" for one that is over."""
    if run.state in OVER:
        return ""
    if run.state == State.QUEUED:
        return "Waiting for a worker"
    if run.state == State.PAUSED and run.kind == Kind.PULL:
        return "Paused. It goes on where it stopped once it is resumed"
    if run.state == State.PAUSED:
        return "Paused. Nothing of it leaves until it is resumed"
    if run.state == State.STOPPED:
        return "Stopped before the first write"
    return _at_work(run)


def _at_work(run: Run) -> str:
    cursor, there = run.cursor, str(run.connection)
    if cursor.get("begun_all"):
        return "Waiting for the last records to be sent"
    match run.kind:
        case Kind.PULL:
            return f"Reading what changed in {there}"
        case Kind.AUDIT:
            return f"Comparing linked records with {there}"
        case Kind.REVERT:
            return "Putting back what nobody has changed since"
        case Kind.RECONCILE | Kind.DRY:
            return _comparing(run)
        case Kind.BATCH:
            return "Letting go what waited for the batch"
    last = cursor.get("last_id")
    return f"Asking for records, up to number {last}" if last else "Finding the records"


def _comparing(run: Run) -> str:
    only_push = run.mapping.direction == ObjectMapping.Direction.PUSH
    if run.cursor.get("scanned") or (run.kind == Kind.DRY and only_push):
        return "Going through what is only here"
    return f"Reading all records of {run.connection}"


# --- what a person can do about it ----------------------------------------------------

_UNDONE = frozenset({Kind.DRY, Kind.AUDIT, Kind.REVERT})


def steps_of(run: Run) -> list[str]:
    """Return how a run can be steered as it stands: pause, resume, approve, cancel."""
    steps = []
    if run.state in GOING:
        steps.append("pause")
    if run.state == State.PAUSED:
        steps.append("resume")
    if run.state == State.STOPPED:
        steps.append("approve")
    if run.state not in OVER:
        steps.append("cancel")
    return steps


def is_revertible(run: Run) -> bool:
    """Tell whether a run is of a kind, and at a point, that can be taken back."""
    return run.state in OVER and run.kind not in _UNDONE


_MASS_CHANGES = {
    Run.MassChange.DELETES: ("deletion", "deletions"),
    Run.MassChange.CLEARS: ("emptied record", "emptied records"),
}


def to_approve(run: Run) -> str:
    """Return what a run was stopped before, "" for one that no change stopped.

    >>> to_approve(Run(mass_change="deletes", mass_count=37)), to_approve(Run())
    ('37 deletions', '')
    """
    if run.mass_count is None or run.mass_change not in _MASS_CHANGES:
        return ""
    one, many = _MASS_CHANGES[Run.MassChange(run.mass_change)]
    return f"{run.mass_count:,} {one if run.mass_count == 1 else many}"


def approval_of(run: Run) -> str:
    """Return what approving a stopped run lets happen, for its button.

    >>> approval_of(Run(mass_change="clears", mass_count=1200)), approval_of(Run())
    ('Approve 1,200 emptied records', 'Approve')
    """
    return f"Approve {to_approve(run)}".rstrip()
