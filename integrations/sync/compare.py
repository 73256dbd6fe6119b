"""Compares remote records with ours, field by field, and decides what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from integrations.connectors.base import Connector
from integrations.mapping import echo
from integrations.mapping.engine import Problem
from integrations.mapping.merge import (
    NOTHING,
    Base,
    FieldRule,
    Outcome,
    Sides,
    merge,
    take,
)
from integrations.models import Conflict, Link, ObjectMapping
from integrations.sync import clocks, fights, unanswered
from integrations.sync.cases import Case, base_of
from integrations.sync.history import hub_times, stored_name
from integrations.sync.terms import Terms


class _When(NamedTuple):
    """Now, on our clock; how far theirs is ahead; when it was read, if not just now."""

    at: datetime
    ahead: timedelta
    read_at: datetime | None


def compare(
    mapping: ObjectMapping,
    cases: Sequence[Case],
    terms: Terms,
    connector: Connector,
    *,
    at: datetime,
    sending: bool = False,
    read_at: datetime | None = None,
) -> None:
    """Decide every field of every case.

    at: now, on our clock; sending: the push that asks has not written yet; read_at:
    when the records began to be read, None = just now.
    """
    ahead = clocks.ahead_of_ours(mapping.connection)
    frozen = _frozen(cases)
    decide(cases, terms, frozen=frozen, at=at, ahead=ahead, read_at=read_at)
    unanswered.recognise(mapping, cases, terms, sending=sending)
    fights.freeze(mapping, cases, terms)
    doubtful = [case for case in cases if _needs_times(case, terms)]
    if doubtful:
        _by_time(mapping, doubtful, terms, connector)


def decide(
    cases: Sequence[Case],
    terms: Terms,
    *,
    frozen: Mapping[int, frozenset[str]],
    at: datetime,
    ahead: timedelta = timedelta(0),
    read_at: datetime | None = None,
) -> None:
    """Decide every field by what the cases hold, asking nobody for more.

    frozen: link id -> remote fields that wait for a person; ahead: how far the CRM's
    clock is ahead of ours.
    """
    when = _When(at, ahead, read_at)
    for case in cases:
        if case.failure is None and not case.excluded:
            told = frozen.get(_link_id(case), frozenset())
            _decide_one(case, terms, told, when)


def _link_id(case: Case) -> int:
    return case.link.pk if case.link is not None else 0


def _frozen(cases: Sequence[Case]) -> dict[int, frozenset[str]]:
    """Return link id -> remote fields that wait for a person's decision."""
    links = [case.link.pk for case in cases if case.link is not None]
    return frozen_fields(links)


def frozen_fields(link_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """Return link id -> remote fields with an open conflict."""
    rows = Conflict.objects.filter(link__in=link_ids, state=Conflict.State.OPEN)
    found: dict[int, frozenset[str]] = {}
    for link_id, name in rows.values_list("link_id", "remote_field"):
        found[link_id] = found.get(link_id, frozenset()) | {name}
    return found


def _decide_one(
    case: Case,
    terms: Terms,
    frozen: frozenset[str],
    when: _When,
) -> None:
    fields, rules, canon = case.record.fields, terms.rules, terms.canon
    before = case.before = case.link.base if case.link is not None else {}
    crm = case.crm = {
        name: canon[name](fields[name] or "") for name in rules if name in fields
    }
    _take_ours(case, terms)
    hub, problems = case.hub, case.problems
    for name, rule in rules.items():
        ours = hub.get(name, "")
        theirs = crm.get(name)
        # Both sides have what they had, as is true of nearly all fields.
        as_before = theirs is not None and theirs == before.get(name) == ours
        if as_before or name in problems:
            continue
        if rule.default and not ours and theirs == rule.default:
            outcome = _stands_in(case, name, rule)
        elif case.link is None and theirs and not ours and rule.pulls:
            outcome = take(theirs)
        elif case.link is None:
            outcome = merge(Sides(None, theirs, ours), rule)
        else:
            outcome = _decide(case, case.link, name, rule, when)
        if outcome != NOTHING and (name not in frozen or outcome.clash is not None):
            case.outcomes[name] = outcome


def _stands_in(case: Case, name: str, rule: FieldRule) -> Outcome:
    """Leave a default there that stands for our blank: neither is a value, nor news."""
    base = Base(rule.default, "")
    return NOTHING if base_of(case.before, name) == base else Outcome(base=base)


def _take_ours(case: Case, terms: Terms) -> None:
    if case.snapshot is None:
        return
    told = terms.texts.texts(case.snapshot.values)
    for name, text in told.items():
        if isinstance(text, Problem):
            # Ours cannot be sent: that is a push's matter, unless theirs changed.
            case.problems[name] = text.message if _changed_there(case, name) else ""
        else:
            case.hub[name] = terms.canon[name](text)
    for name in terms.rules:
        if name not in told:
            # Ours cannot be said there at all, such as an owner they do not know.
            case.problems.setdefault(name, "")


def _changed_there(case: Case, name: str) -> bool:
    base, crm = base_of(case.before, name), case.crm.get(name)
    return bool(crm) if base is None else crm not in (None, base.crm)


def _decide(
    case: Case,
    link: Link,
    name: str,
    rule: FieldRule,
    when: _When,
) -> Outcome:
    sides = _sides(case, name, rule)
    if sides.base is None or sides.crm in (None, sides.base.crm):
        return merge(sides, rule)
    assert sides.crm is not None
    expected = case.written.get(name, link.written.get(name, ()))
    stamp = case.record.updated_at
    known = echo.own_echo(expected, sides.crm, stamp, read_at=when.read_at)
    if known is not None:
        case.written[name] = known.left
        return merge(_without_news(sides), rule)
    _note_turn(case, link, name, sides, at=when.at, ahead=when.ahead)
    if rule.rule == "restrictive" and not _is_newer(case, link):
        # Altered without a stamp: nobody's act, so that they meet as strangers do.
        return merge(Sides(None, sides.crm, sides.hub), rule)
    return merge(sides, rule)


def _note_turn(
    case: Case,
    link: Link,
    name: str,
    sides: Sides,
    *,
    at: datetime,
    ahead: timedelta,
) -> None:
    """Note that the CRM has changed a field, and whether it may be in a fight."""
    turns, entries = link.turns.get(name, ()), link.written.get(name, ())
    after_s = None
    if entries:
        stamp = case.record.updated_at
        changed_at = at if stamp is None else stamp - ahead
        after_s = echo.answered_s(turns, entries, changed_at)
    turned = echo.turned(
        turns, sides.crm or "", at, pushed_at=link.pushed_at, answered_s=after_s
    )
    case.turns[name] = turned.turns
    if (turned.fights or turned.hops > echo.HOPS) and sides.crm != sides.hub:
        case.fights[name] = turned.fights


def _is_newer(case: Case, link: Link) -> bool:
    """Tell whether the record was changed there since it was last seen or written."""
    stamp, seen = case.record.updated_at, link.remote_version
    return stamp is not None and (seen is None or stamp > seen)


def _sides(case: Case, name: str, rule: FieldRule) -> Sides:
    base, crm = base_of(case.before, name), case.crm.get(name)
    if rule.default and crm == rule.default and base == Base("", ""):
        # It came to stand there for the blank that both had: nobody entered it.
        base = Base(crm, "")
    return Sides(base, crm, case.hub.get(name, ""))


def _without_news(sides: Sides) -> Sides:
    assert sides.base is not None
    return Sides(sides.base, sides.base.crm, sides.hub)


# --- who was last ---------------------------------------------------------------------


def _needs_times(case: Case, terms: Terms) -> list[str]:
    return [
        name
        for name, one in case.outcomes.items()
        if one.clash and terms.rules[name].rule == "latest" and name not in case.fights
    ]


def _by_time(
    mapping: ObjectMapping, cases: Sequence[Case], terms: Terms, connector: Connector
) -> None:
    """Decide again with the times at which each side changed the field."""
    wanted = {case.ref: _needs_times(case, terms) for case in cases}
    names = sorted({name for some in wanted.values() for name in some})
    theirs = connector.changed_at(mapping.remote_object, list(wanted), names)
    ours = hub_times(mapping.record_type, [c.record_id for c in cases if c.record_id])
    for case in cases:
        told = theirs.get(case.ref, {})
        for name in wanted[case.ref]:
            stamp = told.get(name) or case.record.updated_at
            sides = _sides(case, name, terms.rules[name])
            timed = Sides(
                sides.base,
                sides.crm,
                sides.hub,
                crm_at=clocks.on_ours(stamp, mapping.connection) if stamp else None,
                hub_at=_hub_at(ours, case, terms.rules[name].source),
            )
            case.outcomes[name] = merge(timed, terms.rules[name])


def _hub_at(
    ours: Mapping[tuple[int, str], tuple[datetime, str]], case: Case, source: str
) -> datetime | None:
    at = ours.get((case.record_id or 0, stored_name(source)))
    return at[0] if at else None
