"""One remote record on its way in: whose it is, how it compares, what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crmsync.core.queue import Failure
from integrations.mapping.merge import Base, Outcome
from integrations.models import Link, SyncEntry
from integrations.records import RemoteRecord
from leads.facts import Snapshot
from leads.services.incoming import KnownAs, Taken


@dataclass(slots=True)
class Case:
    """A remote record with all that is known of it here.

    hub: remote field -> our value as the CRM would write it; crm: theirs in the same
    form; outcomes: remote field -> what follows; before: the link's base until now;
    failure: why nothing can follow.
    """

    record: RemoteRecord
    link: Link | None = None
    record_id: int | None = None
    snapshot: Snapshot | None = None
    found: bool = False
    crm: dict[str, str] = field(default_factory=dict)
    hub: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    # Type above -> the record of ours it belongs to from now on, None = to none.
    parents: dict[str, int | None] = field(default_factory=dict)
    # Type above -> the record of ours that it belongs to on both sides.
    agreed: dict[str, int] = field(default_factory=dict)
    written: dict[str, list[list[object]]] = field(default_factory=dict)
    turns: dict[str, list[list[object]]] = field(default_factory=dict)
    # remote field -> whether it is certain that two sides fight over it
    fights: dict[str, bool] = field(default_factory=dict)
    before: Mapping[str, object] = field(default_factory=dict)
    failure: Failure | None = None
    excluded: str = ""
    # A poll has seen this very version before: what it holds has been told.
    seen: bool = False
    # Its link was stored with what came in.
    stored: bool = False
    # An earlier one that came in with it would be the same: that one goes first.
    repeats: bool = False
    # By what it was looked for, where it was not known otherwise.
    known_as: KnownAs | None = None

    @property
    def ref(self) -> str:
        """Return what names the record in calls of services."""
        return self.record.remote_id

    @property
    def sends(self) -> dict[str, str]:
        """Return remote field -> value that the CRM must get."""
        return {n: one.send for n, one in self.outcomes.items() if one.send is not None}

    @property
    def is_sent(self) -> bool:
        """Tell whether the CRM must get anything."""
        return any(one.send is not None for one in self.outcomes.values())

    @property
    def takes(self) -> dict[str, str]:
        """Return remote field -> value that we must take over."""
        return {n: one.take for n, one in self.outcomes.items() if one.take is not None}


def base_of(stored: Mapping[str, object], name: str) -> Base | None:
    """Return what both sides had of a field, None when they were never compared.

    A second side of None is what was seen there while ours had still to be sent.
    """
    if name not in stored:
        return None
    value = stored[name]
    if isinstance(value, list):
        crm, hub = value
        return Base(str(crm), UNSENT if hub is None else str(hub))
    return Base(str(value), str(value))


def stored_base(base: Base) -> object:
    """Return the form in which a link keeps a base."""
    if base.crm == base.hub:
        return base.crm
    return [base.crm, None if base.hub == UNSENT else base.hub]


# No text of a field: what was last agreed on is not what we have now.
UNSENT = "\x00unsent"


def outcome_of(case: Case, result: Taken | None) -> str:
    """Return how a record that came in ended, in the journal's words."""
    if case.failure is not None:
        again = SyncEntry.Outcome.UNCHANGED
        return again if case.seen else SyncEntry.Outcome.FAILED
    if case.excluded:
        return SyncEntry.Outcome.EXCLUDED
    if result is not None and result.created:
        return SyncEntry.Outcome.CREATED
    if not case.seen and (any(case.problems.values()) or _asks(case)):
        return SyncEntry.Outcome.HELD
    if any(one.refused for one in case.outcomes.values()):
        return SyncEntry.Outcome.HELD
    if result is not None and result.changed:
        return SyncEntry.Outcome.UPDATED
    return SyncEntry.Outcome.LINKED if case.found else SyncEntry.Outcome.UNCHANGED


def _asks(case: Case) -> bool:
    return any(one.clash and one.clash.winner is None for one in case.outcomes.values())
