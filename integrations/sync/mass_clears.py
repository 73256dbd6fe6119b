"""Stops a poll or a comparison before it empties fields of very many records here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.connectors.base import Connector
from integrations.models import Link, ObjectMapping, Run
from integrations.records import RemoteRecord
from integrations.sync import brake, intake
from integrations.sync.cases import Case, base_of
from integrations.sync.counting import clears
from integrations.sync.terms import Terms

TOLD = "{:,} records would have fields emptied here."


def check(
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
    suspects = _suspects(mapping, records, terms)
    if not suspects:
        return
    cases = intake.planned(mapping, suspects, terms, connector)
    cleared = [one for one in cases if clears(one)]
    # The row counts what is stored, later and elsewhere; the next page must know now.
    run.cleared_here += len(cleared)
    if cleared and brake.CLEARED.is_passed(
        run.cleared_here, of=brake.links_of(mapping)
    ):
        told = [_sample(case) for case in cleared]
        change = Run.MassChange.CLEARS
        brake.stop(run, change, len(cleared), told, told=TOLD)


def _suspects(
    mapping: ObjectMapping, records: Sequence[RemoteRecord], terms: Terms
) -> list[RemoteRecord]:
    """Return the records with a blank where there was none when we last agreed."""
    blank = {one.remote_id: names for one in records if (names := _blanks(one, terms))}
    if not blank:
        return []
    rows = Link.objects.filter(
        connection=mapping.connection,
        remote_object=mapping.remote_object,
        remote_id__in=list(blank),
    )
    bases = dict(rows.values_list("remote_id", "base"))
    return [
        one
        for one in records
        if one.remote_id in blank
        and _had_a_value(bases.get(one.remote_id), blank[one.remote_id])
    ]


def _blanks(record: RemoteRecord, terms: Terms) -> list[str]:
    return [
        name
        for name, rule in terms.rules.items()
        if rule.clears and name in record.fields and not record.fields[name]
    ]


def _had_a_value(base: Mapping[str, object] | None, names: Sequence[str]) -> bool:
    """Tell whether a field was not empty before; of one never compared it may be."""
    if base is None:
        return True
    known = [base_of(base, name) for name in names]
    return any(one is None or one.crm or one.hub for one in known)


def _sample(case: Case) -> dict[str, object]:
    return {
        "record_id": case.record_id,
        "remote_id": case.record.remote_id,
        "before": {n: case.hub.get(n, "") for n in case.takes},
        "after": dict(case.takes),
    }
