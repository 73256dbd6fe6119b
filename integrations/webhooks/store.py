"""Stores deliveries that arrived together: one INSERT, one transaction, one commit."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction

from crmsync.core import queue
from crmsync.core.tracing import trace_fields
from crmsync.core.wake import wake
from integrations.models import Delivery
from integrations.webhooks.database import with_reconnect
from integrations.webhooks.endpoints import Known

log = logging.getLogger(__name__)

PROCESS = "process"


@dataclass(frozen=True, slots=True)
class Row:
    """A request to be stored. dedupe_key None: refused, kept for inspection only."""

    endpoint: Known
    received_at: datetime
    method: str
    headers: dict[str, str]
    body: bytes
    size: int
    dedupe_key: str | None
    trace_id: str
    status_code: int = 202
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a row; trace_id is that of the first arrival."""

    delivery_id: int
    trace_id: str
    is_repeat: bool = False


# A repeat is counted, and answered with the row that is there.
_SQL = """
INSERT INTO integrations_delivery (
  workspace_id, endpoint_id, received_at, method, headers, body, size, dedupe_key,
  seen, state, status_code, reason, trace_id, traceback
) VALUES {rows}
ON CONFLICT (endpoint_id, dedupe_key)
  DO UPDATE SET seen = integrations_delivery.seen + excluded.seen
RETURNING id, endpoint_id, dedupe_key, trace_id
"""
_ONE = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '')"


def store(rows: Sequence[Row]) -> list[Stored | None]:
    """Store all rows and what must be done with them; one result each, in order.

    None: this row cannot be stored, e.g. its endpoint was deleted a moment ago.
    Raises OperationalError or InterfaceError when the database cannot be reached.
    """
    try:
        results: list[Stored | None] = [*with_reconnect(lambda: _in_one(rows))]
    except (IntegrityError, DataError):
        if len(rows) > 1:
            return [result for row in rows for result in store([row])]
        log.exception("delivery not stored", extra={"trace_id": rows[0].trace_id})
        return [None]
    known = [one.trace_id for one in results if one]
    log.info("deliveries stored", extra={"count": len(rows), **trace_fields(known)})
    pairs = zip(rows, results, strict=True)
    if any(row.dedupe_key and one and not one.is_repeat for row, one in pairs):
        wake("integrations.tasks.process_deliveries", "ingest")
    return results


@transaction.atomic
def _in_one(rows: Sequence[Row]) -> list[Stored]:
    distinct = _distinct(rows)
    found = _insert(distinct)
    new = [row for row, _ in distinct if found[_identity(row)].trace_id == row.trace_id]
    queue.ask(
        queue.Ask(
            workspace_id=row.endpoint.workspace_id,
            kind=PROCESS,
            key=str(found[_identity(row)].delivery_id),
            channel_id=row.endpoint.channel_id,
            trace_id=row.trace_id,
        )
        for row in new
        if row.dedupe_key
    )
    return [_result(row, found) for row in rows]


def _identity(row: Row) -> tuple[int, str]:
    """Return what two rows share when they are the same delivery."""
    return row.endpoint.endpoint_id, row.dedupe_key or row.trace_id


def _result(row: Row, found: Mapping[tuple[int, str], Stored]) -> Stored:
    stored = found[_identity(row)]
    return replace(stored, is_repeat=stored.trace_id != row.trace_id)


def _distinct(rows: Sequence[Row]) -> list[tuple[Row, int]]:
    """Return each delivery once, in order of arrival, with how often it is there.

    The order decides the ids, and so in which order they are processed. Two processes
    that insert the same repeats crosswise may deadlock; the loser tries again.
    """
    first: dict[tuple[int, str], Row] = {}
    times: Counter[tuple[int, str]] = Counter()
    for row in rows:
        first.setdefault(_identity(row), row)
        times[_identity(row)] += 1
    return [(first[key], times[key]) for key in first]


def _insert(distinct: Sequence[tuple[Row, int]]) -> dict[tuple[int, str], Stored]:
    params: list[Any] = [
        value for row, seen in distinct for value in _values(row, seen)
    ]
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(_SQL.format(rows=", ".join([_ONE] * len(distinct))), params)
        for delivery_id, endpoint_id, key, trace_id in cursor.fetchall():
            found[endpoint_id, key or trace_id] = Stored(delivery_id, trace_id)
    return found


def _values(row: Row, seen: int) -> list[Any]:
    """Return the parameters of one row, each in the form its database wants."""
    adapt = connection.ops
    state = Delivery.State.RECEIVED if row.dedupe_key else Delivery.State.REJECTED
    return [
        row.endpoint.workspace_id,
        row.endpoint.endpoint_id,
        adapt.adapt_datetimefield_value(row.received_at),
        row.method,
        adapt.adapt_json_value(row.headers, None),
        row.body,
        row.size,
        row.dedupe_key,
        seen,
        state.value,
        row.status_code,
        row.reason,
        row.trace_id,
    ]
