"""Where a record stands with each CRM: linked, waiting, failed and why, or left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.connectors import CONNECTORS
from integrations.models import Connection, Link, ObjectMapping, SyncEntry
from integrations.sync import outbox


@dataclass(frozen=True, slots=True)
class Standing:
    """One record under one mapping. status: the word; reason: why, "" when in order."""

    mapping: ObjectMapping
    status: str
    tone: str
    reason: str = ""
    link: Link | None = None
    item: WorkItem | None = None

    @property
    def connection(self) -> Connection:
        """Return the connection of the mapping."""
        return self.mapping.connection

    @property
    def pulse(self) -> bool:
        """Tell whether something is under way."""
        return self.item is not None and self.item.state in (State.READY, State.LEASED)

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
    def retryable(self) -> bool:
        """Tell whether a person can ask for another try."""
        item = self.item
        if item is None or item.state in (State.DONE, State.LEASED):
            return False
        return item.failed_at is not None or item.state == State.WAITING


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
    """Return how a record stands under every active mapping of its type."""
    mappings = ObjectMapping.objects.filter(record_type=record_type, active=True)
    mappings = mappings.exclude(connection__status=Connection.Status.DISCONNECTED)
    chosen = list(mappings.select_related("connection").order_by("connection__name"))
    links = {
        (one.connection_id, one.remote_object): one
        for one in Link.objects.filter(record_type=record_type, record_id=record_id)
    }
    keys = [outbox.key_of(one.pk, record_id) for one in chosen]
    items = WorkItem.objects.filter(kind=outbox.KIND, key__in=keys)
    by_key = {one.key: one for one in items}
    excluded = _excluded(chosen, record_id)
    return [
        _standing(
            one,
            links.get((one.connection_id, one.remote_object)),
            by_key.get(key),
            excluded.get(one.pk, ""),
        )
        for one, key in zip(chosen, keys, strict=True)
    ]


def _excluded(mappings: Sequence[ObjectMapping], record_id: int) -> dict[int, str]:
    """Return mapping id -> why the record was last left out of it."""
    rows = SyncEntry.objects.filter(
        mapping__in=mappings,
        record_id=record_id,
        outcome=SyncEntry.Outcome.EXCLUDED,
    )
    return {one.mapping_id or 0: one.message for one in rows.order_by("id")}


def _standing(
    mapping: ObjectMapping, link: Link | None, item: WorkItem | None, excluded: str
) -> Standing:
    status, tone, reason = _words(link, item, excluded)
    if item is not None and item.state != State.DONE and not reason:
        reason = _held_by(mapping.connection)
    return Standing(mapping, status, tone, reason, link, item)


def _words(
    link: Link | None, item: WorkItem | None, excluded: str
) -> tuple[str, str, str]:
    state = item.state if item is not None else State.DONE
    if item is not None and state == State.PARKED:
        return "Failed", "bad", item.error
    if item is not None and state == State.WAITING:
        return "Waiting", "warn", item.error
    if item is not None and item.failed_at and state == State.READY:
        return "Trying again", "warn", item.error
    if state in (State.READY, State.LEASED):
        return "Sending", "info", ""
    if link is not None and link.state == Link.State.DELETED:
        return "Deleted there", "bad", "The record was deleted in the CRM."
    if link is not None and link.state == Link.State.LINKED:
        return "In step", "ok", ""
    return "Not sent", "idle", excluded or "Nothing of it has been asked for yet."


def _held_by(connection: Connection) -> str:
    if connection.status == Connection.Status.NEEDS_REAUTH:
        return f"{connection} must be reconnected first."
    return ""
