"""Gathers what the decisions of a push need: one query per table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.connectors import CONNECTORS
from integrations.models import Link, ObjectMapping
from integrations.sync import apart, outbox, ties
from integrations.sync.cases import base_of
from integrations.sync.compare import frozen_fields
from integrations.sync.links import hub_key, links_of
from integrations.sync.subjects import Apart, Parent, Rules, Subject
from integrations.sync.terms import Terms
from integrations.webhooks.sources import SOURCES
from leads.facts import Snapshot
from leads.naming import name_in, names_of
from leads.snapshots import snapshots

# What nothing can be tied to without.
_ESSENTIAL = frozenset({"lead", "campaign"})
# What is made together with what it belongs to.
_MADE_TIED = frozenset({"deal", "activity", "campaign_member"})
# Where other parents stand so, a record goes without them.
_WITHOUT = frozenset({"never", "gone", "hidden"})


def rules_of(mapping: ObjectMapping, terms: Terms) -> Rules:
    """Return a mapping as the plain values that decisions are made from."""
    connection = mapping.connection
    facts = CONNECTORS[connection.vendor].spec.objects.get(mapping.remote_object)
    return Rules(
        remote_object=mapping.remote_object,
        compiled=terms.compiled,
        match_field=mapping.match_field,
        key_field=connection.key_fields.get(mapping.remote_object, ""),
        ties=mapping.record_type in _MADE_TIED,
        needs=ties.NEEDS.get(mapping.record_type, frozenset()),
        known_by_ties=facts is not None and facts.known_by_ties,
        only_kinds=frozenset(mapping.only_kinds),
        cold_sources=frozenset(SOURCES) if mapping.engaged_only else frozenset(),
        creates=mapping.creates,
        meets=mapping.direction == ObjectMapping.Direction.BOTH
        or any(one.weighs for one in terms.rules.values()),
        canon=terms.canon,
        fields=terms.rules,
        clear_ties=mapping.clear_ties,
        deletes=mapping.deletes == ObjectMapping.Deletes.PROPAGATE,
        today=queue.now().date(),
    )


def subjects(
    mapping: ObjectMapping, items: Sequence[WorkItem], *, asks_parents: bool = True
) -> list[Subject]:
    """Return each item's record, link and parents, in the items' order.

    asks_parents: what they need and nobody has asked for is asked for now.
    """
    ids = [outbox.record_of(item.key) for item in items]
    records = snapshots(mapping.record_type, ids)
    links = links_of(mapping, ids)
    retied = ties.changed(mapping, records, links)
    parents = _parents(mapping, records, asks=asks_parents, named=bool(retied))
    unlinked = set(ids) - set(links)
    elsewhere = _elsewhere(mapping, unlinked)
    after, sought = _finders(mapping, unlinked - set(elsewhere), asks=asks_parents)
    # Another hand may have found them since it was asked where they are.
    elsewhere |= _elsewhere(mapping, sought)
    frozen = frozen_fields([link.pk for link in links.values()])
    retied = ties.changed(mapping, records, links)
    untied = _untied(mapping, records, links, retied) if mapping.clear_ties else {}
    others = apart.of_records(mapping, ids)
    return [
        _subject(
            mapping,
            item,
            records.get(one),
            links.get(one),
            parents=parents,
            retied=retied,
            untied=untied.get(one, ()),
            elsewhere=elsewhere.get(one, ""),
            after=after.get(one, ""),
            frozen=frozen,
            others=others.get(one, ()),
        )
        for item, one in zip(items, ids, strict=True)
    ]


def _subject(
    mapping: ObjectMapping,
    item: WorkItem,
    record: Snapshot | None,
    link: Link | None,
    *,
    parents: Callable[[Snapshot], Mapping[str, Parent]],
    retied: Collection[ties.Tie],
    untied: Sequence[Parent],
    elsewhere: str,
    after: str,
    frozen: Mapping[int, frozenset[str]],
    others: tuple[Apart, ...],
) -> Subject:
    record_id = outbox.record_of(item.key)
    bases = {name: base_of(link.base, name) for name in link.base} if link else {}
    return Subject(
        ref=str(item.pk),
        record=record,
        key=hub_key(mapping.workspace, mapping.record_type, record_id),
        remote_id=link.remote_id if link else None,
        gone=link is not None and link.state == Link.State.DELETED,
        unlinked=link is not None and link.state == Link.State.UNLINKED,
        base={name: base.hub for name, base in bases.items() if base},
        parents=tuple(
            parent
            for name, parent in (parents(record) if record else {}).items()
            if link is None or (record_id, name) in retied
        ),
        untied=tuple(untied),
        tried=item.attempts + item.rescues > 0,
        elsewhere=elsewhere,
        after=after,
        frozen=frozen.get(link.pk, frozenset()) if link else frozenset(),
        hidden=link is not None and link.state == Link.State.FORBIDDEN,
        apart=others,
    )


def _elsewhere(mapping: ObjectMapping, ids: Collection[int]) -> dict[int, str]:
    """Return record id -> the other object of the connection that it is already.

    A person who is a contact there is not made a lead as well.
    """
    others = ObjectMapping.objects.filter(
        connection=mapping.connection, record_type=mapping.record_type, active=True
    ).exclude(pk=mapping.pk)
    objects = [] if mapping.only_kinds else [o.remote_object for o in others]
    if not objects or not ids:
        return {}
    rows = Link.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        record_id__in=list(ids),
        remote_object__in=objects,
        # Out of sight it is there all the same: no second one is made elsewhere.
        state__in=[Link.State.LINKED, Link.State.MISSING, Link.State.FORBIDDEN],
    )
    return dict(rows.values_list("record_id", "remote_object"))


def _finders(
    mapping: ObjectMapping, ids: Collection[int], *, asks: bool
) -> tuple[dict[int, str], set[int]]:
    """Return record id -> key of the row that first looks for it as another object,
    and those of which all such rows are done.

    Who may be a contact there already is looked for before a lead is made of them.
    """
    if not mapping.creates or not ids or mapping.only_kinds:
        return {}, set()
    finders = ObjectMapping.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        active=True,
        creates=False,
    ).exclude(direction=ObjectMapping.Direction.PULL)
    waiting: dict[int, str] = {}
    for finder in finders:
        states = _states(finder, set(ids))
        keys = {one: outbox.key_of(finder.pk, one) for one in ids}
        new = [one for one, key in keys.items() if key not in states]
        if asks:
            outbox.queue_records(mapping.workspace, finder, new)
        waiting |= {
            one: key
            for one, key in keys.items()
            if states.get(key, State.READY) != State.DONE
        }
    return waiting, set(ids) - set(waiting) if finders else set()


# --- parents --------------------------------------------------------------------------


def _parents(
    mapping: ObjectMapping, records: Mapping[int, Snapshot], *, asks: bool, named: bool
) -> Callable[[Snapshot], Mapping[str, Parent]]:
    """Return a function from a record to its parents; looks all of them up first.

    named: those that are there are called by their names, too, not by their numbers.
    """
    known: dict[tuple[str, int], Parent] = {}
    for parent_type in sorted(
        {name for one in records.values() for name in one.parents}
    ):
        ids = {
            one.parents[parent_type]
            for one in records.values()
            if parent_type in one.parents
        }
        known |= _parents_of_type(mapping, parent_type, ids, asks=asks, named=named)

    def parents(record: Snapshot) -> Mapping[str, Parent]:
        return {
            pair[0]: known[pair] for pair in record.parents.items() if pair in known
        }

    return parents


def _untied(
    mapping: ObjectMapping,
    records: Mapping[int, Snapshot],
    links: Mapping[int, Link],
    changed: Collection[ties.Tie],
) -> dict[int, list[Parent]]:
    """Return record id -> the parents it was taken from here and has there still.

    A parent that was deleted here did not lose those who belonged to it: nobody said
    that they left.
    """
    lost = [
        (record_id, parent_type, parent_id)
        for record_id, parent_type in changed
        if parent_type not in records[record_id].parents
        and (parent_id := ties.agreed(links[record_id], parent_type)) is not None
    ]
    untied: dict[int, list[Parent]] = {}
    for parent_type in {one for _, one, _ in lost}:
        ids = {parent for _, one, parent in lost if one == parent_type}
        ids &= snapshots(parent_type, ids).keys()
        known = _parents_of_type(mapping, parent_type, ids, asks=False, named=False)
        for record_id, one, parent_id in lost:
            parent = known.get((one, parent_id))
            if parent is not None and parent.fate == "linked" and parent.remote_id:
                untied.setdefault(record_id, []).append(parent)
    return untied


def _parents_of_type(
    mapping: ObjectMapping, parent_type: str, ids: set[int], *, asks: bool, named: bool
) -> dict[tuple[str, int], Parent]:
    """Return the parents of one type; a person is one of several objects there."""
    rows = ObjectMapping.objects.filter(
        connection=mapping.connection, record_type=parent_type, active=True
    )
    found: dict[tuple[str, int], Parent] = {}
    # Those that only find come last: what is nowhere waits for the one that makes it.
    for above in sorted(rows, key=lambda one: (not one.creates, one.pk)):
        for pair, parent in _parents_in(
            mapping, above, ids, asks=asks, named=named
        ).items():
            better = parent.fate == "linked" or pair not in found
            if better and (above.creates or parent.fate == "linked"):
                found[pair] = parent
    return {
        pair: parent
        for pair, parent in found.items()
        if parent.fate not in _WITHOUT or parent_type in _ESSENTIAL
    }


def _parents_in(
    mapping: ObjectMapping,
    above: ObjectMapping,
    ids: set[int],
    *,
    asks: bool,
    named: bool,
) -> dict[tuple[str, int], Parent]:
    links = links_of(above, ids)
    missing = ids - set(links)
    states = _states(above, missing)
    done = [o for o in missing if states.get(outbox.key_of(above.pk, o)) == State.DONE]
    if done:
        # Another hand may have sent them since the links were read: a row that is done
        # and left no link was left out, and with it all that belongs to the record.
        links |= links_of(above, done)
    unknown = [one for one in missing if outbox.key_of(above.pk, one) not in states]
    if asks and above.creates:
        outbox.queue_records(mapping.workspace, above, unknown)
    none = CONNECTORS[mapping.connection.vendor].spec.no_ties
    names = names_of(above.record_type, ids if named else missing)
    untied = (mapping.remote_object, above.remote_object) in none
    return {
        (above.record_type, one): Parent(
            key=outbox.key_of(above.pk, one),
            label=name_in(names, above.record_type, one),
            remote_object=above.remote_object,
            remote_id=None if untied or one not in links else links[one].remote_id,
            fate=_fate(
                links.get(one), states.get(outbox.key_of(above.pk, one), State.READY)
            ),
            tie=(ties.base_name(above.record_type), str(one)),
            record_type=above.record_type,
        )
        for one in ids
    }


def _states(above: ObjectMapping, ids: set[int]) -> dict[str, str]:
    if not ids:
        return {}
    keys = [outbox.key_of(above.pk, one) for one in ids]
    rows = WorkItem.objects.filter(kind=outbox.KIND, key__in=keys)
    return dict(rows.values_list("key", "state"))


def _fate(
    link: Link | None, state: str
) -> Literal["linked", "coming", "failed", "never", "gone", "hidden"]:
    if link is not None and link.state == Link.State.FORBIDDEN:
        return "hidden"
    if link is not None:
        return "linked" if link.state == Link.State.LINKED else "gone"
    if state == State.PARKED:
        return "failed"
    return "never" if state == State.DONE else "coming"
