"""Stops a mass change before its first write: many deletes, or many fields cleared."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.connectors.base import Connector
from integrations.models import Link, ObjectMapping, Run
from integrations.records import RemoteRecord
from integrations.sync import intake
from integrations.sync.calls import Braked
from integrations.sync.cases import Case
from integrations.sync.counting import clears
from integrations.sync.terms import Terms

# This many pass without a question, and this share of what is linked.
FREE = 20
DELETED_SHARE, CLEARED_SHARE = 0.02, 0.10
SHOWN = 20


def links_of(mapping: ObjectMapping) -> int:
    """Return how many records are linked under a mapping."""
    rows = Link.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        remote_object=mapping.remote_object,
        state=Link.State.LINKED,
    )
    return rows.count()


def too_many(count: int, *, of: int, share: float) -> bool:
    """Tell whether a change is so large that a person must approve it.

    >>> too_many(20, of=100, share=0.02), too_many(21, of=100, share=0.02)
    (False, True)
    """
    return count > max(FREE, of * share)


def check_clears(
    mapping: ObjectMapping,
    records: Sequence[RemoteRecord],
    terms: Terms,
    connector: Connector,
    *,
    run: Run,
) -> None:
    """Raise Braked when a page, with those before it, would empty too many fields here.

    What it is about to do is kept with the run; approving the run lets it go on.
    """
    if run.approved or not any(rule.clears for rule in terms.rules.values()):
        return
    suspects = [one for one in records if _has_blank(one, terms)]
    # The row counts what is stored, later and elsewhere; the next page must know now.
    if run.cleared_here + len(suspects) <= FREE:
        run.cleared_here += len(suspects)
        return
    cases = intake.planned(mapping, suspects, terms, connector)
    cleared = [one for one in cases if clears(one)]
    run.cleared_here += len(cleared)
    if too_many(run.cleared_here, of=links_of(mapping), share=CLEARED_SHARE):
        told = [_sample(case) for case in cleared]
        stop(run, Run.MassChange.CLEARS, len(cleared), told)


def _has_blank(record: RemoteRecord, terms: Terms) -> bool:
    return any(
        name in record.fields and not record.fields[name]
        for name, rule in terms.rules.items()
        if rule.clears
    )


def _sample(case: Case) -> dict[str, object]:
    return {
        "record_id": case.record_id,
        "remote_id": case.record.remote_id,
        "before": {n: case.hub.get(n, "") for n in case.takes},
        "after": dict(case.takes),
    }


_TOLD = {
    Run.MassChange.DELETES: "{:,} linked records were deleted in the CRM.",
    Run.MassChange.CLEARS: "{:,} records would have fields emptied here.",
}


def stop(
    run: Run,
    change: Run.MassChange,
    count: int,
    samples: Sequence[dict[str, object]],
) -> None:
    """Put a run aside until a person approves a change of so many. Raises Braked."""
    put_aside(run, change, count, samples)
    raise Braked(f"{run.message} Approve it on the page of the run, or cancel it.")


def put_aside(
    run: Run,
    change: Run.MassChange,
    count: int,
    samples: Sequence[dict[str, object]],
    *,
    told: str = "",
) -> None:
    """Let a run wait until a person approves it; what it is about to do is kept."""
    message = (told or _TOLD[change]).format(count)
    run.state, run.message = Run.State.STOPPED, message
    run.mass_change, run.mass_count = change, count
    run.samples = list(samples[:SHOWN])
    names = ["state", "message", "mass_change", "mass_count", "samples", "cursor"]
    run.save(update_fields=names)
