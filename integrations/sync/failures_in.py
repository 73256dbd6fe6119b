"""Puts what could not come in into the error list, where it is fetched again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import Ask, Failure
from integrations.models import ObjectMapping
from integrations.sync.cases import Case

KIND = "fetch"


def key_of(mapping_id: int, remote_id: str) -> str:
    """Return the key of the row that fetches a remote record."""
    return f"{mapping_id}:{remote_id}"


def remote_id_of(key: str) -> str:
    """Return the remote id of such a key."""
    return key.partition(":")[2]


def asks(
    mapping: ObjectMapping,
    remote_ids: Iterable[str],
    *,
    trace_id: str = "",
    lane: int = 0,
) -> list[Ask]:
    """Return asks that fetch these records again."""
    assert mapping.connection.channel_id is not None
    return [
        Ask(
            workspace_id=mapping.workspace_id,
            kind=KIND,
            key=key_of(mapping.pk, one),
            channel_id=mapping.connection.channel_id,
            group=str(mapping.pk),
            lane=lane,
            trace_id=trace_id,
        )
        for one in remote_ids
    ]


def failure_of(case: Case) -> Failure | None:
    """Return why a record is not wholly in, None when it is."""
    if case.failure is not None:
        return case.failure
    told = {name: why for name, why in case.problems.items() if why}
    if not told:
        return None
    name, _ = next(iter(told.items()))
    return Failure("held", " ".join(told.values()), field=name)


def parked(mapping: ObjectMapping, remote_ids: Iterable[str]) -> set[str]:
    """Return the remote ids that stand in the error list already."""
    keys = [key_of(mapping.pk, one) for one in remote_ids]
    rows = WorkItem.objects.filter(kind=KIND, key__in=keys, state=State.PARKED)
    return {remote_id_of(key) for key in rows.values_list("key", flat=True)}


def store(mapping: ObjectMapping, cases: Sequence[Case]) -> None:
    """Keep a row for each record that failed or holds a value back."""
    failed = {
        case.ref: failure
        for case in cases
        if not case.seen and (failure := failure_of(case)) is not None
    }
    if not failed:
        return
    queue.ask(asks(mapping, failed))
    for remote_id, failure in failed.items():
        rows = WorkItem.objects.filter(kind=KIND, key=key_of(mapping.pk, remote_id))
        park(rows.exclude(state=State.LEASED).first(), failure)


def park(item: WorkItem | None, failure: Failure) -> None:
    """Put a row that nobody works on into the error list; None changes nothing."""
    if item is None:  # being fetched again this very moment
        return
    at = queue.now()
    again = failure.error_class == "transient"
    item.error_class, item.error = failure.error_class, failure.message[:4000]
    item.error_code, item.error_field = failure.code[:80], failure.field[:120]
    item.error_about, item.failed_at = failure.about, at
    if not again:
        settled = item.applied + item.coalesced + item.skipped + item.dead + 1
        item.state, item.finished_at = State.PARKED, at
        item.dead += 1
        item.coalesced += item.wanted - settled
    item.save()
