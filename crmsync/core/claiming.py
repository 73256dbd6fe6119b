"""Claiming: what is due, whose turn it is, and a lease on as much as fits one call."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q
from django_scopes import scopes_disabled

from crmsync.core.clock import now
from crmsync.core.models import Channel, WorkItem
from crmsync.core.models.work import State

# A poison item kills its worker each time: from here on it is claimed alone.
LONELY_RESCUES = 2
# How long what is due waits at most for others to share its call.
COMPANY_WAIT_S = 5.0


def due(kind: str, at: datetime | None = None) -> Q:
    """Match what may be claimed by its time and state."""
    at = at or now()
    return Q(kind=kind, state=State.READY, not_before__lte=at)


@scopes_disabled()
def due_channels(kind: str) -> list[int]:
    """Return the channels in which something is due, the least served first.

    Those that are paused, blocked or at their cap are left out.
    """
    at = now()
    waiting = WorkItem.objects.filter(due(kind, at), channel=OuterRef("pk"))
    channels = Channel.objects.filter(Exists(waiting), blocked_because="").filter(
        Q(paused_until=None) | Q(paused_until__lte=at)
    )
    out = _leases_out(at)
    caps = channels.order_by("vtime").values_list("id", "cap")
    return [pk for pk, cap in caps if out.get(pk, 0) < cap]


@scopes_disabled()
def due_groups(kind: str) -> list[tuple[int, int, str]]:
    """Return (workspace, channel, group) of what is due, the least served first.

    Reads all that is due: with a long backlog ask for the channels alone.
    """
    ids = due_channels(kind)
    rank = {channel_id: place for place, channel_id in enumerate(ids)}
    groups = (
        WorkItem.objects.filter(due(kind), channel_id__in=ids)
        .order_by()
        .values_list("workspace_id", "channel_id", "group")
        .distinct()
    )
    return sorted(groups, key=lambda row: (rank[row[1]], row[2]))


def _leases_out(at: datetime) -> dict[int, int]:
    """Return channel -> leases that are out. Reads what is leased and nothing else."""
    leased = WorkItem.objects.filter(state=State.LEASED, leased_until__gt=at)
    counted = leased.order_by().values("channel_id")
    leases = counted.annotate(out=Count("lease_token", distinct=True))
    return dict(leases.values_list("channel_id", "out"))


@scopes_disabled()
def claim(
    kind: str,
    *,
    channel_id: int,
    group: str = "",
    limit: int,
    full_if_busy: bool = False,
) -> list[WorkItem]:
    """Lease up to `limit` due items of one channel and group; all share one token.

    full_if_busy: while another lease of the group is out, take only a full batch, so
    that what arrives meanwhile shares the next call; never for longer than
    COMPANY_WAIT_S. An empty list means there is
    nothing for us: nothing due, the channel's cap reached, or another is claiming.
    """
    at = now()
    with transaction.atomic():
        turn = _take_turn(channel_id, at)
        if turn is None:
            return []
        mine = WorkItem.objects.filter(
            due(kind, at), channel_id=channel_id, group=group
        )
        ordered = mine.select_for_update(skip_locked=True, of=("self",))
        items = list(ordered.order_by("lane", "not_before", "id")[:limit])
        if not items:
            return []
        if full_if_busy and len(items) < limit and _expects_company(items[0], at):
            return []
        items = _without_poison(items)
        _lease(items, at)
        _count_turn(turn, kind, len(items))
    return items


def _take_turn(channel_id: int, at: datetime) -> Channel | None:
    locked = Channel.objects.select_for_update(skip_locked=True)
    turn = locked.filter(pk=channel_id, blocked_because="").first()
    if turn is None or (turn.paused_until and turn.paused_until > at):
        return None
    out = (
        WorkItem.objects.filter(
            channel_id=channel_id, state=State.LEASED, leased_until__gt=at
        )
        .values("lease_token")
        .distinct()
        .count()
    )
    return turn if out < turn.cap else None


def _expects_company(first: WorkItem, at: datetime) -> bool:
    """Tell whether more should share the call; one that hangs is not waited for."""
    if first.not_before < at - timedelta(seconds=COMPANY_WAIT_S):
        return False
    return WorkItem.objects.filter(
        channel_id=first.channel_id,
        group=first.group,
        state=State.LEASED,
        leased_until__gt=at,
    ).exists()


def _without_poison(items: list[WorkItem]) -> list[WorkItem]:
    """Keep an item that may have killed its worker away from the others."""
    suspects = [item for item in items if item.rescues >= LONELY_RESCUES]
    return suspects[:1] or items


def _lease(items: Sequence[WorkItem], at: datetime) -> None:
    token = secrets.randbits(62)
    until = at + timedelta(seconds=settings.WORK_LEASE_S)
    WorkItem.objects.filter(pk__in=[item.pk for item in items]).update(
        state=State.LEASED,
        lease_token=token,
        leased_until=until,
        leased_wanted=F("wanted"),
        updated_at=at,
    )
    for item in items:
        item.state, item.lease_token, item.leased_until = State.LEASED, token, until
        item.leased_wanted = item.wanted


def _count_turn(turn: Channel, kind: str, items: int) -> None:
    """Charge the channel; one that was idle does not bring old credit along."""
    ready = WorkItem.objects.filter(
        kind=kind, channel=OuterRef("pk"), state=State.READY
    )
    active = Channel.objects.filter(Exists(ready))
    floor = active.aggregate(low=Min("vtime"))["low"] or 0
    turn.vtime = max(turn.vtime, floor) + items
    turn.save(update_fields=["vtime"])
