"""Why a record is not in step with a CRM: one answer, the one that must go first.

PURE: a table of judges over plain facts; the first that has something to say wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from integrations import causes

Tone = Literal["ok", "warn", "bad", "info", "idle"]
# Where it is mended: a page, or nowhere since it passes by itself.
Fix = Literal["", "connection", "mapping", "conflict", "failure", "run"]

# How long what was deleted there waits before it is deleted here as well.
QUARANTINE = timedelta(days=7)
_NO_TIME = 9000
# What is told of a conflict that a rule leaves to a person.
ASKED = frozenset({"Ask me"})


@dataclass(frozen=True, slots=True)
class Facts:
    """One record under one mapping.

    there: the connection's name; connection, link, item, breaker: their states, "" for
    none; held_by_run: the paused run its row belongs to; conflicts: why each is open;
    match: the label of what it is found by, "" for nothing; findable: it has a value
    there; incoming: the class of what did not come in; excluded: why it was last left
    out.
    """

    there: str
    now: datetime
    connection: str = "active"
    mode: str = "realtime"
    direction: str = "push"
    creates: bool = True
    deletes: str = "unlink"
    next_batch_at: datetime | None = None
    link: str = ""
    gone_at: datetime | None = None
    item: str = ""
    error_class: str = ""
    error: str = ""
    failed: bool = False
    not_before: datetime | None = None
    held_by_run: int | None = None
    blocked: str = ""
    breaker: str = "closed"
    breaker_until: datetime | None = None
    paused_until: datetime | None = None
    urgent: bool = True
    batch_paused_until: datetime | None = None
    conflicts: Sequence[str] = ()
    match: str = ""
    findable: bool = True
    incoming: str = ""
    incoming_error: str = ""
    excluded: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer. code: for programs; status: for the pill; until: when it passes."""

    code: str
    status: str
    tone: Tone
    reason: str = ""
    until: datetime | None = None
    fix: Fix = ""


Judge = Callable[[Facts], Verdict | None]


def judge(facts: Facts) -> Verdict:
    """Return why a record is as it is, or that it is in step.

    >>> from datetime import UTC
    >>> judge(Facts("HubSpot", datetime(2026, 3, 1, tzinfo=UTC), link="linked")).status
    'In step'
    """
    for one in JUDGES:
        if (verdict := one(facts)) is not None:
            return verdict
    return _never_asked(facts)


def _is_open(facts: Facts) -> bool:
    """Tell whether something is still to be done."""
    return facts.item in {"ready", "leased", "waiting"}


def _connection(facts: Facts) -> Verdict | None:
    there = facts.there
    if facts.connection == "disconnected":
        told = f"{there} is disconnected: nothing is sent or taken in."
        return Verdict("disconnected", "Disconnected", "idle", told, fix="connection")
    if facts.connection == "needs_reauth":
        told = f"{there} must be reconnected first; what waits is sent afterwards."
        return Verdict("sign_in", "Sign-in needed", "bad", told, fix="connection")
    return None


def _gone(facts: Facts) -> Verdict | None:
    there = facts.there
    if facts.link == "deleted" and facts.deletes == "propagate" and facts.gone_at:
        told = (
            f"Deleted in {there}. Unless it is restored there, it is deleted here, too."
        )
        until = facts.gone_at + QUARANTINE
        return Verdict("quarantined", "To be deleted", "bad", told, until)
    words = {
        "deleted": f"The record was deleted in {there}; it is not made again.",
        "missing": f"The last comparison did not find it in {there}. One more without "
        "it, and it counts as deleted.",
        "forbidden": f"{there} no longer shows it to us, and does not say that it was "
        "deleted: we may have lost the permission, or it was erased for good. It stays "
        f"here, and changes wait. Give us access to it in {there} and it goes on by "
        "itself; or delete it here.",
        "unlinked": "The two were unlinked by hand.",
    }
    if facts.link not in words:
        return None
    status = {"unlinked": "Unlinked", "forbidden": "Not visible to us"}
    codes = {"missing": "missing", "unlinked": "unlinked", "forbidden": "hidden"}
    tone: Tone = "idle" if facts.link == "unlinked" else "bad"
    code = codes.get(facts.link, "deleted")
    return Verdict(code, status.get(facts.link, "Not there"), tone, words[facts.link])


def _conflict(facts: Facts) -> Verdict | None:
    if not facts.conflicts:
        return None
    count = len(facts.conflicts)
    what = "A field" if count == 1 else f"{count} fields"
    told = f"{what} changed on both sides, and the rule is to ask you."
    # More than a rule's name is to be known before anything is decided.
    more = [one for one in facts.conflicts if one and one not in ASKED]
    if more:
        told = more[0]
    return Verdict("conflict", "Conflict", "warn", told, fix="conflict")


def _parked(facts: Facts) -> Verdict | None:
    if facts.item != "parked":
        return None
    if facts.error_class == "held":
        return Verdict("held", "Held", "warn", facts.error, fix="failure")
    label = causes.of(facts.error_class).label
    if facts.error_class == "braked":
        return Verdict("braked", label, "bad", facts.error, fix="run")
    code = "rejected" if facts.error_class == "rejected" else facts.error_class
    return Verdict(code, label, "bad", facts.error, fix="failure")


def _waiting(facts: Facts) -> Verdict | None:
    if facts.item != "waiting":
        return None
    if facts.held_by_run is not None:
        told = f"It is part of run {facts.held_by_run}, which is paused."
        return Verdict("paused", "Run paused", "warn", told, fix="run")
    told = facts.error or "A record it belongs to has to be there first."
    return Verdict("parent", "Waiting for another", "info", told)


def _stopped(facts: Facts) -> Verdict | None:
    if not _is_open(facts) or facts.item == "leased":
        return None
    if facts.blocked:
        return Verdict("blocked", "Held back", "bad", facts.blocked, fix="connection")
    if facts.breaker == "open":
        told = f"Too many calls to {facts.there} failed; it is left alone for a while."
        return Verdict("breaker", "Held back", "warn", told, facts.breaker_until)
    if facts.breaker == "half":
        told = f"{facts.there} failed many times and is tried one call at a time."
        return Verdict("breaker", "Held back", "warn", told)
    paused = facts.paused_until
    if paused and paused > facts.now:
        told = f"{facts.there} asked us to slow down."
        return Verdict("rate_limited", "Slowed down", "info", told, paused)
    later = facts.batch_paused_until
    if later and later > facts.now and not facts.urgent:
        told = "The rest of today’s calls is kept for what is urgent."
        return Verdict("budget", "Slowed down", "info", told, later)
    return None


def _put_aside(facts: Facts) -> Verdict | None:
    when = facts.not_before
    if facts.item != "ready" or when is None or when.year < _NO_TIME:
        return None
    if facts.mode == "batch":
        told = "It goes with the next batch."
        return Verdict("batch", "Next batch", "info", told, facts.next_batch_at)
    told = "The mapping sends when asked: start a run, or “Sync now”."
    return Verdict("manual", "Waits to be asked", "idle", told, fix="mapping")


def _moving(facts: Facts) -> Verdict | None:
    if facts.item == "ready" and facts.failed:
        return Verdict("retrying", "Trying again", "warn", facts.error, fix="failure")
    if facts.item in {"ready", "leased"}:
        return Verdict("sending", "Sending", "info")
    return None


def _incoming(facts: Facts) -> Verdict | None:
    if not facts.incoming:
        return None
    held = facts.incoming == "held"
    told = facts.incoming_error or f"Something of {facts.there} could not be taken in."
    code = "held" if held else "not_taken"
    status = "Held" if held else "Not taken in"
    return Verdict(code, status, "warn" if held else "bad", told)


def _linked(facts: Facts) -> Verdict | None:
    return Verdict("in_step", "In step", "ok") if facts.link == "linked" else None


def _left_out(facts: Facts) -> Verdict | None:
    if facts.excluded:
        return Verdict("excluded", "Left out", "idle", facts.excluded, fix="mapping")
    if facts.direction == "pull":
        told = f"The mapping only takes in, and {facts.there} has no such record."
        return Verdict("only_pulled", "Not there", "idle", told, fix="mapping")
    if facts.creates:
        return None
    if not facts.findable or not facts.match:
        what = facts.match or "nothing"
        told = f"It has no {what} to be found by, and the mapping makes none there."
        if not facts.match:
            told = "The mapping neither looks for records nor makes any there."
        return Verdict("no_match", "Nothing to match", "idle", told, fix="mapping")
    told = f"No record there has its {facts.match}, and the mapping makes none."
    return Verdict("not_found", "Not found there", "idle", told, fix="mapping")


def _never_asked(facts: Facts) -> Verdict:
    told = "Nothing of it has been asked for yet."
    return Verdict("never_asked", "Not sent", "idle", told)


JUDGES: Sequence[Judge] = (
    _connection,
    _gone,
    _parked,
    _conflict,
    _waiting,
    _stopped,
    _put_aside,
    _moving,
    _incoming,
    _linked,
    _left_out,
)
