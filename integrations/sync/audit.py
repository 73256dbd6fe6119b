"""Compares a sample of linked records on both sides, and mends a small drift.

Drift is what no change explains: a value that was altered without a stamp, or a write
that went astray. Much of it at once is a fault that a person must look at first.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.mapping.merge import Outcome
from integrations.models import Link, ObjectMapping
from integrations.sync import intake, moved, outbox
from integrations.sync.cases import Case, base_of
from integrations.sync.driving import Drive
from integrations.sync.terms import fields_to_read, terms_of

# Fewer are looked at all; of more, about so many, spread evenly.
WHOLE = 50_000
SAMPLE = 5_000
# Up to this share is mended by itself, and so few of however small an account.
MENDED = 0.005
FEW = 2
SHOWN = 20


def sample(drive: Drive) -> bool:
    """Do a slice of the audit; return whether it is complete."""
    run, mapping = drive.run, drive.mapping
    if run.total is None:
        drive.save(total=_links(mapping).count())
    while drive.may_go_on():
        links = _next(drive)
        if not links:
            return _mend(drive)
        _look(drive, links)
        run.cursor["last_id"] = links[-1].pk
        drive.save(samples=run.samples)
    return False


def _links(mapping: ObjectMapping) -> QuerySet[Link]:
    return Link.objects.of(mapping).filter(state=Link.State.LINKED)


def _next(drive: Drive) -> list[Link]:
    size = drive.connector.spec.batch.read
    rows = _links(drive.mapping).filter(pk__gt=drive.run.cursor.get("last_id", 0))
    total = drive.run.total or 0
    if total >= WHOLE:
        # Ids are dense enough for their remainder to be a fair draw.
        step = max(total // SAMPLE, 1)
        rows = rows.extra(where=["id %% %s = 0"], params=[step])
    return list(rows.order_by("pk")[:size])


def _look(drive: Drive, links: Sequence[Link]) -> None:
    mapping = drive.mapping
    terms = terms_of(mapping, drive.connector)
    found = drive.connector.fetch(
        mapping.remote_object,
        [link.remote_id for link in links],
        fields=fields_to_read(mapping, terms.pulled),
    )
    records = moved.follow_conversions(mapping, found)
    # Stale stamps are no reason to look away here: what is there now is what counts.
    cases = intake.planned(mapping, records, terms, drive.connector)
    waiting = _waiting(mapping, cases)
    drifts = [
        (one, _drifting(one, is_waiting=one.record_id in waiting)) for one in cases
    ]
    drifted = [(one, names) for one, names in drifts if names]
    ids = drive.run.cursor.setdefault("drifted", [])
    ids += [case.record.remote_id for case, _ in drifted]
    drive.count({"checked": len(cases), "drifted": len(drifted)})
    for case, names in drifted[: SHOWN - len(drive.run.samples)]:
        drive.run.samples.append(_shown(case, names))


def _waiting(mapping: ObjectMapping, cases: Sequence[Case]) -> set[int]:
    """Return the records with a push to come: what we changed there is no drift."""
    keys = [outbox.key_of(mapping.pk, one.record_id) for one in cases if one.record_id]
    rows = WorkItem.objects.filter(kind=outbox.KIND, key__in=keys)
    found = rows.exclude(state=State.DONE).values_list("key", flat=True)
    return {outbox.record_of(key) for key in found}


def _drifting(case: Case, *, is_waiting: bool) -> list[str]:
    """Return the fields whose values differ and should not."""
    if case.failure is not None:
        return []
    return [
        name
        for name, outcome in case.outcomes.items()
        if name in case.crm
        and name not in case.problems
        and _differs(case, name, outcome, is_waiting=is_waiting)
    ]


def _differs(case: Case, name: str, outcome: Outcome, *, is_waiting: bool) -> bool:
    crm, base = case.crm[name], base_of(case.before, name)
    changed_there = base is not None and crm != base.crm
    if outcome.take is not None:
        return True
    if outcome.send is not None:
        return changed_there or not is_waiting
    # Emptied without a word, and emptying is no news here: it would stay for ever.
    return changed_there and not crm and bool(case.hub.get(name))


def _shown(case: Case, names: Sequence[str]) -> dict[str, object]:
    return {
        "record_id": case.record_id,
        "remote_id": case.record.remote_id,
        "label": case.snapshot.label if case.snapshot else "",
        "here": {name: case.hub.get(name, "") for name in names},
        "there": {name: case.crm.get(name, "") for name in names},
    }


def drift_of(checked: int, drifted: int) -> float:
    """Return the share of records that differ, 0 to 1."""
    return drifted / checked if checked else 0.0


def _mend(drive: Drive) -> bool:
    """Bring both sides in step where few differ; leave many to a person."""
    run, mapping = drive.run, drive.mapping
    counts = run.cursor.get("counts", {})
    share = drift_of(counts.get("checked", 0), counts.get("drifted", 0))
    ids = run.cursor.get("drifted", [])
    if share > MENDED and not run.approved and len(ids) > FEW:
        run.cursor["needs_person"] = True
        drive.save(
            message=f"{share:.1%} of the records differ: too many to mend unasked."
        )
        return True
    size = drive.connector.spec.batch.read
    terms = terms_of(mapping, drive.connector)
    while ids:
        records = drive.connector.fetch(
            mapping.remote_object,
            ids[:size],
            fields=fields_to_read(mapping, terms.pulled),
        )
        intake.take_in(mapping, records, drive.connector, run=run)
        del ids[:size]
        drive.save()
    return True
