"""Decides, field by field, what follows when a record is compared with its CRM's.

PURE. All values are text as the CRM writes it, in one form: two texts are equal when
they mean the same, and "" is blank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

Winner = Literal["crm", "hub"]

# Rules under which the value itself wins, whoever has it and since when.
_WEIGHING = ("restrictive", "forward")

# Stands in an order for every value that is not listed.
ANY_OTHER = "*"

# Two clocks are never closer than this, whatever was measured.
SKEW = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What a field mapping says about merging.

    pulls, pushes: which ways the value may go; rule, first, tie: see the model;
    clears: a blank is news, too; order: values from the earliest to the latest;
    default: what we send in place of a blank, which is no value when it comes back;
    steps: the values of a field that only moves forward there, in order, () for any
    other; backward: it may be put back all the same.
    """

    source: str
    destination: str
    pulls: bool = True
    pushes: bool = True
    rule: str = "latest"
    first: str = "fill"
    tie: Winner = "crm"
    clears: bool = False
    order: tuple[str, ...] = ()
    default: str = ""
    steps: tuple[str, ...] = ()
    backward: bool = False

    @property
    def weighs(self) -> bool:
        """Tell whether what is there may be worth more than ours, whoever sends."""
        return self.rule in _WEIGHING or bool(self.steps)

    def loosens(self, value: str, now: str) -> bool:
        """Tell whether this lets somebody in who is out: by no rule but an act."""
        if self.rule != "restrictive":
            return False
        return max(_rank(value, self), 0) < _rank(now, self)

    def is_back(self, value: str, now: str) -> bool:
        """Tell whether the CRM, which has `now`, would not take this by itself."""
        steps = self.steps
        if value not in steps or now not in steps:
            return False
        return steps.index(value) < steps.index(now)


# Tuples, since millions of these are made: frozen dataclasses cost three times as much.
class Base(NamedTuple):
    """What each side had when they were last compared; equal unless left to differ."""

    crm: str
    hub: str


class Sides(NamedTuple):
    """One field as it stands. base None: never compared; crm None: not told.

    crm_at, hub_at: when each side last changed it, both on our clock; None = unknown.
    """

    base: Base | None
    crm: str | None
    hub: str
    crm_at: datetime | None = None
    hub_at: datetime | None = None


class Clash(NamedTuple):
    """Both sides changed it. winner None: a person decides; reason: by what."""

    winner: Winner | None
    reason: str


class Outcome(NamedTuple):
    """What follows for one field.

    take: what the hub becomes, None = stays; send: what the CRM becomes, None = stays;
    base: what both are remembered as once that is done, None = as before; refused:
    what is not sent since it would be a step back.
    """

    take: str | None = None
    send: str | None = None
    base: Base | None = None
    clash: Clash | None = None
    refused: str = ""


NOTHING = Outcome()


def merge(sides: Sides, rule: FieldRule) -> Outcome:
    """Merge one field three ways; a step back is not sent where it is not allowed.

    >>> merge(Sides(Base("1", "1"), "2", "1"), FieldRule("phone", "Phone")).take
    '2'
    """
    outcome = _merge(sides, rule)
    if rule.rule == "restrictive" and outcome != NOTHING:
        outcome = _restricted(outcome, sides, rule)
    if outcome.send is None or rule.backward or not rule.steps:
        return outcome
    crm = sides.crm if sides.crm is not None else sides.base.crm if sides.base else ""
    if not rule.is_back(outcome.send, crm):
        return outcome
    return Outcome(base=Base(crm, sides.hub), refused=outcome.send)


def _restricted(outcome: Outcome, sides: Sides, rule: FieldRule) -> Outcome:
    """Let nobody in who is out on one side, but where that was somebody's own act.

    Where the stricter value may not go, both stay as they are.
    """
    base, hub = sides.base, sides.hub
    crm = sides.crm if sides.crm is not None else base.crm if base else ""
    if rule.loosens(crm, hub):
        is_act = base is not None and bool(crm) and hub == base.hub and crm != base.crm
        done = _send(hub) if rule.pushes else _differ(crm, hub)
    elif rule.loosens(hub, crm):
        is_act = base is not None and bool(hub) and crm == base.crm and hub != base.hub
        done = take(crm) if rule.pulls else _differ(crm, hub)
    else:
        return outcome
    return (
        outcome if is_act else Outcome(done.take, done.send, done.base, outcome.clash)
    )


def _merge(sides: Sides, rule: FieldRule) -> Outcome:
    """Merge what the CRM has, what we have, and what both had."""
    crm = sides.crm
    if crm is None:
        crm = sides.base.crm if sides.base else ""
        if sides.base is None:
            return NOTHING
    if crm == sides.hub:
        agreed = Base(crm, crm)
        return NOTHING if sides.base == agreed else Outcome(base=agreed)
    if sides.base is None:
        return _first(crm, sides.hub, rule)
    crm_changed, hub_changed = crm != sides.base.crm, sides.hub != sides.base.hub
    if crm_changed and hub_changed:
        return _both(crm, sides, rule)
    if crm_changed:
        return _from_crm(crm, sides.hub, rule)
    if hub_changed:
        return _from_hub(crm, sides.hub, rule)
    return NOTHING


def _first(crm: str, hub: str, rule: FieldRule) -> Outcome:
    """Two records meet: blanks are filled, and nothing else unless it was chosen.

    A rule that weighs the values themselves is such a choice, before any other: an
    opt-out counts from the first meeting on.
    """
    if not rule.pulls:
        goes = (hub or rule.clears) and _may_replace(crm, hub, rule)
        return _send(hub) if goes else _differ(crm, hub)
    if not rule.pushes:
        return take(crm) if crm else _differ(crm, hub)
    if not crm:
        return _send(hub)
    if not hub:
        return take(crm)
    if rule.rule == "union":
        return _union(crm, Sides(None, crm, hub), rule)
    if rule.rule in _WEIGHING and _rank(crm, rule) != _rank(hub, rule):
        return take(crm) if _rank(crm, rule) > _rank(hub, rule) else _send(hub)
    if rule.first == "crm":
        return take(crm)
    return _send(hub) if rule.first == "hub" else _differ(crm, hub)


def _from_crm(crm: str, hub: str, rule: FieldRule) -> Outcome:
    if not rule.pulls:
        # Ours is the truth: theirs is put right.
        goes = rule.pushes and hub and _may_replace(crm, hub, rule)
        return _send(hub) if goes else _differ(crm, hub)
    if not crm and not rule.clears:
        return _differ(crm, hub)
    if rule.rule == "blank" and hub:
        return _differ(crm, hub)
    if rule.rule == "forward" and _rank(crm, rule) < _rank(hub, rule):
        return _differ(crm, hub)
    return take(crm)


def _may_replace(crm: str, hub: str, rule: FieldRule) -> bool:
    """Tell whether ours may take the place of theirs, where only ours is sent."""
    if rule.rule == "blank":
        return not crm
    return rule.rule != "forward" or not crm or _rank(hub, rule) > _rank(crm, rule)


def _from_hub(crm: str, hub: str, rule: FieldRule) -> Outcome:
    if not rule.pushes:
        return take(crm) if rule.pulls and crm else _differ(crm, hub)
    if not hub and not rule.clears:
        return _differ(crm, hub)
    if rule.rule == "blank" and crm:
        return _differ(crm, hub)
    if rule.rule == "forward" and _rank(hub, rule) < _rank(crm, rule):
        return _differ(crm, hub)
    return _send(hub)


def _both(crm: str, sides: Sides, rule: FieldRule) -> Outcome:
    hub = sides.hub
    if not rule.pulls or not rule.pushes:
        return _from_crm(crm, hub, rule) if rule.pulls else _from_hub(crm, hub, rule)
    if not (crm and hub) and not rule.clears:
        # One side was emptied, and emptying is no news here: what is left is kept.
        return _send(hub) if hub else take(crm)
    return _RULES[rule.rule](crm, sides, rule)


# --- rules for a field that both sides changed ----------------------------------------


def _by_winner(winner: Winner, reason: str, crm: str, hub: str) -> Outcome:
    done = take(crm) if winner == "crm" else _send(hub)
    return Outcome(done.take, done.send, done.base, Clash(winner, reason))


def _crm_wins(crm: str, sides: Sides, rule: FieldRule) -> Outcome:
    return _by_winner("crm", "The CRM wins", crm, sides.hub)


def _hub_wins(crm: str, sides: Sides, rule: FieldRule) -> Outcome:
    return _by_winner("hub", "crmsync wins", crm, sides.hub)


def _latest(crm: str, sides: Sides, rule: FieldRule) -> Outcome:
    winner = later(sides.crm_at, sides.hub_at)
    reason = "Most recent wins"
    if winner is None:
        winner = rule.tie
        reason = "Too close in time to tell; decided by the tie-break"
    return _by_winner(winner, reason, crm, sides.hub)


def _fill_only(crm: str, sides: Sides, rule: FieldRule) -> Outcome:
    if not crm:
        return _send(sides.hub)
    return _differ(crm, sides.hub) if sides.hub else take(crm)


def _ask(crm: str, sides: Sides, rule: FieldRule) -> Outcome:
    return Outcome(clash=Clash(None, "Ask me"))


def _highest(crm: str, sides: Sides, rule: FieldRule) -> Outcome:
    said = "Most restrictive wins" if rule.rule == "restrictive" else "Only forward"
    ours, theirs = _rank(sides.hub, rule), _rank(crm, rule)
    winner: Winner = rule.tie if ours == theirs else "hub" if ours > theirs else "crm"
    return _by_winner(winner, said, crm, sides.hub)


def _union(crm: str, sides: Sides, rule: FieldRule) -> Outcome:
    both = sorted({*crm.split(";"), *sides.hub.split(";")} - {""})
    text = ";".join(both)
    return Outcome(
        take=text if text != sides.hub else None,
        send=text if text != crm else None,
        base=Base(text, text),
    )


_RULES: Mapping[str, Callable[[str, Sides, FieldRule], Outcome]] = {
    "crm": _crm_wins,
    "hub": _hub_wins,
    "latest": _latest,
    "blank": _fill_only,
    "ask": _ask,
    "restrictive": _highest,
    "forward": _highest,
    "union": _union,
}


def later(crm_at: datetime | None, hub_at: datetime | None) -> Winner | None:
    """Return which side changed last, None where time does not tell."""
    if crm_at is None or hub_at is None or abs(crm_at - hub_at) < SKEW:
        return None
    return "crm" if crm_at > hub_at else "hub"


def _rank(value: str, rule: FieldRule) -> int:
    """Return the place of a value in its order; what is not listed comes first, or
    where ANY_OTHER stands. A blank that is not listed always comes first.

    Without an order a yes is above a no: someone who opted out stays out.
    """
    order = rule.order or ("false", "true")
    if value and value not in order:
        value = ANY_OTHER
    return order.index(value) if value in order else -1


def take(crm: str) -> Outcome:
    return Outcome(take=crm, base=Base(crm, crm))


def _send(hub: str) -> Outcome:
    return Outcome(send=hub, base=Base(hub, hub))


def _differ(crm: str, hub: str) -> Outcome:
    """Leave both as they are and remember it: only a new change is news."""
    return Outcome(base=Base(crm, hub))
