"""Foresees a full comparison: the same reading and deciding, and no writing at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.db.models import Exists, OuterRef

from integrations.models import Link, ObjectMapping
from integrations.sync import backfill, intake
from integrations.sync.cases import Case
from integrations.sync.driving import Drive
from integrations.sync.foresight import foresee_out
from integrations.sync.pull import fields_to_read
from integrations.sync.terms import Terms, terms_of
from leads.services.fields import MODELS

SAMPLES = 20


def foresee(drive: Drive) -> bool:
    """Do a slice of the dry run; return whether it is complete."""
    cursor = drive.run.cursor
    if not cursor.get("scanned") and not _scan(drive):
        return False
    return drive.mapping.direction == ObjectMapping.Direction.PULL or _ours(drive)


def _scan(drive: Drive) -> bool:
    run, mapping = drive.run, drive.mapping
    if mapping.direction == ObjectMapping.Direction.PUSH:
        return True
    terms = terms_of(mapping, drive.connector)
    names = fields_to_read(mapping, terms.pulled)
    while drive.may_go_on():
        page = drive.connector.scan(
            mapping.remote_object, str(run.cursor.get("page") or "") or None, names
        )
        records = [one for one in page.records if not one.became]
        cases = intake.planned(mapping, records, terms, drive.connector)
        _note(drive, cases, terms)
        run.cursor["page"] = page.cursor
        run.cursor["scanned"] = page.cursor is None
        drive.save(samples=run.samples)
        if page.cursor is None:
            return True
    return False


def _note(drive: Drive, cases: Sequence[Case], terms: Terms) -> None:
    counts: Counter[str] = Counter()
    met = drive.run.cursor.setdefault("met", [])
    for case in cases:
        if case.link is None and case.record_id is not None:
            met.append(case.record_id)
        for outcome in outcomes_of(case):
            counts[outcome] += 1
        if len(drive.run.samples) < SAMPLES and (case.takes or case.sends):
            drive.run.samples.append(_sample(case))
    drive.count(counts)


def outcomes_of(case: Case) -> list[str]:
    """Return what would become of a record, on this side and on the other."""
    if case.excluded:
        return ["skipped"]
    if case.failure is not None:
        return ["held"]
    told = []
    if case.record_id is None:
        told.append("created_here")
    elif case.takes:
        told.append("updated_here")
    if any(text == "" and case.hub.get(n) for n, text in case.takes.items()):
        told.append("cleared_here")
    if case.sends:
        told.append("updated")
    asks = any(one.clash and one.clash.winner is None for one in case.outcomes.values())
    if asks or any(case.problems.values()):
        told.append("held")
    return told or ["unchanged"]


def _sample(case: Case) -> dict[str, object]:
    return {
        "record_id": case.record_id,
        "remote_id": case.record.remote_id,
        "label": case.snapshot.label if case.snapshot else "",
        "here": {n: [case.hub.get(n, ""), text] for n, text in case.takes.items()},
        "there": {n: [case.crm.get(n, ""), text] for n, text in case.sends.items()},
    }


def _ours(drive: Drive) -> bool:
    """Go through what is only here, or all of ours where nothing is pulled."""
    run, mapping = drive.run, drive.mapping
    linked = Link.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        remote_object=mapping.remote_object,
        record_id=OuterRef("pk"),
    )
    rows = MODELS[mapping.record_type].objects.order_by("pk")
    if mapping.direction == ObjectMapping.Direction.BOTH:
        rows = rows.filter(~Exists(linked))
    if mapping.only_kinds:
        rows = rows.filter(kind__in=mapping.only_kinds)
    met = set(run.cursor.get("met", ()))
    while drive.may_go_on():
        last = run.cursor.get("last_id", 0)
        ids = list(
            rows.filter(pk__gt=last).values_list("pk", flat=True)[: backfill.CHUNK]
        )
        if not ids:
            return True
        found = foresee_out(
            mapping, [one for one in ids if one not in met], drive.connector
        )
        drive.count(Counter(one.outcome for one in found))
        for one in found:
            if len(run.samples) < SAMPLES and one.fields:
                run.samples.append(one.sample)
        run.cursor["last_id"] = ids[-1]
        drive.save(samples=run.samples)
    return False
