"""Writes down what came in: our records, links, conflicts, journal, outbox rows.

One transaction: a crash before its end leaves the page to be read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crmsync.core.queue import Failure
from integrations.mapping.merge import Base
from integrations.models import Link, ObjectMapping, Run, SyncEntry
from integrations.sync import (
    clashes,
    clocks,
    counting,
    failures_in,
    hidden,
    outbox,
    steps,
    ties,
)
from integrations.sync.cases import UNSENT, Case, base_of, outcome_of, stored_base
from integrations.sync.counting import Tally
from integrations.sync.storing import (
    Line,
    NewLink,
    store_links,
    update_links,
    write_journal,
)
from integrations.sync.terms import Terms
from leads.facts import Origin
from leads.services import incoming
from leads.services.incoming import Incoming, Taken

OWNER = "owner_email"


@dataclass(frozen=True, slots=True)
class Context:
    """What a batch of records came in for; see `intake.take_in`."""

    mapping: ObjectMapping
    run: Run | None = None
    trace_id: str = ""
    sending: bool = False
    # The caller has a row of its own for each record, which says what failed.
    keeps_failures: bool = True
    # Where what came in is counted later; else it is with the records.
    tally: Tally | None = None

    @property
    def origin(self) -> Origin:
        """Return where our records' changes come from."""
        connection = self.mapping.connection
        return Origin(
            kind="connection",
            id=f"run:{self.run.pk}" if self.run else str(connection.pk),
            label=connection.name,
            trace_id=self.trace_id,
            connection_id=connection.pk,
        )

    @property
    def seen_in(self) -> int | None:
        """Return the full comparison that sees these records, if one does."""
        run = self.run
        return run.pk if run and run.kind == Run.Kind.RECONCILE else None


def settle(context: Context, cases: Sequence[Case], terms: Terms) -> list[Case]:
    """Store the outcome of every case; return those to be compared anew."""
    if not cases:
        return []
    with transaction.atomic():
        stale = _pushed_meanwhile(cases)
        again = {id(case) for case in stale}
        cases = [case for case in cases if id(case) not in again]
        results = _write_ours(context, cases, terms)
        stale += [c for c in cases if (r := results.get(c.ref)) is not None and r.stale]
        again = {id(case) for case in stale}
        done = [case for case in cases if id(case) not in again]
        shown = _hidden_until_now(done)
        for case in done:
            _note_errors(case, results.get(case.ref), terms)
        _store_links(context, done, results)
        hidden.show_again(context.mapping, shown)
        clashes.store(context.mapping, done, terms)
        _store_entries(context, done, results, terms)
        if context.keeps_failures:
            failures_in.store(context.mapping, done)
        if not context.sending:
            _queue_sends(context, done)
        if context.tally is None:
            counting.count_in(context.run, done, results)
    if context.tally is not None and context.run is not None:
        context.tally.note(context.run, done, results)
    return stale


def _pushed_meanwhile(cases: Sequence[Case]) -> list[Case]:
    """Return those whose push was written down since they were compared; lock the rest.

    What it wrote would look like somebody's change there, and what it agreed on would
    be forgotten.
    """
    known = {
        case.link.pk: (case, case.link.pushed_at)
        for case in cases
        if case.link is not None
        and case.failure is None
        and not case.excluded
        and (case.outcomes or case.parents or case.written)
    }
    if not known:
        return []
    links = Link.objects.filter(pk__in=known).order_by("pk").select_for_update()
    now = links.values_list("pk", "pushed_at")
    return [known[pk][0] for pk, at in now if at != known[pk][1]]


def _hidden_until_now(cases: Sequence[Case]) -> list[Link]:
    links = [case.link for case in cases if case.link is not None]
    return [one for one in links if one.state == Link.State.FORBIDDEN]


def _write_ours(
    context: Context, cases: Sequence[Case], terms: Terms
) -> dict[str, Taken]:
    mapping = context.mapping
    rows = _rows(mapping, cases)
    if not rows:
        return {}
    taken = incoming.take(
        mapping.workspace, mapping.record_type, rows, origin=context.origin
    )
    return {one.ref: one for one in taken}


def foresee(
    mapping: ObjectMapping, cases: Sequence[Case], terms: Terms
) -> dict[str, Taken]:
    """Return what writing ours would come to, and note in the cases what is refused.

    Nothing is written; a stale one would be compared anew.
    """
    rows = _rows(mapping, cases)
    taken = incoming.foresee(mapping.workspace, mapping.record_type, rows)
    results = {one.ref: one for one in taken}
    for case in cases:
        result = results.get(case.ref)
        if result is None or not result.stale:
            _note_errors(case, result, terms)
    return results


def _rows(mapping: ObjectMapping, cases: Sequence[Case]) -> list[Incoming]:
    entered_at = _entered_at(mapping, cases)
    return [
        Incoming(
            ref=case.ref,
            record_id=case.record_id,
            values=case.values,
            expected=_expected(case),
            parents=case.parents,
            kind=_kind(mapping) if case.record_id is None else "",
            said_at=entered_at.get(case.ref),
            currency=mapping.connection.currency,
        )
        for case in cases
        if _writes_ours(case)
    ]


def _entered_at(mapping: ObjectMapping, cases: Sequence[Case]) -> dict[str, datetime]:
    """Return remote id -> when the record was changed there, on our clock.

    Never after now: what we have read was entered before, whatever clocks say.
    """
    stamps = {c.ref: c.record.updated_at for c in cases if _writes_ours(c)}
    if not stamps:
        return {}
    now, ahead = timezone.now(), clocks.ahead_of_ours(mapping.connection)
    return {ref: min(stamp - ahead, now) for ref, stamp in stamps.items() if stamp}


def _writes_ours(case: Case) -> bool:
    if case.failure is not None or case.excluded:
        return False
    return case.record_id is None or bool(case.values) or bool(case.parents)


def _expected(case: Case) -> Mapping[str, object] | None:
    if case.snapshot is None:
        return None
    return {name: case.snapshot.values.get(name) for name in case.values}


def _kind(mapping: ObjectMapping) -> str:
    return str(mapping.only_kinds[0]) if mapping.only_kinds else ""


def _note_errors(case: Case, result: Taken | None, terms: Terms) -> None:
    """A value that could not be kept here is held; the rest of the record is in."""
    if result is None:
        return
    if result.record_id is None and not result.created:
        told = "; ".join(f"{n}: {why}" for n, why in result.errors.items())
        case.failure = Failure("rejected", told or "It could not be made here.")
        return
    case.record_id = result.record_id
    for name, source in terms.sources.items():
        if source in result.errors and name in case.outcomes:
            # Somebody there who is nobody here must not hold up every record they own,
            # as little as the other way round.
            told = "" if source == OWNER else result.errors[source]
            case.problems[name] = told
            del case.outcomes[name]


# --- links ----------------------------------------------------------------------------

_RENEWED = (
    "base",
    "written",
    "turns",
    "remote_version",
    "pulled_at",
    "state",
    "gone_at",
    "remote_id",
    "seen_in",
)


def _store_links(
    context: Context, cases: Sequence[Case], results: Mapping[str, Taken]
) -> None:
    """Store them; a new one is not given to its case, where nothing asks for it."""
    at = timezone.now()
    new: list[NewLink] = []
    changed: list[Link] = []
    for case in cases:
        if case.failure is not None or case.excluded or case.record_id is None:
            continue
        if case.link is None:
            result = results.get(case.ref)
            new.append(_new_link(context, case, case.record_id, result, at))
        elif _is_news(case, results.get(case.ref)):
            _renew(case.link, case, results.get(case.ref), at)
            case.link.seen_in = context.seen_in or case.link.seen_in
            changed.append(case.link)
        else:
            continue
        case.stored = True
    store_links(context.mapping, new)
    update_links(changed, _RENEWED)


def _is_news(case: Case, result: Taken | None) -> bool:
    assert case.link is not None
    return bool(
        case.outcomes
        or result
        or case.written
        or case.turns
        or any(ties.agreed(case.link, n) != one for n, one in case.agreed.items())
        or _is_back(case, case.link.state)
        or case.link.remote_version != case.record.updated_at
    )


def _is_back(case: Case, state: str) -> bool:
    """Tell whether a record is there that was thought to be gone.

    Not by a poll that shows again what it had shown before the deletion: the index
    that it searches lags behind.
    """
    if state == Link.State.DELETED:
        return not case.seen
    return state in {Link.State.MISSING, Link.State.FORBIDDEN}


def _new_link(
    context: Context, case: Case, record_id: int, result: Taken | None, at: datetime
) -> NewLink:
    return NewLink(
        record_id=record_id,
        remote_id=case.record.remote_id,
        found=True,
        base=_bases(case, {}) | _ties(case, result),
        remote_version=case.record.updated_at,
        pulled_at=at,
        seen_in=context.seen_in,
    )


def _renew(link: Link, case: Case, result: Taken | None, at: datetime) -> None:
    link.base = _bases(case, link.base) | _ties(case, result)
    link.written = {n: v for n, v in {**link.written, **case.written}.items() if v}
    link.turns = {n: v for n, v in {**link.turns, **case.turns}.items() if v}
    if case.record.updated_at is not None:
        link.remote_version = case.record.updated_at
    link.pulled_at = at
    link.state, link.gone_at = Link.State.LINKED, None
    link.remote_id = case.record.remote_id


def _bases(case: Case, before: Mapping[str, object]) -> dict[str, object]:
    """Return what both sides are remembered as.

    What has still to be sent is not agreed on: theirs is noted as seen, ours as unsent.
    """
    bases = dict(before)
    for name, outcome in case.outcomes.items():
        if outcome.send is not None:
            crm = case.crm.get(name)
            if crm is None:
                known = base_of(before, name)
                crm = known.crm if known else ""
            bases[name] = stored_base(Base(crm, UNSENT))
        elif outcome.base is not None:
            bases[name] = stored_base(outcome.base)
    return bases


def _ties(case: Case, result: Taken | None) -> dict[str, object]:
    """Return what both sides belong to now; "" where it was taken away."""
    refused = result.errors if result is not None else {}
    found: dict[str, int | None] = {**case.agreed, **case.parents}
    return {
        ties.base_name(name): "" if parent_id is None else str(parent_id)
        for name, parent_id in found.items()
        if name not in refused
    }


# --- journal and outbox ---------------------------------------------------------------


def _store_entries(
    context: Context,
    cases: Sequence[Case],
    results: Mapping[str, Taken],
    terms: Terms,
) -> None:
    lines = [
        line
        for case in cases
        if (line := _line(context, case, results.get(case.ref), terms)) is not None
    ]
    write_journal(context.mapping, lines)


def _line(
    context: Context, case: Case, result: Taken | None, terms: Terms
) -> Line | None:
    outcome = outcome_of(case, result)
    if outcome in {SyncEntry.Outcome.UNCHANGED, SyncEntry.Outcome.EXCLUDED}:
        return None
    held = [told for told in case.problems.values() if told]
    clashes_ = (case.outcomes[name].clash for name in case.fights)
    held += [one.reason for one in clashes_ if one is not None]
    held += filter(None, [steps.refused(context.mapping, case, terms)])
    message = case.failure.message if case.failure else " ".join(held)
    changed = result.changed if result else {}
    return Line(
        record_id=case.record_id or 0,
        outcome=outcome,
        remote_id=case.record.remote_id,
        direction="pull",
        fields=sorted(case.takes),
        error_class=case.failure.error_class if case.failure else "",
        message=message,
        trace_id=context.trace_id,
        run_id=context.run.pk if context.run else None,
        undo={n: list(pair) for n, pair in changed.items()} if context.run else {},
    )


def _queue_sends(context: Context, cases: Sequence[Case]) -> None:
    """Ask for a push of what the CRM must get; a mapping that only pulls has none."""
    fresh = [c for c in cases if c.is_sent and not c.failure and not c.seen]
    ids = [one.record_id for one in fresh if one.record_id]
    if ids and context.mapping.active:
        run = context.run
        outbox.queue_records(
            context.mapping.workspace,
            context.mapping,
            ids,
            trace_id=context.trace_id,
            lane=outbox.REALTIME if run is None else outbox.BULK,
            run=run.pk if run is not None and run.counts_pushes else None,
        )
