"""Counts what becomes of a run's records, so that its page is a read of one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from django.db.models import F

from crmsync.core import queue
from crmsync.core.models import WorkItem
from integrations.models import Run
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


def count_in(
    run: Run | None, cases: Sequence[Case], results: Mapping[str, Taken]
) -> None:
    """Count records that came in for a run; what they make go out counts by itself."""
    if run is None or not cases:
        return
    ended = [str(outcome_of(one, results.get(one.ref))) for one in cases]
    goes_out = [
        run.counts_pushes and one.is_sent and not one.failure and not one.seen
        for one in cases
    ]
    # Of what goes out and changed nothing here the push alone tells.
    outcomes = Counter(
        outcome
        for outcome, out in zip(ended, goes_out, strict=True)
        if not (out and outcome == "unchanged")
    )
    outcomes["cleared"] = sum(1 for one in cases if clears(one))
    add(run.pk, outcomes, counters=IN, settled=len(cases) - sum(goes_out))


def clears(case: Case) -> bool:
    """Tell whether a record that comes in empties a field here."""
    return any(text == "" and case.hub.get(n) for n, text in case.takes.items())


def count_out(items: Sequence[tuple[WorkItem, str]]) -> None:
    """Count outbox rows that ended, for the runs they belong to."""
    by_run: dict[int, Counter[str]] = {}
    for item, outcome in items:
        if item.run is not None:
            by_run.setdefault(item.run, Counter())[outcome] += 1
    for run_id in sorted(by_run):
        counted = by_run[run_id]
        add(run_id, counted, counters=OUT, settled=sum(counted.values()))
