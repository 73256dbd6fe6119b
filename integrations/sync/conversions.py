"""Knows the deal that converting a lead in a CRM made for the one that waits here.

Whoever converts a lead there mostly gets a deal as well. Ours of that person that has
not been sent is the same one, where there is no other that it could be; else a person
must say which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import Failure
from integrations.connectors.base import Connector
from integrations.models import Link, LinkAlias, ObjectMapping
from integrations.records import RemoteRecord
from integrations.sync import moved, outbox
from integrations.sync.cases import Case
from integrations.sync.links import link_if_free, owners_of, unsent_deals
from integrations.sync.plan import Hold, Send
from integrations.sync.subjects import Subject
from leads.naming import listed, name_in, names_of
from leads.snapshots import snapshots

Row = tuple[WorkItem, Subject, Send]


@dataclass(frozen=True, slots=True)
class Made:
    """A deal that a conversion made there. unsent: those here that it may be."""

    remote_id: str
    lead_id: int
    unsent: tuple[int, ...]

    @property
    def told(self) -> str:
        """Say why a person must look, and what helps."""
        deals, leads = names_of("deal", self.unsent), names_of("lead", [self.lead_id])
        ours = listed([name_in(deals, "deal", one) for one in self.unsent])
        return (
            f"When {name_in(leads, 'lead', self.lead_id)} was converted in the CRM, "
            f"deal {self.remote_id} was made there, and here {ours} wait to be sent. "
            "It may be any of them: merge those that are the same and close those that "
            "are others, or delete the one in the CRM; then retry."
        )


def _sources(mapping: ObjectMapping, connector: Connector) -> dict[str, str]:
    """Return the objects whose conversion makes deals -> their field that names it."""
    if mapping.record_type != "deal":
        return {}
    return {
        source: field
        for (source, made), field in connector.spec.becomes.items()
        if made == mapping.remote_object
    }


# --- what comes in --------------------------------------------------------------------


def recognise(
    mapping: ObjectMapping, cases: Sequence[Case], connector: Connector
) -> None:
    """Know new deals of conversions for ours; costs no call where none waits."""
    sources = _sources(mapping, connector)
    new = {one.ref: one for one in cases if _is_new(one)} if sources else {}
    if not new or not _any_waits(mapping):
        return
    made = [
        one
        for source, field in sources.items()
        for one in _made_of(
            mapping,
            source,
            connector.fetch(source, list(new), fields=[], key_field=field),
        )
        if one.remote_id in new
    ]
    claims = Counter(deal for one in made for deal in one.unsent)
    known = snapshots("deal", {deal for one in made for deal in one.unsent})
    for one in made:
        case = new[one.remote_id]
        if len(one.unsent) == 1 and claims[one.unsent[0]] == 1:
            case.record_id, case.found = one.unsent[0], True
            case.snapshot = known.get(case.record_id)
        elif one.unsent:
            case.failure = Failure("ambiguous", one.told)


def _any_waits(mapping: ObjectMapping) -> bool:
    """Tell whether any deal is to be sent, by what the queue has an index for."""
    rows = WorkItem.objects.filter(
        kind=outbox.KIND, channel=mapping.connection.channel_id, group=str(mapping.pk)
    )
    states = [Q(state=one) for one in (State.READY, State.WAITING, State.LEASED)]
    parked = Q(failed_at__isnull=False, state=State.PARKED)
    return any(rows.filter(one).exists() for one in (*states, parked))


def _is_new(case: Case) -> bool:
    return case.record_id is None and case.link is None and case.failure is None


def _made_of(
    mapping: ObjectMapping, source: str, found: Iterable[RemoteRecord]
) -> list[Made]:
    """Return the deals of these conversions, with what here they may be."""
    became = {
        one.remote_id: one.became[mapping.remote_object]
        for one in found
        if mapping.remote_object in one.became
    }
    leads = _leads_of(mapping, source, became)
    waiting: dict[int, list[int]] = {}
    rows = unsent_deals(mapping, leads.values())
    for deal, lead in rows.values_list("pk", "lead_id"):
        waiting.setdefault(lead, []).append(deal)
    return [
        Made(became[remote_id], lead, tuple(waiting.get(lead, ())))
        for remote_id, lead in leads.items()
    ]


def _leads_of(
    mapping: ObjectMapping, source: str, remote_ids: Collection[str]
) -> dict[str, int]:
    """Return remote id -> whose it is here, or was until it was converted."""
    ids = list(remote_ids)
    if not ids:
        return {}
    links = Link.objects.filter(
        connection=mapping.connection,
        record_type="lead",
        remote_object=source,
        remote_id__in=ids,
    )
    aliases = LinkAlias.objects.filter(
        connection=mapping.connection,
        link__record_type="lead",
        remote_object=source,
        remote_id__in=ids,
    )
    return {
        **dict(aliases.values_list("remote_id", "link__record_id")),
        **dict(links.values_list("remote_id", "record_id")),
    }


# --- what goes out --------------------------------------------------------------------


@dataclass(slots=True)
class Looked:
    """Rows that may be written, and those that a person must look at first."""

    sends: list[Row]
    unsure: list[tuple[WorkItem, Hold]]


def look(mapping: ObjectMapping, sends: Sequence[Row], connector: Connector) -> Looked:
    """Ask whether the people of new deals were converted there; one call per batch.

    A row whose person or deal is another object by now goes back, to be decided by
    that.
    """
    sources = _sources(mapping, connector)
    people = {
        one[1].ref: lead
        for one in sends
        if sources and one[2].write.remote_id is None and (lead := _lead_of(one[1]))
    }
    if not people:
        return Looked(list(sends), [])
    became: set[int] = set()
    made: dict[int, Made] = {}
    for source in sources:
        links, former = _objects_of(mapping, source, people.values())
        asked = [*links, *former]
        found = connector.fetch(source, asked, fields=[]) if asked else []
        converted = [one for one in found if one.became]
        news = [one for one in converted if one.remote_id in links]
        if _follow(mapping, source, news):
            became |= {links[one.remote_id] for one in news}
        made |= {one.lead_id: one for one in _made_of(mapping, source, converted)}
    return _sorted(mapping, sends, people, became, made)


def _lead_of(subject: Subject) -> int | None:
    return subject.record.parents.get("lead") if subject.record else None


def _objects_of(
    mapping: ObjectMapping, source: str, leads: Collection[int]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return remote id -> lead, of those that are such an object, and that were."""
    links = Link.objects.filter(
        connection=mapping.connection,
        record_type="lead",
        record_id__in=set(leads),
        remote_object=source,
        state=Link.State.LINKED,
    )
    aliases = LinkAlias.objects.filter(
        connection=mapping.connection,
        remote_object=source,
        reason=moved.CONVERTED,
        link__record_type="lead",
        link__record_id__in=set(leads),
    )
    return (
        dict(links.values_list("remote_id", "record_id")),
        dict(aliases.values_list("remote_id", "link__record_id")),
    )


def _follow(
    mapping: ObjectMapping, source: str, converted: Sequence[RemoteRecord]
) -> bool:
    """Let the links of people follow; tell whether there is a mapping to do it by."""
    if not converted:
        return False
    rows = ObjectMapping.objects.select_related("connection", "workspace")
    above = rows.filter(
        connection=mapping.connection, record_type="lead", remote_object=source
    ).first()
    if above is None:
        return False
    moved.follow_conversions(above, converted)
    return True


def _sorted(
    mapping: ObjectMapping,
    sends: Sequence[Row],
    people: Mapping[str, int],
    became: Collection[int],
    made: Mapping[int, Made],
) -> Looked:
    taken = owners_of(
        mapping.connection,
        mapping.remote_object,
        [one.remote_id for one in made.values()],
    )
    looked = Looked([], [])
    back: list[WorkItem] = []
    for row in sends:
        lead = people.get(row[1].ref, 0)
        one = made.get(lead)
        deal = row[1].record.record_id if row[1].record else 0
        if lead in became:
            back.append(row[0])
        elif one is None or one.remote_id in taken or deal not in one.unsent:
            looked.sends.append(row)
        elif len(one.unsent) == 1:
            link_if_free(mapping, deal, one.remote_id)
            back.append(row[0])
        else:
            looked.unsure.append((row[0], Hold("ambiguous", one.told)))
    queue.give_back(back)
    return looked
