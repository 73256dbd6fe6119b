"""What vanished in a CRM: deleted there, or no longer visible to us."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from crmsync.core import queue
from integrations.connectors.base import Connector
from integrations.errors import Unsupported
from integrations.models import Cursor, Link, ObjectMapping, Run, SyncEntry
from integrations.records import Gone
from integrations.sync import (
    brake,
    failures_in,
    hidden,
    mass_deletes,
    moved,
    outbox,
)
from leads.services import removal

# How long a deletion waits before it is carried over to the other side.
QUARANTINE = timedelta(days=7)
# How often deletions are asked for; some CRMs have no cheap list of them.
EVERY = timedelta(minutes=15)
# How many are looked for by their ids in one turn.
_AT_ONCE = 500


def pull_due(mapping: ObjectMapping, connector: Connector) -> bool:
    """Ask what was deleted or merged, now and then; return whether it was time to."""
    cursor = Cursor.objects.get(mapping=mapping)
    until = cursor.read_up_to
    assert until is not None
    since = cursor.gone_up_to
    if since is not None and until - since < EVERY:
        return False
    overlap = timedelta(seconds=mapping.overlap_s)
    pull_gone(mapping, connector, since=(since or until) - overlap, until=until)
    cursor.gone_up_to = until
    cursor.save(update_fields=["gone_up_to"])
    return True


def pull_gone(
    mapping: ObjectMapping, connector: Connector, *, since: datetime, until: datetime
) -> int:
    """Follow what was deleted or merged in a window; return how many were ours.

    All of it is read before anything is changed, so that a mass deletion is seen whole.
    """
    found = _read(mapping, connector, since=since, until=until)
    ids = [one.remote_id for one in found]
    links = moved.links_of_ids(mapping, ids, gone_too=True)
    ours = [one for one in found if _is_news(one, links.get(one.remote_id))]
    if ours:
        follow(mapping, ours, links)
    return len(ours)


def _is_news(gone: Gone, link: Link | None) -> bool:
    """Tell whether it says more than we know.

    What counts as deleted may turn out to be merged; and of what a push found gone
    nobody has followed the deletion yet.
    """
    if link is None:
        return False
    return not _is_followed(link) or gone.merged_into is not None


def _is_followed(link: Link) -> bool:
    return link.state == Link.State.DELETED and link.gone_at is not None


def _read(
    mapping: ObjectMapping, connector: Connector, *, since: datetime, until: datetime
) -> list[Gone]:
    found: list[Gone] = []
    cursor: str | None = None
    while True:
        try:
            page = connector.gone_since(mapping.remote_object, since, until, cursor)
        except Unsupported:
            return []
        found += page.records
        cursor = page.cursor
        if cursor is None:
            return found


def follow(
    mapping: ObjectMapping, gone: Sequence[Gone], links: dict[str, Link]
) -> None:
    """Carry over merges, then deletions: a loser of a merge looks deleted, too."""
    deleted = follow_merges(mapping, gone, links)
    allowed = mass_deletes.allowed(mapping, deleted) if deleted else []
    if allowed:
        delete(mapping, allowed)


def follow_merges(
    mapping: ObjectMapping, gone: Sequence[Gone], links: Mapping[str, Link]
) -> list[Link]:
    """Let links follow what was merged; return those of what was deleted."""
    for one in gone:
        if one.merged_into:
            link = links[one.remote_id]
            moved.move(mapping, link, mapping.remote_object, one.merged_into)
    return [links[one.remote_id] for one in gone if not one.merged_into]


def follow_approved(mapping: ObjectMapping) -> None:
    """Follow the deletions that a person approved: those that were listed."""
    for run in mass_deletes.brake_of(mapping).to_carry_out():
        found = moved.links_of_ids(mapping, brake.listed(run), gone_too=True)
        links = [one for one in found.values() if not _is_followed(one)]
        with transaction.atomic():
            delete(mapping, links)
            run.state, run.finished_at = Run.State.DONE, queue.now()
            run.total = run.settled = run.deleted = len(links)
            names = ["state", "finished_at", "total", "settled", "deleted"]
            run.save(update_fields=names)


def follow_met(mapping: ObjectMapping, connector: Connector) -> None:
    """Follow the deletions that pushes met, where no poll will be told of them.

    Each is looked for once more, since it may have been restored. Raises SyncError
    where that cannot be asked.
    """
    if mapping.deletes == ObjectMapping.Deletes.IGNORE:
        return
    rows = _deleted(mapping).filter(gone_at=None)
    links = list(rows.order_by("pk")[:_AT_ONCE])
    links = _without_restored(mapping, connector, links) if links else []
    allowed = mass_deletes.allowed(mapping, links) if links else []
    if allowed:
        delete(mapping, allowed)


def _deleted(mapping: ObjectMapping) -> QuerySet[Link]:
    return Link.objects.of(mapping).filter(state=Link.State.DELETED)


def delete(mapping: ObjectMapping, links: Sequence[Link]) -> None:
    """Mark linked records as deleted there, by the mapping's policy."""
    policy = mapping.deletes
    if policy == ObjectMapping.Deletes.IGNORE:
        return
    ids = [link.pk for link in links]
    with transaction.atomic():
        if policy == ObjectMapping.Deletes.RECREATE:
            Link.objects.filter(pk__in=ids).delete()
            records = [link.record_id for link in links]
            outbox.queue_records(mapping.workspace, mapping, records)
        else:
            rows = Link.objects.filter(pk__in=ids)
            rows.update(state=Link.State.DELETED, gone_at=queue.now())
        SyncEntry.objects.bulk_create(_entry(mapping, one, policy) for one in links)


def _entry(mapping: ObjectMapping, link: Link, policy: str) -> SyncEntry:
    told = {
        ObjectMapping.Deletes.UNLINK: "Deleted in the CRM; unlinked and flagged.",
        ObjectMapping.Deletes.PROPAGATE: "Deleted in the CRM; follows here in 7 days.",
        ObjectMapping.Deletes.RECREATE: "Deleted in the CRM; made again.",
    }
    return SyncEntry(
        workspace_id=mapping.workspace_id,
        connection=mapping.connection,
        mapping=mapping,
        record_type=link.record_type,
        record_id=link.record_id,
        remote_object=link.remote_object,
        remote_id=link.remote_id,
        direction="pull",
        outcome=SyncEntry.Outcome.DELETED,
        message=told[ObjectMapping.Deletes(policy)],
    )


def carry_over_deletes(
    mapping: ObjectMapping, connector: Connector, *, now: datetime
) -> int:
    """Delete here what was deleted there and has waited long enough; return how many.

    Each is looked for once more, by its id: what was restored there meanwhile is linked
    again and stays. Without an answer, which raises SyncError, nothing is deleted.
    """
    if mapping.deletes != ObjectMapping.Deletes.PROPAGATE:
        return 0
    rows = _deleted(mapping).filter(gone_at__lte=now - QUARANTINE)
    links = list(rows[:_AT_ONCE])
    links = _without_restored(mapping, connector, links) if links else []
    if links:
        removal.delete(
            mapping.workspace,
            mapping.record_type,
            [link.record_id for link in links],
            origin=moved.origin_of(mapping),
        )
        Link.objects.filter(pk__in=[link.pk for link in links]).delete()
    return len(links)


def _without_restored(
    mapping: ObjectMapping, connector: Connector, links: Sequence[Link]
) -> list[Link]:
    """Return those that are gone still; link the others again, to be compared.

    Where nothing is taken in, what was not sent of them meanwhile is sent.
    """
    asked = [link.remote_id for link in links]
    survivors = _look_again(connector, mapping.remote_object, asked)
    back = [link for link in links if link.remote_id in survivors]
    for link in back:
        if survivors[link.remote_id] != link.remote_id:
            moved.move(mapping, link, mapping.remote_object, survivors[link.remote_id])
    if back:
        with transaction.atomic():
            rows = Link.objects.filter(pk__in=[link.pk for link in back])
            rows.update(state=Link.State.LINKED, gone_at=None)
            if mapping.direction == ObjectMapping.Direction.PUSH:
                records = [link.record_id for link in back]
                outbox.queue_records(mapping.workspace, mapping, records)
            else:
                queue.ask(failures_in.asks(mapping, sorted(set(survivors.values()))))
    return [link for link in links if link.remote_id not in survivors]


def _look_again(
    connector: Connector, remote_object: str, remote_ids: Sequence[str]
) -> dict[str, str]:
    """Return id -> what it leads to in the CRM now, of those that are there."""
    asked = set(remote_ids)
    return {
        one: record.remote_id
        for record in connector.fetch(remote_object, remote_ids, fields=[])
        if not record.archived
        for one in (record.remote_id, *record.other_ids)
        if one in asked
    }


def note_missing(
    mapping: ObjectMapping, connector: Connector, remote_ids: Collection[str]
) -> set[str]:
    """Deal with ids that a read by id no longer finds; return those hidden from us."""
    links = moved.links_of_ids(mapping, remote_ids) if remote_ids else {}
    named = hidden.told_apart(mapping, connector, links)
    if named:
        follow(mapping, named, links)
    return set(links).difference(one.remote_id for one in named)
