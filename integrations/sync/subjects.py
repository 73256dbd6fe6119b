"""What the decisions of a push are made from: a mapping, a record and its parents.

PURE. `gather` fills these in, `plan` decides by them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from integrations.mapping.canon import Canon
from integrations.mapping.engine import Compiled
from integrations.mapping.merge import FieldRule
from leads.facts import Snapshot


@dataclass(frozen=True, slots=True)
class Rules:
    """One object mapping as values.

    match_field: finds an unlinked record, "" for none; key_field: the unique field that
    holds our key, "" when the account refused one; ties: the object cannot be tied to
    its parents later, so it is created together with them; needs: types of parents
    without which it is nothing there; known_by_ties: it is known by them.
    """

    remote_object: str
    compiled: Compiled
    match_field: str = ""
    key_field: str = ""
    ties: bool = False
    needs: frozenset[str] = frozenset()
    known_by_ties: bool = False
    only_kinds: frozenset[str] = frozenset()
    # Sources whose people stay out of the CRM until someone has spoken with them.
    cold_sources: frozenset[str] = frozenset()
    # Off: records are matched and updated, never made there.
    creates: bool = True
    # Goes both ways, or weighs values: what is there by its key is compared before it
    # is written.
    meets: bool = False
    # remote field -> the one form of its values, and how it merges
    canon: Mapping[str, Canon] = field(default_factory=dict)
    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    # A tie that was taken away here is taken away there as well.
    clear_ties: bool = False
    # A record that was deleted here is deleted there as well.
    deletes: bool = False
    today: date = date.min


@dataclass(frozen=True, slots=True)
class Parent:
    """A record the subject belongs to. fate: where its own push stands.

    tie: how a link remembers this parent: (name, our id).
    """

    key: str
    label: str
    remote_object: str
    remote_id: str | None
    fate: Literal["linked", "coming", "failed", "never", "gone", "hidden"]
    tie: tuple[str, str] = ("", "")
    record_type: str = ""


@dataclass(frozen=True, slots=True)
class Apart:
    """A remote record that the subject is not, though it looks like it.

    field, digest: the remote field both have the same value of; "" where unknown.
    """

    remote_object: str
    remote_id: str
    field: str = ""
    digest: str = ""

    def shares(self, field: str, text: str) -> bool:
        """Tell whether a value is the one that belongs to the other."""
        return bool(self.field) and self.field == field and self.digest == digest(text)

    @property
    def reason(self) -> str:
        """Say why nothing goes there."""
        return f"Kept apart by hand from {self.remote_object} {self.remote_id} there."


def digest(text: str) -> str:
    """Return what a shared value is remembered by: it may name a person."""
    return hashlib.sha256(text.strip().casefold().encode()).hexdigest()[:32]


class Subject(NamedTuple):
    """One record that must reach the CRM, with all that is known of it.

    base: remote field -> our value last agreed on; parents: all of a new record, of one
    that is linked those it was given here since; untied: those it was taken from here
    since; tried: an earlier try may have
    reached the CRM without our learning of it; elsewhere: another object that the
    record is there already; after: the row that looks for that first; frozen: fields
    that wait for a person; hidden: the CRM does not show us the record any more;
    apart: remote records that it is not.
    """

    ref: str
    record: Snapshot | None
    key: str
    remote_id: str | None = None
    gone: bool = False
    unlinked: bool = False
    base: Mapping[str, str] = {}
    parents: tuple[Parent, ...] = ()
    untied: tuple[Parent, ...] = ()
    tried: bool = False
    elsewhere: str = ""
    after: str = ""
    frozen: frozenset[str] = frozenset()
    hidden: bool = False
    apart: tuple[Apart, ...] = ()

    def kept_from(self, remote_id: str | None) -> Apart | None:
        """Return why it must not be linked to a remote record, None when it may."""
        return next((one for one in self.apart if one.remote_id == remote_id), None)

    def not_its_own(self, field: str, text: str) -> Apart | None:
        """Return whose value this is there, None when it is the subject's own."""
        return next((one for one in self.apart if one.shares(field, text)), None)
