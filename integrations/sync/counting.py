"""Counts what becomes of a run's records, so that its page is a read of one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import F

from crmsync.core import queue
from crmsync.core.models import WorkItem
from integrations.models import Run, SyncEntry
from integrations.sync.cases import Case, outcome_of
from leads.services.incoming import Taken

# The journal's word -> the run's counter, of what went out and of what came in.
OUT: Mapping[str, str] = {
    "created": "created",
    "updated": "updated",
    "cleared": "cleared",
    "linked": "linked",
    "unchanged": "unchanged",
    "excluded": "excluded",
    "held": "held",
    "deleted": "deleted",
    "failed": "failed",
}
IN: Mapping[str, str] = {
    **OUT,
    "created": "created_here",
    "updated": "updated_here",
    "cleared": "cleared_here",
}


def add(
    run_id: int,
    outcomes: Mapping[str, int],
    *,
    counters: Mapping[str, str],
    settled: int,
) -> None:
    """Add to a run's counters. settled: how many records are done with by this."""
    changes = {
        counters[name]: F(counters[name]) + count
        for name, count in outcomes.items()
        if count
    }
    Run.objects.filter(pk=run_id).update(
        **changes, settled=F("settled") + settled, progress_at=queue.now()
    )


@dataclass(slots=True)
class Tally:
    """What has come in of a portion, to be counted once the place after it is kept.

    Counted with the records it would be counted twice by a worker that dies before it
    keeps its place. again: such a one may have been at it, so that what this run did
    with a record already is looked up.
    """

    again: bool = False
    outcomes: Counter[str] = field(default_factory=Counter)
    settled: int = 0

    def note(
        self, run: Run, cases: Sequence[Case], results: Mapping[str, Taken]
    ) -> None:
        """Add what became of records; they have been stored."""
        known = _known(run, cases) if self.again else {}
        counted, settled = _counted(run, cases, results, known)
        self.outcomes += counted
        self.settled += settled

    def count(self, run: Run) -> None:
        """Add it to the run, in the caller's transaction."""
        if self.settled or self.outcomes:
            add(run.pk, self.outcomes, counters=IN, settled=self.settled)


@dataclass(slots=True)
class _Done:
    """What this run did with a record before its worker died."""

    outcome: str = ""
    clears: bool = False
    went_out: bool = False


def _known(run: Run, cases: Sequence[Case]) -> dict[str, _Done]:
    """Return remote id -> what the run's journal tells of it."""
    rows = SyncEntry.objects.filter(run=run, remote_id__in=[one.ref for one in cases])
    told: dict[str, _Done] = {}
    columns = ("remote_id", "direction", "outcome", "undo")
    for ref, direction, outcome, undo in rows.order_by("id").values_list(*columns):
        done = told.setdefault(ref, _Done())
        if direction == "push":
            done.went_out = True
        else:
            done.outcome = outcome
            done.clears = any(old and not new for old, new in undo.values())
    return told


def count_in(
    run: Run | None, cases: Sequence[Case], results: Mapping[str, Taken]
) -> None:
    """Count records that came in for a run; what they make go out counts by itself."""
    if run is None or not cases:
        return
    outcomes, settled = _counted(run, cases, results, {})
    add(run.pk, outcomes, counters=IN, settled=settled)


def _counted(
    run: Run,
    cases: Sequence[Case],
    results: Mapping[str, Taken],
    known: Mapping[str, _Done],
) -> tuple[Counter[str], int]:
    outcomes: Counter[str] = Counter()
    went_out = 0
    for case in cases:
        outcome = str(outcome_of(case, results.get(case.ref)))
        is_cleared = clears(case)
        out = run.counts_pushes and case.is_sent and not case.failure and not case.seen
        if (done := known.get(case.ref)) is not None:
            outcome, is_cleared = done.outcome or outcome, is_cleared or done.clears
            out = out or done.went_out
        went_out += out
        # Of what goes out and changed nothing here the push alone tells.
        if not (out and outcome == "unchanged"):
            outcomes[outcome] += 1
        outcomes["cleared"] += is_cleared
    return outcomes, len(cases) - went_out


def clears(case: Case) -> bool:
    """Tell whether a record that comes in empties a field here, or a tie."""
    return None in case.parents.values() or any(
        text == "" and case.hub.get(n) for n, text in case.takes.items()
    )


def count_out(items: Sequence[tuple[WorkItem, str]]) -> None:
    """Count outbox rows that ended, for the runs they belong to."""
    by_run: dict[int, Counter[str]] = {}
    for item, outcome in items:
        if item.run is not None:
            by_run.setdefault(item.run, Counter())[outcome] += 1
    for run_id in sorted(by_run):
        counted = by_run[run_id]
        add(run_id, counted, counters=OUT, settled=sum(counted.values()))
