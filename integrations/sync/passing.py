"""Keeps a person's edit in a CRM that was over before its record was read.

A hint's values wait here for the read, and what it does not show any more goes into the
record's history. They are never taken for what the CRM has: only a read tells that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone
from django_scopes import scopes_disabled

from integrations.mapping import echo
from integrations.mapping.engine import Problem
from integrations.mapping.passing import (
    Known,
    Step,
    Told,
    edits,
    in_order,
    is_explained,
)
from integrations.models import (
    Connection,
    FieldMapping,
    Link,
    LinkAlias,
    ObjectMapping,
    SyncEntry,
    ToldValue,
)
from integrations.sync import clocks, moved, unanswered
from integrations.sync.cases import UNSENT, Case, base_of
from integrations.sync.history import Brought, brought, stored, stored_name, worded
from integrations.sync.storing import Line, write_journal
from integrations.sync.terms import Terms
from integrations.webhooks.base import Hint
from leads.facts import RecordChange
from leads.services import changes, saving

KEEP = timedelta(days=1)
AGAIN = "Changed there and changed again before it was read: {names}."


# --- what is told ---------------------------------------------------------------------


def keep(
    connection: Connection,
    told: Sequence[tuple[Hint, str]],
    mappings: Mapping[str, Sequence[ObjectMapping]],
) -> None:
    """Keep the values of hints until their records are read; told twice is once.

    told: with the trace id of each; mappings: remote object -> what takes it in.
    """
    values = [
        (hint, hint.at, name, value or "", trace_id)
        for hint, trace_id in told
        if hint.at is not None
        for name, value in hint.fields.items()
        if len(value or "") <= ToldValue.MAX_LENGTH
    ]
    if not values:
        return
    pulled = _pulled(mappings)
    rows = [
        ToldValue(
            workspace_id=connection.workspace_id,
            connection=connection,
            remote_object=hint.remote_object,
            remote_id=hint.remote_id,
            field=name,
            value=value,
            at=at,
            trace_id=trace_id,
        )
        for hint, at, name, value, trace_id in values
        if (hint.remote_object, name) in pulled
    ]
    ToldValue.objects.bulk_create(rows, ignore_conflicts=True)


def _pulled(
    mappings: Mapping[str, Sequence[ObjectMapping]],
) -> set[tuple[str, str]]:
    """Return (remote object, remote field) of all that is taken in."""
    ids = [one.pk for some in mappings.values() for one in some]
    rows = FieldMapping.objects.filter(
        mapping__in=ids, active=True, suspended_because=""
    ).exclude(direction=FieldMapping.Direction.PUSH)
    return set(rows.values_list("mapping__remote_object", "destination"))


# --- what is read ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heard:
    """What was told of records before they were read.

    began: when they were begun to be taken in; slack: how much older than what was told
    a picture of the record may look and yet show it.
    """

    rows: Sequence[ToldValue]
    began: datetime
    slack: timedelta


def newest() -> Subquery:
    """Return the newest row of a mapping's connection, for a query of mappings."""
    rows = ToldValue.objects.filter(connection=OuterRef("connection"))
    return Subquery(rows.order_by("-pk").values("pk")[:1])


def heard(
    mapping: ObjectMapping,
    remote_ids: Collection[str],
    *,
    up_to: int | None = None,
    slack: timedelta = timedelta(0),
) -> Heard:
    """Return what was told of these records; ask before they are read.

    up_to: no row after this one, where they have been read already.
    """
    rows = ToldValue.objects.filter(
        connection=mapping.connection,
        remote_object=mapping.remote_object,
        remote_id__in=list(remote_ids),
    ).exclude(field="")
    if up_to is not None:
        rows = rows.filter(pk__lte=up_to)
    return Heard(list(rows.order_by("pk")), timezone.now(), slack)


def settle(
    mapping: ObjectMapping, told: Heard, cases: Sequence[Case], terms: Terms
) -> None:
    """Put what passed into history, and forget what was told of what has been read.

    cases: the records as they were taken in. One that failed will be read again.
    """
    if not told.rows:
        return
    by_ref = {case.ref: case for case in cases}
    over = [r for r in told.rows if _is_over(r, by_ref.get(r.remote_id), told.slack)]
    with transaction.atomic():
        if doubted := _doubted(mapping, replace(told, rows=over), by_ref, terms):
            # As whoever deletes a record does: first the record, then what is about it.
            there = saving.locked(mapping.record_type, {f.record_id for f in doubted})
            left = replace(told, rows=_locked(over))
            doubted = _doubted(mapping, left, by_ref, terms)
            _tell(mapping, [one for one in doubted if one.record_id in there], terms)
        ToldValue.objects.filter(pk__in=[row.pk for row in over]).delete()


def _locked(rows: Sequence[ToldValue]) -> list[ToldValue]:
    """Return those that nobody else has settled meanwhile."""
    found = ToldValue.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    return list(found.select_for_update())


def _is_over(row: ToldValue, case: Case | None, slack: timedelta) -> bool:
    """Tell whether the record has been read since; a search may show an older one."""
    if case is None:  # gone there, or another record by now
        return True
    if case.failure is not None:
        return False
    if case.link is None:
        return case.stored
    if case.link.state == Link.State.UNLINKED or case.snapshot is None:
        return True
    stamp = case.record.updated_at
    return bool(slack) if stamp is None else row.at <= stamp + slack


# --- what passed ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of which something was told that a read does not explain."""

    case: Case
    link: Link
    name: str
    source: str
    told: Sequence[Told]
    known: Known

    @property
    def record_id(self) -> int:
        return self.link.record_id


def _doubted(
    mapping: ObjectMapping, told: Heard, by_ref: Mapping[str, Case], terms: Terms
) -> list[_Field]:
    grouped: dict[tuple[str, str], list[ToldValue]] = {}
    for row in told.rows:
        grouped.setdefault((row.remote_id, row.field), []).append(row)
    found = []
    for (ref, name), rows in grouped.items():
        case = by_ref.get(ref)
        if case is not None and _is_compared(case, name, terms):
            one = _field(mapping, told, case, name, rows, terms)
            if any(not _is_clear(one, each) for each in one.told):
                found.append(one)
    return found


def _is_compared(case: Case, name: str, terms: Terms) -> bool:
    """Tell whether the field was compared with something both had agreed on before."""
    rule = terms.rules.get(name)
    return bool(
        rule is not None
        and rule.pulls
        and case.link is not None
        and case.failure is None
        and not case.excluded
        and case.before
        and name in case.crm
    )


def _field(
    mapping: ObjectMapping,
    told: Heard,
    case: Case,
    name: str,
    rows: Sequence[ToldValue],
    terms: Terms,
) -> _Field:
    assert case.link is not None
    base, rule = base_of(case.before, name), terms.rules[name]
    values = in_order(
        Told(
            _in_one_form(case, name, row.value, terms),
            clocks.on_ours(row.at, mapping.connection),
            row.trace_id,
        )
        for row in rows
    )
    before = _in_one_form(case, name, base.crm if base else "", terms)
    agreed = {before, base.hub} - {UNSENT} if base else {before}
    known = Known(
        read=_in_one_form(case, name, case.crm[name], terms),
        read_at=told.began,
        before=before,
        agreed=frozenset(agreed),
        began=told.began,
    )
    return _Field(case, case.link, name, rule.source, values, known)


def _in_one_form(case: Case, name: str, text: str, terms: Terms) -> str:
    """Return a value as comparing has it; a default of ours for a blank is none."""
    value = terms.canon[name](text)
    is_default = value == terms.rules[name].default and not case.hub.get(name)
    return "" if is_default else value


def _is_clear(one: _Field, told: Told) -> bool:
    """Tell without asking anybody that a value is no person's edit."""
    written = one.link.written.get(one.name, ())
    return (
        is_explained(told, one.known)
        or echo.own_echo(written, told.value, told.at) is not None
    )


def _tell(mapping: ObjectMapping, doubted: Sequence[_Field], terms: Terms) -> None:
    """Write down what passed: history with its values, the journal without."""
    if not doubted:
        return
    since = min(one.told[0].at for one in doubted) - echo.MARGIN
    kept = brought(mapping, {one.record_id for one in doubted}, since=since)
    ours = unanswered.may_have_written(
        mapping, [(one.case, one.link, one.name) for one in doubted], terms
    )
    passed = [
        (one, step)
        for one in doubted
        for step in _steps(one, kept, ours.get((one.record_id, one.name), ()), terms)
    ]
    changes.note(
        mapping.workspace,
        ((_change(mapping, one, step, terms), step.at) for one, step in passed),
    )
    _write_lines(mapping, [one for one, _ in passed])


def _steps(
    one: _Field,
    kept: Mapping[tuple[int, str], Sequence[Brought]],
    ours: Collection[str],
    terms: Terms,
) -> list[Step]:
    found = kept.get((one.record_id, stored_name(one.source)), ())
    steps = [
        Step(
            _text(one, each.old, terms),
            _text(one, each.new, terms),
            each.at,
            taken=not each.passed,
        )
        for each in found
    ]
    return edits(
        one.told,
        replace(one.known, steps=steps),
        lambda told: _is_clear(one, told) or told.value in ours,
    )


def _text(one: _Field, value: object, terms: Terms) -> str:
    """Return a value of our history as it is there."""
    if value in (None, ""):
        return ""
    values = one.case.snapshot.values if one.case.snapshot else {}
    ours = worded(one.source, value)
    text = terms.texts.texts({**values, one.source: ours}).get(one.name)
    is_known = text is not None and not isinstance(text, Problem)
    return terms.canon[one.name](str(text if is_known else value))


def _change(
    mapping: ObjectMapping, one: _Field, step: Step, terms: Terms
) -> RecordChange:
    values = (_value(one, step.old, terms), _value(one, step.new, terms))
    fields = {stored_name(one.source): changes.as_pair(values)}
    origin = replace(moved.origin_of(mapping), trace_id=step.trace_id)
    return RecordChange(mapping.record_type, one.record_id, "passed", fields, origin)


def _value(one: _Field, text: str, terms: Terms) -> object:
    """Return a value as it would be here; in their words where we have none for it."""
    values, _ = terms.inverse({one.name: text})
    return stored(one.source, values.get(one.source, text))


def _write_lines(mapping: ObjectMapping, passed: Sequence[_Field]) -> None:
    names: dict[str, set[str]] = {}
    for one in passed:
        names.setdefault(one.case.ref, set()).add(one.name)
    lines = {
        one.case.ref: Line(
            record_id=one.record_id,
            outcome=SyncEntry.Outcome.UNCHANGED,
            remote_id=one.case.ref,
            direction="pull",
            fields=sorted(names[one.case.ref]),
            message=AGAIN.format(names=", ".join(sorted(names[one.case.ref]))),
            trace_id=one.told[-1].trace_id,
        )
        for one in passed
    }
    write_journal(mapping, lines.values())


# --- what is forgotten ----------------------------------------------------------------


def forget(told: Sequence[RecordChange]) -> None:
    """Forget what was told of records that have been deleted here."""
    gone: dict[str, list[int]] = {}
    for change in told:
        if change.action == "deleted":
            gone.setdefault(change.record_type, []).append(change.record_id)
    for record_type, ids in gone.items():
        there = {
            name: OuterRef(name)
            for name in ("connection", "remote_object", "remote_id")
        }
        links = Link.objects.filter(record_type=record_type, record_id__in=ids)
        former = LinkAlias.objects.filter(link__in=links, **there)
        mine = Q(Exists(links.filter(**there))) | Q(Exists(former))
        ToldValue.objects.filter(mine).delete()


@scopes_disabled()
def prune() -> None:
    """Forget what no read has asked for within a day."""
    oldest = timezone.now() - KEEP
    ToldValue.objects.filter(heard_at__lt=oldest).delete()
