"""Asking for work: a row that is new, or one that is wanted once more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from crmsync.core import bound, quickjson
from crmsync.core.clock import now


class Ask(NamedTuple):
    """One thing that must happen.

    channel_id: whose turn it takes; group: what it can share a call with; lane: see
    `claiming.SHARES`; not_before: never earlier than this, None for at once; run: the
    run it is asked for by.
    """

    workspace_id: int
    kind: str
    key: str
    channel_id: int
    group: str = ""
    lane: int = 0
    not_before: datetime | None = None
    trace_id: str = ""
    run: int | None = None


# The row is inserted, or the one that is there is told that it is wanted once more.
# What is leased keeps its state: finishing sees the higher `wanted`. What waits for
# another looks again: it may belong to a different one by now. What was given up and
# may have been sent all the same keeps one attempt, so that the next try still knows.
# What waits for its slot is due when the sooner of two asks wants it; only the wait
# after a failure is kept, unless a run asks. A run that asks twice, since it was killed
# at its page, asks once. What a paused run holds is free for whoever else asks.
# One parameter carries all rows: a thousand of them would cost more to parse than to
# store.
_ASK_SQL = """
INSERT INTO core_workitem (
  workspace_id, kind, key, channel_id, "group", lane, not_before, trace_id, run,
  created_at, updated_at, state, waits_for, wanted, applied, coalesced, skipped, dead,
  attempts, rescues, leased_wanted, error_class, error_code, error_field, error
)
{rows}
ON CONFLICT (kind, key) DO UPDATE SET
  wanted = core_workitem.wanted + CASE WHEN core_workitem.run = excluded.run
    AND core_workitem.state IN ('ready', 'waiting') THEN 0 ELSE 1 END,
  run = CASE WHEN core_workitem.state IN ('done', 'parked') THEN excluded.run
    WHEN core_workitem.state = 'leased'
    THEN coalesce(excluded.run, core_workitem.run)
    ELSE coalesce(core_workitem.run, excluded.run) END,
  channel_id = excluded.channel_id,
  "group" = excluded."group",
  lane = CASE WHEN excluded.lane < core_workitem.lane
    OR core_workitem.state IN ('done', 'parked')
    THEN excluded.lane ELSE core_workitem.lane END,
  not_before = CASE WHEN core_workitem.state IN ('done', 'parked')
    OR core_workitem.waits_for = 'run:' || core_workitem.run THEN excluded.not_before
    WHEN excluded.not_before < core_workitem.not_before
    AND (core_workitem.attempts = 0 OR excluded.run IS NOT NULL)
    THEN excluded.not_before ELSE core_workitem.not_before END,
  attempts = CASE WHEN core_workitem.state NOT IN ('done', 'parked')
    THEN core_workitem.attempts
    WHEN core_workitem.state = 'parked' AND core_workitem.error_class IN
      ('unknown', 'ambiguous', 'crashed_worker', 'bug') THEN 1 ELSE 0 END,
  failing_since = CASE WHEN core_workitem.state IN ('done', 'parked')
    THEN NULL ELSE core_workitem.failing_since END,
  rescues = CASE WHEN core_workitem.state IN ('done', 'parked')
    THEN 0 ELSE core_workitem.rescues END,
  state = CASE WHEN core_workitem.state = 'leased' {or_held}
    THEN core_workitem.state ELSE 'ready' END,
  waits_for = CASE WHEN core_workitem.state = 'leased' {or_held}
    THEN core_workitem.waits_for ELSE '' END,
  error_class = CASE WHEN core_workitem.state = 'waiting'
    THEN '' ELSE core_workitem.error_class END,
  error = CASE WHEN core_workitem.state = 'waiting'
    THEN '' ELSE core_workitem.error END,
  trace_id = excluded.trace_id,
  updated_at = excluded.updated_at
"""
_OR_HELD = """OR (core_workitem.run = excluded.run
    AND core_workitem.waits_for = 'run:' || core_workitem.run)"""
_ROWS = {
    "postgresql": """
SELECT (r->>0)::bigint, r->>1, r->>2, (r->>3)::bigint, r->>4, (r->>5)::smallint,
  (r->>6)::timestamptz, r->>7, (r->>9)::bigint,
  (r->>8)::timestamptz, (r->>8)::timestamptz,
  'ready', '', 1, 0, 0, 0, 0, 0, 0, 0, '', '', '', ''
FROM jsonb_array_elements(%s::jsonb) AS r
""",
    # "WHERE true" tells SQLite that ON CONFLICT belongs to the INSERT.
    "sqlite": """
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
  json_extract(value, '$[2]'), json_extract(value, '$[3]'),
  json_extract(value, '$[4]'), json_extract(value, '$[5]'),
  json_extract(value, '$[6]'), json_extract(value, '$[7]'),
  json_extract(value, '$[9]'),
  json_extract(value, '$[8]'), json_extract(value, '$[8]'),
  'ready', '', 1, 0, 0, 0, 0, 0, 0, 0, '', '', '', ''
FROM json_each(%s) WHERE true
""",
}


def ask(asks: Iterable[Ask]) -> int:
    """Store what must happen, in the caller's transaction; return how many asks.

    The same (kind, key) twice in one call counts once.
    """
    unique = {(item.kind, item.key): item for item in asks}
    if unique:
        # In one order everywhere, or two that touch the same rows would lock each
        # other out. Of keys that are numbers it is their own order; see `lock`.
        order = sorted(unique, key=lambda name: (name[0], len(name[1]), name[1]))
        _insert([unique[name] for name in order], now())
    return len(unique)


def _insert(asks: Sequence[Ask], at: datetime) -> None:
    stamp = _text(at)
    rows = [
        (
            item.workspace_id,
            item.kind,
            item.key,
            item.channel_id,
            item.group,
            item.lane,
            _text(item.not_before) if item.not_before else stamp,
            item.trace_id,
            stamp,
            item.run,
        )
        for item in asks
    ]
    sql = _ASK_SQL.format(rows=_ROWS[connection.vendor], or_held=_OR_HELD)
    with bound.cursor() as cursor:
        cursor.execute(sql, [quickjson.written(rows).decode()])


def _text(at: datetime) -> str:
    """Return a time the way the database stores it."""
    return str(connection.ops.adapt_datetimefield_value(at))
