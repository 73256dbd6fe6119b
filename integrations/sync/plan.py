"""Decides what becomes of each claimed outbox row: a value that can be printed.

PURE. The pipeline in `push` gathers the facts and carries the decisions out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from integrations.mapping.canon import Canon
from integrations.mapping.engine import Compiled, Mapped, Problem
from integrations.mapping.merge import FieldRule
from integrations.records import Association, Write
from leads.facts import Snapshot


@dataclass(frozen=True, slots=True)
class Rules:
    """One object mapping as values.

    match_field: finds an unlinked record, "" for none; key_field: the unique field that
    holds our key, "" when the account refused one; ties: the object cannot be tied to
    its parents later, so it is created together with them.
    """

    remote_object: str
    compiled: Compiled
    match_field: str = ""
    key_field: str = ""
    ties: bool = False
    only_kinds: frozenset[str] = frozenset()
    # Sources whose people stay out of the CRM until someone has spoken with them.
    cold_sources: frozenset[str] = frozenset()
    # Off: records are matched and updated, never made there.
    creates: bool = True
    # remote field -> the one form of its values, and how it merges
    canon: Mapping[str, Canon] = field(default_factory=dict)
    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    # A record that was deleted here is deleted there as well.
    deletes: bool = False
    today: date = date.min


@dataclass(frozen=True, slots=True)
class Parent:
    """A record the subject belongs to. fate: where its own push stands."""

    key: str
    label: str
    remote_object: str
    remote_id: str | None
    fate: Literal["linked", "coming", "failed", "never", "gone"]


@dataclass(frozen=True, slots=True)
class Subject:
    """One record that must reach the CRM, with all that is known of it.

    base: remote field -> our value last agreed on; tried: an earlier try may have
    reached the CRM without our learning of it; elsewhere: another object that the
    record is there already; after: the row that looks for that first; frozen: fields
    that wait for a person.
    """

    ref: str
    record: Snapshot | None
    key: str
    remote_id: str | None = None
    gone: bool = False
    unlinked: bool = False
    base: Mapping[str, str] = field(default_factory=dict)
    parents: tuple[Parent, ...] = ()
    tried: bool = False
    elsewhere: str = ""
    after: str = ""
    frozen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Send:
    """Write this. look_first: by our key, because it may be there already.

    compare_first: read it, since what it has may win over what we would write;
    blank: fields of a new record that we have nothing to send for.
    """

    write: Write
    look_first: bool = False
    compare_first: bool = False
    blank: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Find:
    """Look for a record that matches, to update it; none is made."""

    field: str
    value: str


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
    """A person must look first."""

    error_class: str
    message: str
    field: str = ""


Decision = Send | Find | Delete | Leave | Wait | Hold
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
            return Delete(subject.remote_id)
        return Leave("excluded", "The record no longer exists here.")
    if subject.elsewhere:
        return Leave("unchanged", f"It is one of the {subject.elsewhere} there.")
    if subject.unlinked:
        return Leave("excluded", "It was unlinked from its record in the CRM.")
    if subject.gone:
        return Hold(
            "rejected", "The record was deleted in the CRM; it is not made again."
        )
    if subject.after:
        return Wait(
            subject.after, "Looking first whether it is there as another object."
        )
    if rules.only_kinds and record.kind not in rules.only_kinds:
        # A matter of which object takes it, not worth a line in the journal.
        return Leave("unchanged", "Another object takes activities of this kind.")
    if reason := _excluded(record, subject, rules):
        return Leave("excluded", reason)
    for parent in subject.parents:
        if parent.fate == "gone":
            return Hold(
                "rejected", f"The {parent.label} it belongs to was deleted in the CRM."
            )
        if parent.fate in {"coming", "failed"}:
            return Wait(parent.key, _waiting(parent))
    mapped = rules.compiled(
        record.values, creating=subject.remote_id is None, today=rules.today
    )
    if mapped.problems:
        return _held(mapped.problems)
    if subject.remote_id:
        return _update(subject, rules, mapped.fields)
    return _create(subject, rules, mapped)


def _excluded(record: Snapshot, subject: Subject, rules: Rules) -> str:
    if subject.remote_id:
        return ""
    if record.values.get("source") in rules.cold_sources and not _engaged(record):
        return "Nobody has spoken with this person yet."
    never = next((p for p in subject.parents if p.fate == "never"), None)
    return f"{never.label} is not sent to the CRM." if never else ""


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
    return Hold("rejected", told, problems[0].field)


def _update(subject: Subject, rules: Rules, fields: Mapping[str, str]) -> Decision:
    different = {
        name: text
        for name, text in fields.items()
        if name not in subject.frozen
        and _one_form(rules, name, text) != _base(subject, name)
    }
    if not different:
        return Leave("unchanged")
    write = Write(
        ref=subject.ref,
        object_type=rules.remote_object,
        remote_id=subject.remote_id,
        key_field=None,
        key_value=None,
        fields=different,
        mode="update",
    )
    looks = any(_looks(rules.fields.get(name)) for name in different)
    return Send(write, compare_first=looks)


def _one_form(rules: Rules, name: str, text: str) -> str:
    canon = rules.canon.get(name)
    return canon(text) if canon else text


def _base(subject: Subject, name: str) -> str:
    return subject.base.get(name, "")


def _looks(rule: FieldRule | None) -> bool:
    """Tell whether what the CRM has by now must be known before ours is sent.

    Where ours wins, too: what it wins over is kept, and can be restored.
    """
    return rule is not None and (rule.pulls or rule.rule in _LOOKS)


def _create(subject: Subject, rules: Rules, mapped: Mapped) -> Decision:
    fields = mapped.fields
    own = {rules.key_field: subject.key} if rules.key_field else {}
    match = fields.get(rules.match_field, "") if rules.match_field else ""
    if not rules.creates:
        if not match:
            return Leave(
                "unchanged", "There is nothing to find it by, and none is made."
            )
        return Find(rules.match_field, match)
    if subject.tried and not match and not rules.key_field:
        return Hold(
            "ambiguous",
            "The CRM may have taken this already and has no field to look it up by. "
            "Look there first; a retry creates it.",
        )
    upsert = bool(match) or (bool(own) and not rules.ties)
    write = Write(
        ref=subject.ref,
        object_type=rules.remote_object,
        remote_id=None,
        key_field=(rules.match_field if match else rules.key_field) or None,
        key_value=(match or subject.key) if match or own else None,
        fields={**own, **fields},
        associations=tuple(
            Association(parent.remote_object, parent.remote_id)
            for parent in subject.parents
            if parent.remote_id
        ),
        mode="upsert" if upsert else "create",
    )
    look_first = subject.tried and not upsert
    return Send(write, look_first=look_first, blank=mapped.blank)
