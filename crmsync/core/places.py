"""What each channel looks like to one who wants to claim: one statement, one look.

Written out, since composing it anew for each claim costs more than running it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from crmsync.core.breaker import Room
from crmsync.core.channels import lanes_open, room_of
from crmsync.core.lanes import LANES, REALTIME
from crmsync.core.models import Channel

# Not EXISTS: a planner that expects a hit soon would read the table instead of looking
# into the index. From its end, since items are taken from its beginning: there it is
# full of what was taken and not yet cleaned away.
_IS_DUE = """(SELECT i.not_before FROM core_workitem i
  WHERE i.kind = %(kind)s AND i.channel_id = {channel}.id AND i.lane = {lane}
  AND i.state = 'ready' AND i.not_before <= %({by})s
  ORDER BY i.not_before DESC LIMIT 1) IS NOT NULL"""
_OPEN = """({channel}.blocked_because = ''
  AND ({channel}.paused_until IS NULL OR {channel}.paused_until <= %(at)s)
  AND ({channel}.breaker_until IS NULL OR {channel}.breaker_until <= %(at)s))"""
_LEASES = """(SELECT count(DISTINCT l.lease_token) FROM core_workitem l
  WHERE l.state = 'leased' AND l.leased_until > %(at)s AND l.channel_id = c.id)"""


def _is_due(channel: str, lane: int) -> str:
    by = "urgent_at" if lane == REALTIME else "at"
    return _IS_DUE.format(channel=channel, lane=lane, by=by)


def _due(channel: str) -> list[str]:
    return [_is_due(channel, lane) for lane in LANES]


_LOOK = (
    "SELECT c.*, "
    + ", ".join(f"{sql} AS due_{lane}" for lane, sql in enumerate(_due("c")))
    + f", {_LEASES} AS leases"
)
_FROM_OPEN = f" FROM core_channel c WHERE {_OPEN.format(channel='c')}"
_LEAST_SERVED = (
    "(SELECT o.vtime FROM core_channel o WHERE o.id <> c.id"  # noqa: S608 - constants
    f" AND {_OPEN.format(channel='o')} AND ({' OR '.join(_due('o'))})"
    " ORDER BY o.vtime LIMIT 1)"
)
_ALL = _LOOK + _FROM_OPEN
_IS_URGENT = f"SELECT EXISTS (SELECT 1{_FROM_OPEN} AND {_is_due('c', REALTIME)})"
_ONE = f"{_LOOK}, {_LEAST_SERVED} AS low{_FROM_OPEN} AND c.id = %(channel)s"
# From one group to the next by the index, however many items are in each.
_GROUPS = """
WITH RECURSIVE g(name) AS (
  SELECT min(i."group") FROM core_workitem i
  WHERE i.kind = %(kind)s AND i.channel_id = %(channel)s AND i.state = 'ready'
  UNION ALL
  SELECT (SELECT min(i."group") FROM core_workitem i
    WHERE i.kind = %(kind)s AND i.channel_id = %(channel)s AND i.state = 'ready'
    AND i."group" > g.name)
  FROM g WHERE g.name IS NOT NULL
)
SELECT (SELECT i.workspace_id {first}), name FROM g
WHERE name IS NOT NULL AND (SELECT i.not_before {first}) <= %(at)s
"""
_FIRST_OF_GROUP = """FROM core_workitem i
  WHERE i.kind = %(kind)s AND i.channel_id = %(channel)s AND i."group" = g.name
  AND i.lane = %(lane)s AND i.state = 'ready' ORDER BY i.not_before LIMIT 1"""


# Leases of a channel that are kept for its urgent lane: a hand that is free at once is
# of no use where the channel is full. Of a channel with few, none can be spared.
KEPT_FREE = 1
KEPT_FREE_FROM = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A channel that is open: its lanes in which something is due, and its room.

    low: vtime of the least served of the other channels in which something is due.
    """

    channel: Channel
    waiting: frozenset[int]
    room: Room
    low: int | None = None


def is_urgent(kind: str, at: datetime) -> bool:
    """Tell whether something is due in the urgent lane of any channel that is open."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_URGENT, _params(kind, at))
        return bool(cursor.fetchone()[0])


def open_places(kind: str, at: datetime, *, leave_s: float = 0) -> list[Place]:
    """Return the channels with something due and room for one more lease.

    leave_s: what is urgent and was due for no longer is not seen.
    """
    urgent_at = at - timedelta(seconds=leave_s)
    found = [_place(row, at) for row in _rows(_ALL, kind, at, urgent_at=urgent_at)]
    return [place for place in found if place is not None]


def take_place(kind: str, channel_id: int, at: datetime) -> Place | None:
    """Lock a channel with something due and room for one more lease, else None.

    Waits for another that claims; what has only stored new items is not waited for.
    """
    lock = " FOR NO KEY UPDATE OF c" if connection.vendor == "postgresql" else ""
    for row in _rows(_ONE + lock, kind, at, channel=channel_id):
        return _place(row, at)
    return None


def _rows(
    sql: str,
    kind: str,
    at: datetime,
    *,
    urgent_at: datetime | None = None,
    channel: int = 0,
) -> list[Channel]:
    params = {**_params(kind, at, urgent_at), "channel": channel}
    return list(Channel.objects.raw(sql, params))


def _params(
    kind: str, at: datetime, urgent_at: datetime | None = None
) -> dict[str, str | int]:
    return {"kind": kind, "at": _stamp(at), "urgent_at": _stamp(urgent_at or at)}


def _place(row: Channel, at: datetime) -> Place | None:
    waiting = frozenset(
        lane for lane in lanes_open(row, at) if getattr(row, f"due_{lane}")
    )
    room = room_of(row, at)
    free = room.leases - getattr(row, "leases")  # noqa: B009
    if free <= KEPT_FREE and room.leases >= KEPT_FREE_FROM:
        waiting &= {REALTIME}
    if not waiting or free <= 0:
        return None
    return Place(row, waiting, room, getattr(row, "low", None))


def groups_in(
    kind: str, channel_id: int, lane: int, at: datetime
) -> list[tuple[int, str]]:
    """Return (workspace, group) of what is due in a lane of a channel."""
    params: dict[str, str | int] = {"kind": kind, "channel": channel_id, "lane": lane}
    params["at"] = _stamp(at)
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS.format(first=_FIRST_OF_GROUP), params)
        return list(cursor.fetchall())


def _stamp(at: datetime) -> str:
    return str(connection.ops.adapt_datetimefield_value(at))
