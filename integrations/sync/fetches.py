"""Fetches single records again: named by a webhook, or retried by a person."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone
from django_scopes import scopes_disabled

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.scoping import in_workspace
from integrations.connectors.session import open_connector
from integrations.mapping.echo import MARGIN
from integrations.models import ObjectMapping
from integrations.records import RemoteRecord
from integrations.sync import (
    calls,
    failures_in,
    gone,
    intake,
    late,
    moved,
    passing,
    pull,
)
from integrations.sync.failures_in import KIND, remote_id_of
from integrations.sync.terms import fields_to_read, terms_of

_rng = random.Random()


def fetch_due() -> int:
    """Fetch what is due, for a time slice; return how many records."""
    deadline = time.monotonic() + settings.WORK_TIME_SLICE_S
    total = 0
    while time.monotonic() < deadline and (done := fetch_turn()):
        total += done
    return total


def fetch_turn() -> int:
    """Fetch of the first group that has something for us; return how many records."""
    for group in queue.due_groups(KIND):
        if done := _fetch_group(*group):
            return done
    return 0


@scopes_disabled()
def _mapping(group: str) -> ObjectMapping | None:
    rows = ObjectMapping.objects.select_related("connection", "workspace")
    return rows.filter(pk=int(group)).first() if group.isdigit() else None


def _fetch_group(workspace_id: int, channel_id: int, group: str) -> int:
    mapping = _mapping(group)
    if mapping is None:
        items = queue.claim(KIND, channel_id=channel_id, group=group, limit=100)
        queue.finish(items, skipped=True)
        return len(items)
    with in_workspace(mapping.workspace):
        connector, _ = open_connector(mapping.connection)
        items = queue.claim(
            KIND, channel_id=channel_id, group=group, limit=connector.spec.batch.read
        )
        if items and not pull.has_turns(mapping):
            queue.finish(items, skipped=True)
        elif items:
            read = _follow if late.only_sends(mapping) else _fetch
            with calls.guarded(
                mapping.connection, items, done="fetched", mapping_id=mapping.pk
            ):
                read(mapping, items)
        return len(items)


def _fetch(mapping: ObjectMapping, items: Sequence[WorkItem]) -> None:
    connector, _ = open_connector(mapping.connection)
    terms = terms_of(mapping, connector)
    by_id = {remote_id_of(item.key): item for item in items}
    told = passing.heard(mapping, by_id, slack=MARGIN)
    read_at = timezone.now()
    found = connector.fetch(
        mapping.remote_object,
        list(by_id),
        fields=fields_to_read(mapping, terms.pulled),
    )
    gone.note_missing(mapping, connector, set(by_id) - _answered(found))
    taken = intake.take_in(
        mapping,
        moved.follow_conversions(mapping, found),
        connector,
        trace_id=items[0].trace_id,
        keeps_failures=False,
        # What a record belongs to can be the very thing that the hint was about.
        ties=True,
        read_at=read_at,
    )
    passing.settle(mapping, told, taken.cases, terms)
    failed = {c.ref: f for c in taken.cases if (f := failures_in.failure_of(c))}
    for remote_id, failure in failed.items():
        if remote_id in by_id:
            queue.fail(by_id[remote_id], failure, _rng)
    queue.finish([item for ref, item in by_id.items() if ref not in failed])


def _follow(mapping: ObjectMapping, items: Sequence[WorkItem]) -> None:
    """Follow what became of linked records of which nothing is taken in."""
    ids = [remote_id_of(one.key) for one in items]
    links = moved.links_of_ids(mapping, ids, gone_too=True)
    if links:
        connector, _ = open_connector(mapping.connection)
        found = connector.fetch(mapping.remote_object, list(links), fields=[])
        found = [one for one in found if not one.archived]
        moved.follow_conversions(mapping, found)
        gone.note_missing(mapping, connector, set(links) - _answered(found))
    queue.finish(items)


def _answered(found: Sequence[RemoteRecord]) -> set[str]:
    """Return the ids that led to a record, the ids it had before included."""
    told: set[str] = set()
    for record in found:
        told |= {record.remote_id, *record.other_ids}
    return told
