"""Stops a poll or a comparison before too many here lose what they belong to."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.models import ObjectMapping, Run
from integrations.sync import brake
from integrations.sync.cases import Case

TOLD = "{:,} records would no longer belong to what they belong to here."


def check(mapping: ObjectMapping, cases: Sequence[Case], *, run: Run) -> None:
    """Raise Braked where many records, with those before, would belong to nothing.

    Whoever may not see associations any more is told that there are none.
    """
    emptied = [one for one in cases if None in one.parents.values()]
    if run.approved or not emptied:
        return
    run.cleared_here += len(emptied)
    if brake.CLEARED.is_passed(run.cleared_here, of=brake.links_of(mapping)):
        samples = [_loses(case) for case in emptied]
        brake.stop(run, Run.MassChange.CLEARS, len(emptied), samples, told=TOLD)


def _loses(case: Case) -> dict[str, object]:
    had = case.snapshot.parents if case.snapshot else {}
    lost = [name for name, one in case.parents.items() if one is None]
    return {
        "record_id": case.record_id,
        "remote_id": case.record.remote_id,
        "before": {name: str(had.get(name, "")) for name in lost},
        "after": dict.fromkeys(lost, ""),
    }
