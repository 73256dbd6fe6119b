"""Stores what both sides changed: settled by its rule, or waiting for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from integrations.mapping.merge import Clash, Outcome
from integrations.models import Conflict, ObjectMapping
from integrations.sync.cases import Case, base_of
from integrations.sync.history import hub_times
from integrations.sync.terms import Terms


def store(mapping: ObjectMapping, cases: Sequence[Case], terms: Terms) -> None:
    """Keep both values of every conflict, so that the loser's can be restored."""
    clashing = [
        (case, name, outcome, outcome.clash)
        for case in cases
        if case.link is not None and case.link.pk and case.failure is None
        for name, outcome in case.outcomes.items()
        if outcome.clash is not None
    ]
    if not clashing:
        return
    ours = hub_times(
        mapping.record_type, [case.record_id or 0 for case, *_ in clashing]
    )
    rows = [
        _row(mapping, case, name, outcome, clash, terms, ours)
        for case, name, outcome, clash in clashing
    ]
    for_rule = [one for one in rows if one.state != Conflict.State.OPEN]
    Conflict.objects.bulk_create(for_rule)
    for one in rows:
        if one.state == Conflict.State.OPEN:
            _store_open(one)


def _row(
    mapping: ObjectMapping,
    case: Case,
    name: str,
    outcome: Outcome,
    clash: Clash,
    terms: Terms,
    ours: Mapping[tuple[int, str], tuple[datetime, str]],
) -> Conflict:
    assert case.link is not None
    rule = terms.rules[name]
    base = base_of(case.before, name)
    crm = case.crm.get(name)
    values, _ = terms.inverse({name: crm or ""}) if rule.pulls else ({}, {})
    hub_at, hub_by = ours.get((case.record_id or 0, rule.source), (None, ""))
    return Conflict(
        workspace_id=mapping.workspace_id,
        connection=mapping.connection,
        mapping=mapping,
        link=case.link,
        record_type=mapping.record_type,
        record_id=case.record_id or 0,
        field=rule.source,
        remote_field=name,
        base_value=base.crm if base else None,
        hub_value=case.hub.get(name, ""),
        crm_value=crm,
        crm_as_ours=_plain(values.get(rule.source)),
        hub_at=hub_at,
        crm_at=case.record.updated_at,
        hub_by=hub_by[:120],
        crm_by=mapping.connection.name[:120],
        rule=rule.rule,
        reason=clash.reason,
        state=Conflict.State.BY_RULE if clash.winner else Conflict.State.OPEN,
        winner=clash.winner or "",
    )


def _plain(value: object) -> object:
    """Return a value as JSON keeps it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value)


def _store_open(one: Conflict) -> None:
    """Keep one open conflict per field; what it shows follows the two sides."""
    values = {
        name: getattr(one, name)
        for name in (
            "workspace_id",
            "connection",
            "mapping",
            "record_type",
            "record_id",
            "field",
            "base_value",
            "hub_value",
            "crm_value",
            "crm_as_ours",
            "hub_at",
            "crm_at",
            "hub_by",
            "crm_by",
            "rule",
            "reason",
        )
    }
    Conflict.objects.update_or_create(
        link=one.link,
        remote_field=one.remote_field,
        state=Conflict.State.OPEN,
        defaults=values,
    )
