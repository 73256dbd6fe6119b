"""Which records of ours a mapping takes, how many it leaves out, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from integrations.models import Link, ObjectMapping
from integrations.webhooks.sources import SOURCES
from leads.models import Lead
from leads.services.fields import MODELS, AnyRecord


@dataclass(frozen=True, slots=True)
class Limit:
    """A setting of the mapping that leaves records out."""

    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Selection:
    """total: records of the type; linked: in the CRM already; limits: see Limit."""

    total: int
    linked: int
    selected: int
    limits: Sequence[Limit]


def linked_of(mapping: ObjectMapping) -> QuerySet[Link]:
    """Return the links that stand under a mapping."""
    return Link.objects.of(mapping).filter(state=Link.State.LINKED)


def selection_of(mapping: ObjectMapping) -> Selection:
    """Count what a mapping takes of ours; nothing is left out without being named."""
    rows: QuerySet[AnyRecord] = MODELS[mapping.record_type].objects.all()
    total, linked = rows.count(), linked_of(mapping).count()
    if mapping.direction == ObjectMapping.Direction.PULL:
        nothing = Limit("Nothing of ours is sent: the mapping only takes in.", total)
        return Selection(total, linked, 0, [nothing])
    limits = [one for one in _limits(mapping, rows) if one.count]
    selected = total - sum(one.count for one in limits)
    return Selection(total, linked, max(selected, 0), limits)


def _limits(mapping: ObjectMapping, rows: QuerySet[AnyRecord]) -> list[Limit]:
    limits = []
    if mapping.only_kinds:
        other = rows.exclude(kind__in=mapping.only_kinds).count()
        limits.append(Limit("“Kinds of activity” leaves out other kinds.", other))
    if mapping.engaged_only:
        told = "“Only people someone has spoken with” leaves out who has not replied."
        limits.append(Limit(told, _cold(mapping)))
    if not mapping.creates:
        told = "“Make records there” is off: these are sent only if they are found."
        unlinked = rows.filter(~_is_linked(mapping)).count()
        limits.append(Limit(told, unlinked))
    return limits


def _cold(mapping: ObjectMapping) -> int:
    rows = Lead.objects.filter(
        source__in=list(SOURCES),
        last_reply_at=None,
        status__in=[Lead.Status.NEW, Lead.Status.CONTACTED],
    )
    return rows.filter(~_is_linked(mapping)).count()


def _is_linked(mapping: ObjectMapping) -> Exists:
    return Exists(linked_of(mapping).filter(record_id=OuterRef("pk")))
