"""Compares a sample of linked records on both sides, and mends a small drift.

Drift is what no change explains: a value that was altered without a stamp, or a write
that went astray. Much of it at once is a fault that a person must look at first.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from integrations.models import Link, ObjectMapping
from integrations.sync import intake, moved
from integrations.sync.cases import Case
from integrations.sync.driving import Drive
from integrations.sync.pull import fields_to_read
from integrations.sync.terms import Terms, terms_of

# Fewer are looked at all; of more, about so many, spread evenly.
WHOLE = 50_000
SAMPLE = 5_000
# Up to this share is mended by itself.
MENDED = 0.005
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
    return Link.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        remote_object=mapping.remote_object,
        state=Link.State.LINKED,
    )


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
    drifted = [one for one in cases if _drifted(one, terms)]
    ids = drive.run.cursor.setdefault("drifted", [])
    ids += [case.record.remote_id for case in drifted]
    drive.count({"checked": len(cases), "drifted": len(drifted)})
    for case in drifted[: SHOWN - len(drive.run.samples)]:
        drive.run.samples.append(_shown(case))


def _drifted(case: Case, terms: Terms) -> bool:
    return any(_differs(case, name) for name in terms.rules)


def _differs(case: Case, name: str) -> bool:
    """Tell whether the CRM has something else than was last agreed, unannounced."""
    if case.failure is not None or name not in case.crm or name in case.problems:
        return False
    outcome = case.outcomes.get(name)
    return outcome is not None and (
        outcome.take is not None or outcome.send is not None
    )


def _shown(case: Case) -> dict[str, object]:
    names = [name for name in case.outcomes if _differs(case, name)]
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
    if share > MENDED and not run.approved and len(ids) > SHOWN:
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
