"""Decides what becomes of each claimed outbox row: a value that can be printed.

PURE. The pipeline in `push` gathers the facts and carries the decisions out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from integrations.mapping.engine import Mapped, Problem
from integrations.mapping.merge import FieldRule
from integrations.records import Association, Write
from integrations.sync.subjects import Parent, Rules, Subject
from leads.facts import Snapshot


@dataclass(frozen=True, slots=True)
class Send:
    """Write this. look_first: it may be there already: by our key where a try may have
    made it, by what it belongs to where that tells;

    compare_first: read it, since what it has may win over what we would write;
    meet_first: a new one may be there by its key, with values of its own;
    blank: fields of a new record that we have nothing to send for; ties: the parents
    it is tied to by this; untied: those it is taken from.
    """

    write: Write
    look_first: bool = False
    compare_first: bool = False
    meet_first: bool = False
    blank: tuple[str, ...] = ()
    ties: tuple[Parent, ...] = ()
    untied: tuple[Parent, ...] = ()

    @property
    def is_tie_only(self) -> bool:
        """Tell whether a record that is there gets no values by this."""
        return bool(self.write.remote_id and not self.write.fields)


@dataclass(frozen=True, slots=True)
class Find:
    """Look for a record that matches, to update it; none is made.

    apart: ids of those that it is not.
    """

    field: str
    value: str
    apart: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Delete:
    """The record was deleted here: delete it there."""

    remote_id: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing is to be sent, for this reason."""

    outcome: Literal["unchanged", "excluded"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before the parent is there."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A person must look first. about: the remote records to choose among.

    Each is its id, and the remote fields that it has a value of.
    """

    error_class: str
    message: str
    field: str = ""
    about: tuple[tuple[str, tuple[str, ...]], ...] = ()


Decision = Send | Find | Delete | Leave | Wait | Hold
# The class of what waits for a record that the CRM does not show us any more.
HIDDEN = "hidden"
_HIDDEN = Hold(
    HIDDEN, "The CRM no longer shows us the record. It goes on once it shows it again."
)
# Rules by which what is there may stay although ours changed.
_LOOKS = frozenset({"blank", "forward", "restrictive", "union"})


def decide(subject: Subject, rules: Rules) -> Decision:
    """Decide one row: what forbids sending, what is missing, then what to send."""
    record = subject.record
    if record is None:
        if (
            rules.deletes
            and subject.remote_id
            and not (subject.gone or subject.unlinked)
        ):
            return _HIDDEN if subject.hidden else Delete(subject.remote_id)
        return Leave("excluded", "The record no longer exists here.")
    if subject.elsewhere:
        return Leave("unchanged", f"It is one of the {subject.elsewhere} there.")
    if subject.unlinked:
        return Leave("excluded", "It was unlinked from its record in the CRM.")
    if subject.gone:
        return Hold("gone", "The record was deleted in the CRM; it is not made again.")
    if subject.hidden:
        return _HIDDEN
    if subject.after:
        return Wait(
            subject.after, "Looking first whether it is there as another object."
        )
    if rules.only_kinds and record.kind not in rules.only_kinds:
        # A matter of which object takes it, not worth a line in the journal.
        return Leave("unchanged", "Another object takes activities of this kind.")
    if reason := _excluded(record, subject, rules):
        return Leave("excluded", reason)
    if blocked := _blocked(subject):
        return blocked
    mapped = rules.compiled(
        record.values, creating=subject.remote_id is None, today=rules.today
    )
    if mapped.problems:
        return _held(mapped.problems)
    if subject.remote_id:
        return _update(subject, rules, mapped.fields)
    return _create(subject, rules, mapped)


def _blocked(subject: Subject) -> Hold | Wait | None:
    """Tell why a record cannot go before its parents.

    One that is there already goes on by itself, but for a parent on its way.
    """
    is_new = subject.remote_id is None
    for parent in subject.parents:
        if parent.fate == "gone" and is_new:
            told = f"{parent.label}, which it belongs to, was deleted in the CRM."
            return Hold("gone", told)
        if parent.fate == "hidden" and is_new:
            told = f"The CRM no longer shows us the {parent.label} it belongs to."
            return Hold(HIDDEN, told)
        if parent.fate == "coming" or (parent.fate == "failed" and is_new):
            return Wait(parent.key, _waiting(parent))
    return None


def _excluded(record: Snapshot, subject: Subject, rules: Rules) -> str:
    if subject.remote_id:
        return ""
    if record.values.get("source") in rules.cold_sources and not _engaged(record):
        return "Nobody has spoken with this person yet."
    if missing := rules.needs - {one.record_type for one in subject.parents}:
        above = " and ".join(sorted(missing))
        return f"No active mapping takes the {above} it belongs to."
    never = next((p for p in subject.parents if p.fate == "never"), None)
    if never is None:
        return ""
    return f"{never.label}, which it belongs to, is left out by its own mapping."


def _engaged(record: Snapshot) -> bool:
    """Tell whether a person from a source replied, or is past being contacted."""
    return bool(record.values.get("last_reply_at")) or record.values.get(
        "status"
    ) not in {
        "new",
        "contacted",
    }


def _waiting(parent: Parent) -> str:
    if parent.fate == "failed":
        return f"Waiting for {parent.label}, which could not be sent."
    return f"Waiting for {parent.label} to be sent first."


def _held(problems: tuple[Problem, ...]) -> Hold:
    told = " ".join(problem.message for problem in problems)
    first = problems[0]
    return Hold(first.error_class, told, first.field)


def _update(subject: Subject, rules: Rules, fields: Mapping[str, str]) -> Decision:
    different = {
        name: text
        for name, text in fields.items()
        if name not in subject.frozen
        and (form := _one_form(rules, name, text)) != _base(subject, name)
        and not (subject.apart and subject.not_its_own(name, form))
    }
    ties = _ties(subject)
    untied = subject.untied if rules.clear_ties else ()
    if not (different or ties or untied):
        return Leave("unchanged")
    write = Write(
        ref=subject.ref,
        object_type=rules.remote_object,
        remote_id=subject.remote_id,
        key_field=None,
        key_value=None,
        fields=different,
        associations=_associations(ties),
        mode="update",
    )
    looks = any(_looks(rules.fields.get(name)) for name in different)
    return Send(write, compare_first=looks, ties=ties, untied=untied)


def _ties(subject: Subject) -> tuple[Parent, ...]:
    return tuple(one for one in subject.parents if one.remote_id)


def _associations(
    ties: Iterable[Parent], *, yields: bool = False
) -> tuple[Association, ...]:
    return tuple(
        Association(one.remote_object, one.remote_id or "", yields=yields)
        for one in ties
    )


def _one_form(rules: Rules, name: str, text: str) -> str:
    canon = rules.canon.get(name)
    return canon(text) if canon else text


def _base(subject: Subject, name: str) -> str:
    return subject.base.get(name, "")


def _looks(rule: FieldRule | None) -> bool:
    """Tell whether what the CRM has by now must be known before ours is sent.

    Where ours wins, too: what it wins over is kept, and can be restored.
    """
    return rule is not None and bool(rule.pulls or rule.rule in _LOOKS or rule.steps)


def _create(subject: Subject, rules: Rules, mapped: Mapped) -> Decision:
    fields = mapped.fields
    own = {rules.key_field: subject.key} if rules.key_field else {}
    match = fields.get(rules.match_field, "") if rules.match_field else ""
    if subject.apart and match:
        form = _one_form(rules, rules.match_field, match)
        if apart := subject.not_its_own(rules.match_field, form):
            return Leave("excluded", apart.reason)
    if not rules.creates:
        if not match:
            return Leave(
                "unchanged", "There is nothing to find it by, and none is made."
            )
        others = frozenset(one.remote_id for one in subject.apart)
        return Find(rules.match_field, match, others)
    findable = bool(match or rules.key_field or rules.known_by_ties)
    if subject.tried and not findable:
        return Hold(
            "ambiguous",
            "The CRM may have taken this already and has no field to look it up by. "
            "Look there first; a retry creates it.",
        )
    ties = _ties(subject)
    upsert = bool(match) or (bool(own) and not rules.ties)
    write = Write(
        ref=subject.ref,
        object_type=rules.remote_object,
        remote_id=None,
        key_field=(rules.match_field if match else rules.key_field) or None,
        key_value=(match or subject.key) if match or own else None,
        fields={**own, **fields},
        # It may be there already: what it belongs to in the first place stays that.
        associations=_associations(ties, yields=True),
        mode="upsert" if upsert else "create",
    )
    look_first = (subject.tried and not upsert) or rules.known_by_ties
    return Send(
        write,
        look_first=look_first,
        meet_first=rules.meets and bool(match),
        blank=mapped.blank,
        ties=ties,
    )
