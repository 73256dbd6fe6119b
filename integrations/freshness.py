"""How far behind each side may be: what waits, what was read when, what drifted.

One query per table for any number of connections.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Case, Count, F, Max, Min, Q, When

from crmsync.core.models import Channel, WorkItem
from crmsync.core.models.work import State
from integrations.connectors.daily import Daily, Forecast, forecast
from integrations.models import Conflict, Connection, Cursor, Link, ObjectMapping, Run
from integrations.outcomes import Drift, drift_of
from integrations.progress import OVER
from integrations.sync import outbox

_UNFINISHED = (State.READY, State.LEASED, State.WAITING)
# A row is used again for its record's next change; then the ask is its latest stamp.
_SINCE = Case(When(finished_at=None, then=F("created_at")), default=F("updated_at"))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Changes that have not left. oldest_at: since when the oldest waits.

    aside: those that wait for a batch, or for somebody to ask.
    """

    count: int = 0
    aside: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MappingFreshness:
    """How one mapping stands. next_read_at: when it is asked again by itself."""

    mapping: ObjectMapping
    waiting: Waiting
    read_at: datetime | None = None
    swept_at: datetime | None = None
    next_read_at: datetime | None = None
    audit: Run | None = None

    @property
    def takes(self) -> bool:
        """Tell whether anything is taken in under it."""
        return self.mapping.direction != ObjectMapping.Direction.PUSH

    @property
    def drift(self) -> Drift | None:
        """Return what the last audit found, None before the first."""
        return drift_of(self.audit) if self.audit else None


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing, or only the urgent, leaves a connection just now."""

    text: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Freshness:
    """How one connection stands, mapping by mapping.

    hidden: linked records that the CRM neither shows us nor names as deleted.
    """

    connection: Connection
    mappings: Sequence[MappingFreshness] = ()
    conflicts: int = 0
    runs: Sequence[Run] = field(default_factory=tuple)
    budget: Forecast | None = None
    hold: Hold | None = None
    hidden: int = 0

    @property
    def oldest_at(self) -> datetime | None:
        """Return since when the oldest change waits."""
        found = [one.waiting.oldest_at for one in self.mappings]
        return min((one for one in found if one is not None), default=None)

    @property
    def takes(self) -> bool:
        """Tell whether anything is taken in from it."""
        return any(one.takes and one.mapping.active for one in self.mappings)

    @property
    def read_at(self) -> datetime | None:
        """Return when the mapping that was read longest ago was read; None: never."""
        takes = [one for one in self.mappings if one.takes and one.mapping.active]
        found = [one.read_at for one in takes if one.read_at is not None]
        return min(found, default=None)

    @property
    def drift(self) -> Drift | None:
        """Return the last audits of all mappings together, None before the first."""
        found = [one.drift for one in self.mappings if one.drift is not None]
        if not found:
            return None
        return Drift(
            sum(one.checked for one in found),
            sum(one.drifted for one in found),
            any(one.needs_person for one in found),
        )


def of_mapping(mapping: ObjectMapping) -> MappingFreshness:
    """Return how one mapping stands."""
    return _of_mappings([mapping])[0]


def of_connections(
    connections: Iterable[Connection], now: datetime
) -> dict[int, Freshness]:
    """Return how each connection stands, by its id."""
    connections = list(connections)
    rows = ObjectMapping.objects.filter(connection__in=connections)
    ordered = rows.select_related("connection").order_by("record_type", "pk")
    by_connection: dict[int, list[MappingFreshness]] = defaultdict(list)
    for one in _of_mappings(list(ordered)):
        by_connection[one.mapping.connection_id].append(one)
    channels = Channel.objects.in_bulk([one.channel_id for one in connections])
    conflicts, runs, hidden = _conflicts(), _going(), _hidden()
    return {
        one.pk: Freshness(
            one,
            by_connection[one.pk],
            conflicts.get(one.pk, 0),
            runs.get(one.pk, []),
            budget_of(channels.get(one.channel_id), now),
            hold_of(channels.get(one.channel_id), now),
            hidden.get(one.pk, 0),
        )
        for one in connections
    }


def _of_mappings(mappings: Sequence[ObjectMapping]) -> list[MappingFreshness]:
    cursors = Cursor.objects.in_bulk([one.pk for one in mappings])
    waiting, audits = _waiting(mappings), _audits(mappings)
    pulls = _pulls(mappings)
    return [
        MappingFreshness(
            one,
            waiting.get(str(one.pk), Waiting()),
            read_at=cursors[one.pk].read_at if one.pk in cursors else None,
            swept_at=cursors[one.pk].swept_at if one.pk in cursors else None,
            next_read_at=pulls.get(str(one.pk)) if one.active else None,
            audit=audits.get(one.pk),
        )
        for one in mappings
    ]


def _waiting(mappings: Sequence[ObjectMapping]) -> dict[str, Waiting]:
    aside = Q(not_before=outbox.WHEN_ASKED)
    rows = WorkItem.objects.filter(
        kind=outbox.KIND,
        group__in=[str(one.pk) for one in mappings],
        state__in=_UNFINISHED,
    )
    counted = rows.order_by().values_list("group")
    return {
        group: Waiting(count, put_aside, oldest)
        for group, count, put_aside, oldest in counted.annotate(
            n=Count("id", filter=~aside),
            aside=Count("id", filter=aside),
            oldest=Min(_SINCE, filter=~aside),
        )
    }


def _pulls(mappings: Sequence[ObjectMapping]) -> Mapping[str, datetime]:
    rows = WorkItem.objects.filter(kind="pull", key__in=[str(m.pk) for m in mappings])
    return dict(rows.filter(state=State.READY).values_list("key", "not_before"))


def _audits(mappings: Sequence[ObjectMapping]) -> dict[int, Run]:
    """Return the last finished audit of each mapping, by the mapping's id."""
    done = [Run.State.DONE, Run.State.DONE_WITH_ERRORS]
    rows = Run.objects.filter(kind=Run.Kind.AUDIT, mapping__in=mappings, state__in=done)
    newest = rows.order_by().values("mapping").annotate(newest=Max("id"))
    found = Run.objects.in_bulk([one["newest"] for one in newest])
    return {one.mapping_id: one for one in found.values()}


def _conflicts() -> dict[int, int]:
    rows = Conflict.objects.filter(state=Conflict.State.OPEN)
    return dict(rows.order_by().values_list("connection").annotate(n=Count("id")))


def _hidden() -> dict[int, int]:
    rows = Link.objects.filter(state=Link.State.FORBIDDEN)
    return dict(rows.order_by().values_list("connection").annotate(n=Count("id")))


def _going() -> dict[int, list[Run]]:
    found: dict[int, list[Run]] = defaultdict(list)
    rows = Run.objects.exclude(state__in=OVER).select_related("mapping", "connection")
    for run in rows.order_by("-id")[:50]:
        found[run.connection_id].append(run)
    return found


# --- what the channel says ------------------------------------------------------------


def budget_of(channel: Channel | None, now: datetime) -> Forecast | None:
    """Return a connection's daily budget with a forecast, None where it has none."""
    if channel is None or not channel.daily_limit or channel.daily_used is None:
        return None
    resets_at = channel.daily_reset_at
    used = channel.daily_used
    if resets_at is not None and resets_at <= now:
        used, resets_at = 0, resets_at + timedelta(days=1)
    daily = Daily(used, channel.daily_limit)
    return forecast(daily, now=now, resets_at=resets_at or now + timedelta(days=1))


def hold_of(channel: Channel | None, now: datetime) -> Hold | None:
    """Return what holds a connection back, the gravest first."""
    if channel is None:
        return None
    if channel.blocked_because:
        return Hold(channel.blocked_because)
    if channel.breaker == Channel.Breaker.OPEN:
        return Hold("Stopped after many failures in a row", channel.breaker_until)
    if channel.breaker == Channel.Breaker.HALF:
        return Hold("It failed many times; it is tried one call at a time")
    if channel.paused_until and channel.paused_until > now:
        return Hold("The CRM asked us to slow down", channel.paused_until)
    if channel.batch_paused_until and channel.batch_paused_until > now:
        told = "Only what is urgent leaves, the rest of the day’s calls is kept for it"
        return Hold(told, channel.batch_paused_until)
    return None
