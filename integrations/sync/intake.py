"""Takes remote records in: resolve, compare, write ours, remember what both agreed on.

Nothing is called while a transaction is open. What the CRM must get in turn becomes
outbox rows, or is handed back to a push that asked before writing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, OperationalError

from crmsync.core import queue
from crmsync.core.queue import Failure
from integrations.connectors.base import Connector
from integrations.mapping.echo import is_stale
from integrations.models import Link, ObjectMapping, Run
from integrations.records import RemoteRecord
from integrations.sync import (
    compare,
    conversions,
    failures_in,
    mass_ties,
    parents,
    resolve,
    settle,
)
from integrations.sync.by_then import ByThen
from integrations.sync.cases import Case
from integrations.sync.counting import Tally
from integrations.sync.settle import Context
from integrations.sync.terms import Terms, terms_of
from integrations.sync.turns import Turn, words_of

# A record of ours that is edited at every try would be compared for ever.
MAX_TRIES = 3


@dataclass(slots=True)
class Taken:
    """What became of remote records. sends: remote id -> fields the CRM must get."""

    cases: list[Case] = field(default_factory=list)
    sends: dict[str, dict[str, str]] = field(default_factory=dict)


def take_in(
    mapping: ObjectMapping,
    records: Sequence[RemoteRecord],
    connector: Connector,
    *,
    run: Run | None = None,
    trace_id: str = "",
    sending: bool = False,
    keeps_failures: bool = True,
    ties: bool = False,
    met: Mapping[str, int] | None = None,
    tally: Tally | None = None,
    turn: Turn | None = None,
    read_at: datetime | None = None,
) -> Taken:
    """Bring the hub in step with these records.

    sending: the caller writes what the CRM must get; otherwise outbox rows are made.
    keeps_failures: what failed becomes a row in the error list, or is the caller's.
    ties: also compare what known records belong to, which costs further calls.
    met: remote id -> record of ours that the caller found it to be.
    tally: gets what is to be counted for the run, which the caller does.
    turn: the place of these records among those that are settled beside them.
    read_at: when they began to be read, where we may have written since.
    """
    terms = terms_of(mapping, connector)
    context = Context(
        mapping,
        run=run,
        trace_id=trace_id,
        sending=sending,
        keeps_failures=keeps_failures,
        tally=tally,
    )
    todo = list({one.remote_id: one for one in records}.values())
    taken = Taken()
    tries = 0
    while todo:
        if turn is not None:
            turn.look()
        cases = planned(
            mapping,
            todo,
            terms,
            connector,
            ties=ties,
            sending=sending,
            met=met,
            read_at=read_at,
        )
        held = _held(mapping, cases, turn) if turn is not None else set()
        # What one of them is made of, another of them is then found to be.
        later = [c for c in cases if id(c) in held or c.repeats]
        if later:
            put_off = {id(case) for case in later}
            cases = [case for case in cases if id(case) not in put_off]
        if run is not None:
            mass_ties.check(mapping, cases, run=run)
            if run.kind == Run.Kind.PULL:
                _mark_seen(mapping, cases)
        stale = _settled(context, cases, terms, last=tries == MAX_TRIES - 1)
        again = {id(case) for case in stale}
        taken.cases += [case for case in cases if id(case) not in again]
        todo = [case.record for case in (*stale, *later)]
        # What only waits for another is no try: that one is settled or has failed.
        tries += bool(stale)
        if held and turn is not None:
            turn.wait_for_before()
    taken.sends = {case.ref: case.sends for case in taken.cases if case.is_sent}
    return taken


def _settled(
    context: Context, cases: Sequence[Case], terms: Terms, *, last: bool
) -> list[Case]:
    """Store the cases; return those to be compared anew, none after the last try."""
    try:
        stale = settle.settle(context, cases, terms)
    except (IntegrityError, OperationalError):
        # A push linked one of these meanwhile, or was in the way: look once more.
        if last:
            raise
        return list(cases)
    if not last:
        return stale
    for case in stale:
        told = "It was changed here again and again meanwhile."
        case.failure = Failure("transient", told)
    settle.settle(context, stale, terms)
    return []


def _held(mapping: ObjectMapping, cases: Sequence[Case], turn: Turn) -> set[int]:
    """Return the ids of the cases that are looked for again after the page before."""
    must = turn.meeting([words_of(mapping, case) for case in cases])
    return {id(case) for case, it_must in zip(cases, must, strict=True) if it_must}


def _mark_seen(mapping: ObjectMapping, cases: Sequence[Case]) -> None:
    """Mark what a poll shows again: its overlap does so for minutes.

    What such a record holds, fails by or must be sent was told and asked for then.
    """
    failing = [case for case in cases if case.failure is not None]
    told = failures_in.parked(mapping, [case.ref for case in failing])
    for case in cases:
        link = case.link
        case.seen = case.ref in told or (
            case.failure is None
            and link is not None
            and link.pulled_at is not None
            and link.remote_version is not None
            and link.remote_version == case.record.updated_at
            and not _turned_since(case, link)
        )


def _turned_since(case: Case, link: Link) -> bool:
    """Tell whether a field has changed again under the same stamp of whole seconds."""
    return any(
        (link.turns.get(name) or [None])[-1] != turns[-1]
        for name, turns in case.turns.items()
    )


def planned(
    mapping: ObjectMapping,
    records: Sequence[RemoteRecord],
    terms: Terms,
    connector: Connector,
    *,
    ties: bool = False,
    sending: bool = False,
    met: Mapping[str, int] | None = None,
    by_then: ByThen | None = None,
    read_at: datetime | None = None,
) -> list[Case]:
    """Return what follows for each record; nothing is written.

    by_then: what is different from what is stored, in a run that is only foreseen.
    """
    cases = resolve.cases_of(mapping, records, terms, met=met or {}, by_then=by_then)
    conversions.recognise(mapping, cases, connector)
    for case in cases:
        _leave_out(mapping, case)
    at = queue.now()
    compare.compare(
        mapping, cases, terms, connector, at=at, sending=sending, read_at=read_at
    )
    for case in cases:
        _invert(case, terms)
    parents.find(mapping, cases, connector, known_too=ties)
    return cases


def _leave_out(mapping: ObjectMapping, case: Case) -> None:
    link = case.link
    if link is None:
        if mapping.direction == ObjectMapping.Direction.PUSH and case.record_id is None:
            case.excluded = "The mapping takes no new records in."
        return
    if link.state == Link.State.UNLINKED:
        case.excluded = "The two were unlinked by hand."
    elif is_stale(case.record.updated_at, link.remote_version):
        case.excluded = "Older than what was seen before."


def _invert(case: Case, terms: Terms) -> None:
    case.values, problems = terms.inverse(case.takes)
    for name, problem in problems.items():
        # As in `settle`: an owner who is nobody here holds up nothing.
        of_owner = terms.rules[name].source == settle.OWNER
        case.problems[name] = "" if of_owner else problem.message
        case.outcomes.pop(name, None)
