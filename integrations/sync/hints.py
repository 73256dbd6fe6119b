"""Takes a CRM's hints: asks for what they name to be fetched, and never trusts them.

A hint lost costs minutes, since the next pull finds the change; one that comes twice,
late or out of order asks for the same row again and changes nothing. The values it
tells wait for the read beside it, see `passing`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.queue import Ask
from integrations.models import Connection, ObjectMapping
from integrations.sync import failures_in, hidden, late, passing, pull
from integrations.webhooks.base import OWN, Hint

# Our own writes come back within seconds; after this the way back is not working.
ECHO_WITHIN = timedelta(minutes=15)
SILENT_AFTER = 3
# A write is noted so long after its call at most; a bulk job takes its time.
NOTED_AFTER = timedelta(minutes=5)
_KEEP_HEARD_S = 7 * 24 * 3600

# Kinds of hints after which a record is no longer there under its id.
_GONE = frozenset({"deleted", "merged"})
# What became of a hint: its record is fetched, all of the object is pulled, it is our
# own write coming back, or nothing here takes that object in.
Outcome = Literal["fetch", "pull", "echo", "skipped"]
Told = tuple[Hint, str]
Mappings = Mapping[str, Sequence[ObjectMapping]]


def take(connection: Connection, told: Sequence[Told]) -> list[Outcome]:
    """Ask for what the hints name, in the caller's transaction; one outcome for each.

    told: hints of this connection's account, each with the trace id of its delivery.
    The caller wakes `integrations.tasks.take_in` after its commit.
    """
    mappings = _by_object(connection)
    outcomes = [_outcome(hint, _about(hint, mappings)) for hint, _ in told]
    pairs = list(zip(told, outcomes, strict=True))
    queue.ask(
        _ask(connection, mapping, key=key, kind=kind, trace_id=trace_id)
        for (hint, trace_id), outcome in pairs
        for mapping in _about(hint, mappings)
        for kind, key in _wanted(hint, outcome, mapping)
    )
    fetched = [one for one, outcome in pairs if outcome == "fetch"]
    passing.keep(connection, fetched, mappings)
    hidden.keep_told(connection, [hint for hint, _ in fetched])
    all_of_it = {h.remote_object for (h, _), one in pairs if one in {"pull", "echo"}}
    note_echo(connection, all_of_it)
    return outcomes


def _by_object(connection: Connection) -> Mappings:
    """Return the active mappings by remote object."""
    if connection.status == Connection.Status.DISCONNECTED:
        return {}
    found: dict[str, list[ObjectMapping]] = {}
    rows = ObjectMapping.objects.filter(connection=connection, active=True)
    for mapping in rows:
        found.setdefault(mapping.remote_object, []).append(mapping)
    return found


def _about(hint: Hint, mappings: Mappings) -> list[ObjectMapping]:
    """Return the mappings that a hint is news to: a deletion is to all of them."""
    gone = hint.kind in _GONE and bool(hint.remote_id)
    found = mappings.get(hint.remote_object, ())
    return [one for one in found if gone or not late.only_sends(one)]


def _outcome(hint: Hint, about: Sequence[ObjectMapping]) -> Outcome:
    if not about:
        return "skipped"
    if not hint.remote_id:
        return "pull"
    return "echo" if hint.origin == OWN else "fetch"


def _wanted(
    hint: Hint, outcome: Outcome, mapping: ObjectMapping
) -> list[tuple[str, str]]:
    """Return kind and key of the rows to ask for.

    Of a merge both records are read: the one that went, and the one that took it over.
    """
    if outcome == "pull":
        return [(pull.KIND, str(mapping.pk))]
    if outcome != "fetch":
        return []
    other = hint.other_id if hint.kind == "merged" else ""
    ids = [one for one in (hint.remote_id, other) if one]
    return [(failures_in.KIND, failures_in.key_of(mapping.pk, one)) for one in ids]


def _ask(
    connection: Connection,
    mapping: ObjectMapping,
    *,
    key: str,
    kind: str,
    trace_id: str,
) -> Ask:
    assert connection.channel_id is not None
    return Ask(
        workspace_id=connection.workspace_id,
        kind=kind,
        key=key,
        channel_id=connection.channel_id,
        group=str(mapping.pk) if kind == failures_in.KIND else "",
        trace_id=trace_id,
    )


# --- silence --------------------------------------------------------------------------


def note_echo(connection: Connection, remote_objects: Iterable[str]) -> None:
    """Remember, once the transaction is durable, that our writes of these come back.

    Of a notice that does not say it is our own, the row that fetches its record tells.
    It is kept in the cache: to forget it costs a few polls too many, and no record.
    """
    at = timezone.now()
    heard = {_key(connection, name): at for name in remote_objects}
    if heard:
        transaction.on_commit(lambda: cache.set_many(heard, _KEEP_HEARD_S))


def heard_at(connection: Connection, remote_object: str) -> datetime | None:
    """Return when a write of ours was last heard of as such, None: not known."""
    found = cache.get(_key(connection, remote_object))
    return found if isinstance(found, datetime) else None


def heard_of(
    mapping: ObjectMapping, remote_ids: Collection[str]
) -> dict[str, datetime]:
    """Return remote id -> when a notice last named the record, of those it did."""
    keys = [failures_in.key_of(mapping.pk, one) for one in remote_ids]
    rows = WorkItem.objects.filter(kind=failures_in.KIND, key__in=keys)
    told = rows.values_list("key", "updated_at")
    return {failures_in.remote_id_of(key): at for key, at in told}


def _key(connection: Connection, remote_object: str) -> str:
    return f"heard:{connection.pk}:{remote_object}"


def is_silent(
    writes: Sequence[tuple[datetime, datetime | None]], *, now: datetime
) -> bool:
    """Tell whether the last three writes that should have come back did not. Pure.

    writes: when a record was written, and when its notice came last, None for never.
    One that is a little older than the write is its own: that is noted when all of its
    batch is done.
    """
    overdue = sorted(one for one in writes if one[0] <= now - ECHO_WITHIN)
    last = overdue[-SILENT_AFTER:]
    return len(last) == SILENT_AFTER and not any(
        heard is not None and heard >= wrote - NOTED_AFTER for wrote, heard in last
    )
