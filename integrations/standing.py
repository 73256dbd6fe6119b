"""Where a record stands with each CRM: in step, under way, or why it is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from crmsync.core.models import Channel, WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import RUN_HOLD
from integrations.connectors import CONNECTORS
from integrations.models import (
    Conflict,
    Connection,
    KeptApart,
    Link,
    ObjectMapping,
    SyncEntry,
)
from integrations.reasons import Facts, Verdict, judge
from integrations.sync import failures_in, outbox
from leads.snapshots import FIELDS, snapshots

# Of what was left out again and again only the last time counts.
EXCLUDED_READ = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """One record under one mapping, and the verdict on it."""

    mapping: ObjectMapping
    verdict: Verdict
    link: Link | None = None
    item: WorkItem | None = None
    incoming: WorkItem | None = None
    apart: Sequence[KeptApart] = ()
    # Its owner, where nobody there is known to be them; and where that is mapped.
    lost_owner: str = ""
    owner_url: str = ""

    @property
    def connection(self) -> Connection:
        """Return the connection of the mapping."""
        return self.mapping.connection

    @property
    def pulse(self) -> bool:
        """Tell whether something is under way."""
        return self.verdict.code in {"sending", "retrying"}

    @property
    def remote_url(self) -> str:
        """Return the record's page in the CRM, "" where there is none."""
        return remote_url(self.connection, self.link) if self.link else ""

    @property
    def next_try_at(self) -> datetime | None:
        """Return when it is tried again by itself."""
        item = self.item
        failed = item is not None and item.state == State.READY and item.failed_at
        return item.not_before if item is not None and failed else None

    @property
    def fix_url(self) -> str:
        """Return the page where it is mended, "" where it passes by itself."""
        match self.verdict.fix:
            case "connection":
                return self.connection.get_absolute_url()
            case "mapping":
                return self.mapping.get_absolute_url()
            case "conflict" if self.link is not None:
                record = f"{self.link.record_type}:{self.link.record_id}"
                return f"{reverse('conflicts')}?record={record}"
            case "run" if self.item is not None and self.item.run:
                return reverse("run", args=[self.item.run])
        failed = self.item if self.verdict.fix == "failure" else self.incoming
        return reverse("issue", args=[failed.pk]) if failed is not None else ""


def remote_url(connection: Connection, link: Link) -> str:
    """Return the page of a linked record in its CRM, "" where it has none."""
    spec = CONNECTORS[connection.vendor].spec
    facts = spec.objects.get(link.remote_object)
    host = getattr(settings, spec.page_host) if spec.page_host else connection.api_url
    if facts is None or not (facts.has_page and connection.account_id and host):
        return ""
    return spec.record_page.format(
        host=host.rstrip("/"),
        account=connection.account_id,
        object=facts.name,
        type_id=facts.type_id,
        id=link.remote_id,
    )


def standings(record_type: str, record_id: int) -> list[Standing]:
    """Return how a record stands under every active mapping of its type.

    Mappings of a disconnected account count where the record is linked there.
    """
    known = _Known(record_type, record_id)
    return [_standing(one, known) for one in known.mappings]


class _Known:
    """What all mappings of one record's type have to say, in a query per table."""

    def __init__(self, record_type: str, record_id: int) -> None:
        self.record_id, self.now = record_id, timezone.now()
        self.links = {
            (one.connection_id, one.remote_object): one
            for one in Link.objects.filter(record_type=record_type, record_id=record_id)
        }
        self.mappings = self._mappings(record_type)
        self.items = self._items()
        self.excluded = self._excluded(record_type)
        rows = Conflict.objects.filter(
            record_type=record_type, record_id=record_id, state=Conflict.State.OPEN
        )
        self.conflicts: dict[int, list[str]] = defaultdict(list)
        for mapping_id, reason in rows.order_by("id").values_list("mapping", "reason"):
            self.conflicts[mapping_id].append(reason)
        ids = [one.connection.channel_id for one in self.mappings]
        self.channels = Channel.objects.in_bulk([one for one in ids if one])
        self.values = _values(record_type, record_id)
        self.apart = self._apart(record_type)

    def _mappings(self, record_type: str) -> list[ObjectMapping]:
        rows = ObjectMapping.objects.filter(record_type=record_type, active=True)
        rows = rows.select_related("connection").prefetch_related("rows")
        return [
            one
            for one in rows.order_by("connection__name", "pk")
            if one.connection.status != Connection.Status.DISCONNECTED
            or self.link_of(one) is not None
        ]

    def _apart(self, record_type: str) -> list[KeptApart]:
        """Return what the record was said not to be; asked where anything was."""
        if not any(one.keeps_apart for one in self.mappings):
            return []
        rows = KeptApart.objects.filter(
            record_type=record_type, record_id=self.record_id
        )
        return list(rows.order_by("pk"))

    def apart_of(self, mapping: ObjectMapping) -> list[KeptApart]:
        """Return what the record is not under a mapping."""
        pair = (mapping.connection_id, mapping.remote_object)
        return [x for x in self.apart if (x.connection_id, x.remote_object) == pair]

    def link_of(self, mapping: ObjectMapping) -> Link | None:
        """Return the record's link under a mapping."""
        return self.links.get((mapping.connection_id, mapping.remote_object))

    def _items(self) -> dict[tuple[str, str], WorkItem]:
        pushes = [outbox.key_of(one.pk, self.record_id) for one in self.mappings]
        fetches = [
            failures_in.key_of(one.pk, link.remote_id)
            for one in self.mappings
            if (link := self.link_of(one)) is not None
        ]
        rows = WorkItem.objects.filter(
            Q(kind=outbox.KIND, key__in=pushes)
            | Q(kind=failures_in.KIND, key__in=fetches)
        )
        return {(one.kind, one.key): one for one in rows}

    def _excluded(self, record_type: str) -> Mapping[int, str]:
        """Return mapping id -> why the record was last left out of it."""
        rows = SyncEntry.objects.filter(
            record_type=record_type,
            record_id=self.record_id,
            mapping__in=self.mappings,
            outcome=SyncEntry.Outcome.EXCLUDED,
        )
        newest = list(rows.order_by("-id")[:EXCLUDED_READ])
        return {one.mapping_id or 0: one.message for one in reversed(newest)}


def _values(record_type: str, record_id: int) -> Mapping[str, object]:
    found = snapshots(record_type, [record_id]).get(record_id)
    return found.values if found is not None else {}


def _standing(mapping: ObjectMapping, known: _Known) -> Standing:
    link = known.link_of(mapping)
    item = known.items.get((outbox.KIND, outbox.key_of(mapping.pk, known.record_id)))
    fetched = link and failures_in.key_of(mapping.pk, link.remote_id)
    incoming = known.items.get((failures_in.KIND, fetched or ""))
    if incoming is not None and incoming.state != State.PARKED:
        incoming = None
    facts = _facts(mapping, known, link, item, incoming)
    return Standing(
        mapping,
        judge(facts),
        link,
        item,
        incoming,
        known.apart_of(mapping),
        *_lost_owner(mapping, str(known.values.get("owner_email") or "")),
    )


def _lost_owner(mapping: ObjectMapping, owner: str) -> tuple[str, str]:
    """Return an owner whom the CRM does not know, and where people are mapped.

    The record goes there without an owner: it is not held up for that.
    """
    if not owner or mapping.direction == ObjectMapping.Direction.PULL:
        return "", ""
    for place, row in enumerate(mapping.rows.all()):
        if row.source == "owner_email" and row.active:
            people = row.values or [one["email"] for one in mapping.connection.owners]
            known = {str(one).casefold() for one in people}
            url = f"{mapping.get_absolute_url()}#id_rows-{place}-source"
            return ("", "") if owner.casefold() in known else (owner, url)
    return "", ""


def _facts(
    mapping: ObjectMapping,
    known: _Known,
    link: Link | None,
    item: WorkItem | None,
    incoming: WorkItem | None,
) -> Facts:
    channel = known.channels.get(mapping.connection.channel_id or 0, Channel())
    match, findable = _match(mapping, known.values)
    held = item is not None and item.waits_for.startswith(RUN_HOLD)
    return Facts(
        there=str(mapping.connection),
        now=known.now,
        connection=mapping.connection.status,
        mode=mapping.mode,
        direction=mapping.direction,
        creates=mapping.creates,
        deletes=mapping.deletes,
        next_batch_at=mapping.next_batch_at,
        link=link.state if link else "",
        gone_at=link.gone_at if link else None,
        item=item.state if item else "",
        error_class=item.error_class if item else "",
        error=item.error if item else "",
        failed=item is not None and item.failed_at is not None,
        not_before=item.not_before if item else None,
        held_by_run=item.run if item is not None and held else None,
        blocked=channel.blocked_because,
        breaker=channel.breaker,
        breaker_until=channel.breaker_until,
        paused_until=channel.paused_until,
        urgent=item is None or item.lane == outbox.REALTIME,
        batch_paused_until=channel.batch_paused_until,
        conflicts=known.conflicts.get(mapping.pk, ()),
        match=match,
        findable=findable,
        incoming=incoming.error_class if incoming else "",
        incoming_error=incoming.error if incoming else "",
        excluded=known.excluded.get(mapping.pk, ""),
    )


def _match(mapping: ObjectMapping, values: Mapping[str, object]) -> tuple[str, bool]:
    """Return what a record is found by, in our words, and whether it has a value."""
    rows: Sequence[str] = [
        row.source
        for row in mapping.rows.all()
        if row.destination == mapping.match_field and row.active
    ]
    if not mapping.match_field or not rows:
        return "", False
    labels = {one.name: one.label for one in FIELDS.get(mapping.record_type, ())}
    return labels.get(rows[0], rows[0]), bool(values.get(rows[0]))
