"""Records that may be one: what a failure asks a person to choose among.

A row that was to go out has a record of ours and may be any of several there; one that
was to come in is a remote record and may be any of several of ours. What was submitted
through a form may be any of several of ours as well, and is no record there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations import selectors, standing, submitters
from integrations.connectors.session import open_connector
from integrations.errors import SyncError
from integrations.models import Link, ObjectMapping
from integrations.selectors import FETCH, HELD_FORM, PUSH
from integrations.sync import failures_in, outbox
from integrations.sync.calls import record as record_calls
from integrations.sync.terms import terms_of
from leads.snapshots import FIELDS, snapshots

# On which side the records are that a row of a kind may be.
_SIDES = {PUSH: "there", FETCH: "here", HELD_FORM: "here"}
CLASSES = frozenset({"duplicate", "ambiguous"})
MERGEABLE = frozenset({"lead", "company", "deal"})
# What people tell records apart by.
SHOWN: Mapping[str, tuple[str, ...]] = {
    "lead": (
        "first_name",
        "last_name",
        "email",
        "linkedin_url",
        "company_name",
        "phone",
        "job_title",
        "city",
    ),
    "company": ("name", "domain", "phone", "city", "country"),
    "deal": ("name", "amount", "currency", "close_date"),
    "activity": ("subject", "occurred_at"),
}
# More are not asked for: a person reads them one by one.
MOST = 8


def is_decidable(item: WorkItem) -> bool:
    """Tell whether a row waits for somebody to say who it is."""
    side = _SIDES.get(item.kind)
    return (
        side is not None
        and item.state == State.PARKED
        and item.error_class in CLASSES
        and bool(_about(item, side))
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record that it may be.

    record_id: of ours, which it is or is linked to, None for neither; remote_object,
    remote_id: of the CRM's, "" where ours is not there yet; can: what may be decided.
    """

    key: str
    record_id: int | None
    remote_object: str
    remote_id: str
    can: frozenset[str] = frozenset()

    @property
    def is_ours(self) -> bool:
        """Tell whether it was named as a record of ours."""
        return self.key.startswith("here:")


@dataclass(frozen=True, slots=True)
class Held:
    """A row, and who it may be. record_id: ours; remote_id: theirs, of one to come in.

    targets: remote object -> the mapping that such records of ours go by; says: what it
    says itself, of a submitted form, which is no record anywhere.
    """

    item: WorkItem
    mapping: ObjectMapping
    record_id: int | None
    remote_id: str
    candidates: tuple[Candidate, ...]
    targets: Mapping[str, ObjectMapping]
    says: Mapping[str, str] = field(default_factory=dict)

    def candidate(self, key: str) -> Candidate | None:
        """Return one of them by its key."""
        return next((one for one in self.candidates if one.key == key), None)

    @property
    def can_keep_apart(self) -> bool:
        """Tell whether it can be said to be none of them."""
        return any("apart" in one.can for one in self.candidates)


def held_of(item: WorkItem) -> Held | None:
    """Return who a row may be, None when it asks nothing of that kind."""
    if not is_decidable(item):
        return None
    if item.kind == HELD_FORM:
        return _submitted(item)
    if not item.group.isdigit():
        return None
    rows = ObjectMapping.objects.select_related("connection", "workspace")
    mapping = rows.filter(pk=int(item.group)).first()
    if mapping is None:
        return None
    others = rows.filter(
        connection=mapping.connection, record_type=mapping.record_type, active=True
    )
    targets = {one.remote_object: one for one in others}
    if item.kind == PUSH:
        record_id = outbox.record_of(item.key)
        found = _there(item, mapping, record_id, targets)
        return Held(item, mapping, record_id, "", found, targets)
    remote_id = failures_in.remote_id_of(item.key)
    return Held(item, mapping, None, remote_id, _here(item, mapping), targets)


def _submitted(item: WorkItem) -> Held | None:
    """Return who may have submitted a form; all that can be decided is a merge."""
    found = submitters.submitter(item.key)
    if found is None:
        return None
    mapping, person = found
    says = submitters.said(person, SHOWN["lead"])
    can = [replace(o, can=o.can & {"merge"}) for o in _here(item, mapping)]
    return Held(item, mapping, None, "", tuple(can), {}, says)


def _there(
    item: WorkItem,
    mapping: ObjectMapping,
    record_id: int,
    targets: Mapping[str, ObjectMapping],
) -> tuple[Candidate, ...]:
    pairs = [
        (str(name) or mapping.remote_object, str(remote_id))
        for name, remote_id in _about(item, "there")
    ]
    rows = Link.objects.filter(
        connection=mapping.connection, remote_id__in=[one for _, one in pairs]
    ).exclude(state=Link.State.UNLINKED)
    owners = {(one.remote_object, one.remote_id): one.record_id for one in rows}
    known = selectors.records_by_id(
        mapping.record_type, [record_id, *owners.values()]
    ).keys()
    found = []
    for pair in pairs:
        owner = owners.get(pair)
        can: set[str] = set()
        if record_id not in known or owner == record_id:
            pass  # there is nothing left to decide: trying again is enough
        elif owner in known:
            mergeable = mapping.record_type in MERGEABLE
            can = {"merge", "apart"} if mergeable else {"apart"}
        else:
            can = {"link", "apart"} if pair[0] in targets else {"apart"}
        key = f"there:{pair[0]}:{pair[1]}"
        ours = owner if owner in known else None
        found.append(Candidate(key, ours, *pair, frozenset(can)))
    return tuple(found)


def _about(item: WorkItem, side: str) -> list[Any]:
    about = item.error_about if isinstance(item.error_about, dict) else {}
    return list(about.get(side) or ())[:MOST]


def _here(item: WorkItem, mapping: ObjectMapping) -> tuple[Candidate, ...]:
    ids = [int(one) for one in _about(item, "here")]
    known = selectors.records_by_id(mapping.record_type, ids).keys()
    rows = (
        Link.objects.of(mapping)
        .filter(record_id__in=ids)
        .exclude(state=Link.State.UNLINKED)
    )
    links = {one.record_id: one.remote_id for one in rows}
    can = {"link", "apart"}
    if len(known) > 1 and mapping.record_type in MERGEABLE:
        can.add("merge")
    return tuple(
        Candidate(
            f"here:{pk}", pk, mapping.remote_object, links.get(pk, ""), frozenset(can)
        )
        for pk in ids
        if pk in known
    )


# --- side by side ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fact:
    """One value. same: the record it is compared with has the same one."""

    label: str
    value: str
    same: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One record as it is compared. url: its page here; remote_url: in the CRM.

    place: where it is; linked: what it is linked to on the other side; trouble: why its
    values are not known.
    """

    label: str
    place: str
    url: str = ""
    remote_url: str = ""
    facts: Sequence[Fact] = ()
    linked: str = ""
    linked_url: str = ""
    trouble: str = ""
    candidate: Candidate | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a row is about, and beside it what it may be."""

    held: Held
    subject: Side
    others: Sequence[Side] = field(default_factory=tuple)


def compared(held: Held) -> Comparison:
    """Read both sides; costs a call or two of the CRM, whose trouble is told."""
    reader = _Reader(held)
    if held.record_id is not None:
        subject, values = reader.ours(held.record_id), reader.values(held.record_id)
    elif held.says:
        subject, values = reader.said(), held.says
    else:
        there = (held.mapping.remote_object, held.remote_id)
        subject, values = reader.theirs(*there), reader.remote.get(there, {})
    others = [reader.candidate(one, values) for one in held.candidates]
    return Comparison(held, subject, others)


Values = Mapping[str, str]


class _Reader:
    """All records of one comparison, in a query per table and a call per object."""

    def __init__(self, held: Held) -> None:
        self.held, self.mapping = held, held.mapping
        self.names = SHOWN.get(self.mapping.record_type, ())
        labels = FIELDS.get(self.mapping.record_type, ())
        self.labels = {one.name: one.label for one in labels}
        ids = [one.record_id for one in held.candidates if one.record_id]
        ids += [held.record_id] if held.record_id else []
        self.records = selectors.records_by_id(self.mapping.record_type, ids)
        self.snapshots = snapshots(self.mapping.record_type, ids)
        rows = Link.objects.filter(
            connection=self.mapping.connection,
            record_type=self.mapping.record_type,
            record_id__in=ids,
        ).exclude(state=Link.State.UNLINKED)
        self.links: dict[int, Link] = {one.record_id: one for one in rows}
        self.trouble = ""
        self.remote: dict[tuple[str, str], Values] = {}
        for name, wanted in self._wanted().items():
            self._read(name, wanted)

    def _wanted(self) -> dict[str, list[str]]:
        wanted: dict[str, list[str]] = {}
        if self.held.remote_id:
            wanted[self.mapping.remote_object] = [self.held.remote_id]
        for one in self.held.candidates:
            if not one.is_ours:
                wanted.setdefault(one.remote_object, []).append(one.remote_id)
        return wanted

    def _read(self, remote_object: str, ids: Sequence[str]) -> None:
        mapping = self.held.targets.get(remote_object, self.mapping)
        connector, calls = open_connector(mapping.connection)
        terms = terms_of(mapping, connector)
        read = {n: d for d, r in terms.rules.items() if (n := r.source) in self.names}
        try:
            found = connector.fetch(remote_object, ids, fields=sorted(read.values()))
        except SyncError as error:
            self.trouble = error.message or str(error)
            return
        finally:
            record_calls(mapping.connection, calls.take())
        for one in found:
            values = {name: one.fields.get(there) or "" for name, there in read.items()}
            self.remote[remote_object, one.remote_id] = values

    def values(self, record_id: int) -> Values:
        """Return what a record of ours is told by."""
        snapshot = self.snapshots.get(record_id)
        if snapshot is None:
            return {}
        found = {name: snapshot.values.get(name) for name in self.names}
        return {
            n: "" if v is None else str(getattr(v, "isoformat", lambda v=v: v)())
            for n, v in found.items()
        }

    def ours(self, record_id: int, beside: Values | None = None) -> Side:
        """Return a record of ours, its place in the CRM told."""
        record, link = self.records.get(record_id), self.links.get(record_id)
        noun = self.mapping.get_record_type_display()
        linked, linked_url = "", ""
        if link is not None:
            linked = f"{self.mapping.connection} {link.remote_object} {link.remote_id}"
            linked_url = standing.remote_url(self.mapping.connection, link)
        return Side(
            label=str(record) if record is not None else f"{noun} (deleted)",
            place=f"{noun} in crmsync",
            url=selectors.url_of(record),
            facts=self._facts(self.values(record_id), beside),
            linked=linked,
            linked_url=linked_url,
        )

    def said(self) -> Side:
        """Return what was submitted through a form."""
        return Side(
            label=_called(self.held.says) or "A submitted form",
            place=f"{self.mapping.connection} {self.mapping.remote_object}",
            facts=self._facts(self.held.says, None),
        )

    def theirs(
        self, remote_object: str, remote_id: str, beside: Values | None = None
    ) -> Side:
        """Return a record of the CRM."""
        values = self.remote.get((remote_object, remote_id))
        link = Link(remote_object=remote_object, remote_id=remote_id)
        trouble = ""
        if values is None:
            trouble = self.trouble or "It is not there any more."
        name = _called(values or {}) or f"{remote_object} {remote_id}"
        return Side(
            label=name,
            place=f"{self.mapping.connection} {remote_object} {remote_id}",
            remote_url=standing.remote_url(self.mapping.connection, link),
            facts=self._facts(values or {}, beside),
            trouble=trouble,
        )

    def candidate(self, one: Candidate, beside: Values) -> Side:
        """Return a candidate beside the record it may be."""
        if one.is_ours:
            side = self.ours(one.record_id or 0, beside)
            return _with(side, one)
        side = self.theirs(one.remote_object, one.remote_id, beside)
        record = self.records.get(one.record_id or 0)
        if record is not None:
            return _with(side, one, str(record), selectors.url_of(record))
        return _with(side, one)

    def _facts(self, values: Values, beside: Values | None) -> list[Fact]:
        given = [(name, values[name]) for name in self.names if values.get(name)]
        return [
            Fact(self.labels.get(n, n), text, _is_same(text, (beside or {}).get(n, "")))
            for n, text in given
        ]


def _with(side: Side, one: Candidate, linked: str = "", url: str = "") -> Side:
    return Side(
        side.label,
        side.place,
        side.url,
        side.remote_url,
        side.facts,
        linked or side.linked,
        url if linked else side.linked_url,
        side.trouble,
        one,
    )


def _is_same(text: str, other: str) -> bool:
    return bool(other) and text.strip().casefold() == other.strip().casefold()


def _called(values: Values) -> str:
    person = f"{values.get('first_name', '')} {values.get('last_name', '')}".strip()
    return person or values.get("name", "") or values.get("email", "")
