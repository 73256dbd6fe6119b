"""The outbox: one row per mapping and record, saying "make the CRM equal to this"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from crmsync.core import queue
from crmsync.core.models import Workspace
from crmsync.core.queue import Ask
from integrations.models import Connection, ObjectMapping
from leads.facts import RecordChange

KIND = "push"
REALTIME, BULK, REPLAY = 0, 1, 2
# Until somebody asks: in no time that comes.
WHEN_ASKED = datetime(9999, 1, 1, tzinfo=UTC)

# A child cannot be tied to what is not there yet.
RANK = {
    "company": 0,
    "campaign": 0,
    "lead": 1,
    "deal": 2,
    "activity": 3,
    "campaign_member": 3,
}


def key_of(mapping_id: int, record_id: int) -> str:
    """Return the outbox key of a record under a mapping."""
    return f"{mapping_id}:{record_id}"


def record_of(key: str) -> int:
    """Return the record id of an outbox key."""
    return int(key.partition(":")[2])


def push_mappings() -> list[ObjectMapping]:
    """Return the current workspace's mappings that records leave by."""
    mappings = ObjectMapping.objects.filter(
        active=True,
        direction__in=[ObjectMapping.Direction.PUSH, ObjectMapping.Direction.BOTH],
    )
    gone = Connection.Status.DISCONNECTED
    mappings = mappings.exclude(connection__status=gone)
    return list(mappings.select_related("connection"))


def queue_changes(workspace: Workspace, changes: Sequence[RecordChange]) -> int:
    """Store an outbox row for each change and mapping, not back to its origin."""
    mappings = push_mappings()
    times = {mapping.pk: due_at(mapping) for mapping in mappings}
    return queue.ask(
        _ask(
            workspace,
            mapping,
            change.record_id,
            trace_id=change.origin.trace_id,
            not_before=times[mapping.pk],
        )
        for change in changes
        for mapping in mappings
        if mapping.record_type == change.record_type
        and mapping.connection_id != change.origin.connection_id
        and _takes(mapping, change)
    )


def due_at(mapping: ObjectMapping) -> datetime | None:
    """Return when a change under this mapping may leave; None for at once.

    Batches and manual syncs are runs, which make the rows due.
    """
    return None if mapping.mode == ObjectMapping.Mode.REALTIME else WHEN_ASKED


def _takes(mapping: ObjectMapping, change: RecordChange) -> bool:
    """Tell whether an activity's kind goes to the object; a change may not say."""
    kind = change.fields.get("kind")
    return not mapping.only_kinds or kind is None or kind[1] in mapping.only_kinds


def queue_records(
    workspace: Workspace,
    mapping: ObjectMapping,
    record_ids: Iterable[int],
    *,
    trace_id: str = "",
    not_before: datetime | None = None,
    lane: int = REALTIME,
    run: int | None = None,
) -> int:
    """Store outbox rows for chosen records, due at once or when it is said.

    E.g. when their child needs them, or for a run.
    """
    return queue.ask(
        _ask(
            workspace,
            mapping,
            one,
            trace_id=trace_id,
            not_before=not_before,
            lane=lane,
            run=run,
        )
        for one in record_ids
    )


def _ask(
    workspace: Workspace,
    mapping: ObjectMapping,
    record_id: int,
    *,
    trace_id: str = "",
    not_before: datetime | None = None,
    lane: int | None = None,
    run: int | None = None,
) -> Ask:
    assert mapping.connection.channel_id is not None
    if lane is None:
        lane = REALTIME if not_before is None else BULK
    return Ask(
        workspace_id=workspace.pk,
        kind=KIND,
        key=key_of(mapping.pk, record_id),
        channel_id=mapping.connection.channel_id,
        group=str(mapping.pk),
        lane=lane,
        not_before=not_before,
        trace_id=trace_id,
        run=run,
    )
