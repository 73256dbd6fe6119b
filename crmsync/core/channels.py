"""Channels of work: made, paused, blocked and opened again."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q

from crmsync.core.clock import now
from crmsync.core.models import Channel


def channel(name: str, *, cap: int = 4) -> Channel:
    """Return the channel of this name, made when it is new."""
    found, _ = Channel.objects.get_or_create(name=name, defaults={"cap": cap})
    return found


def pause(channel_id: int, wait_s: float) -> None:
    """Let nothing leave the channel for a while; never shortens a longer pause."""
    until = now() + timedelta(seconds=wait_s)
    longer = Q(paused_until=None) | Q(paused_until__lt=until)
    Channel.objects.filter(longer, pk=channel_id).update(paused_until=until)


def block(channel_id: int, reason: str) -> None:
    """Let nothing leave the channel until `unblock`, e.g. while signed out."""
    Channel.objects.filter(pk=channel_id).update(blocked_because=reason[:200])


def unblock(channel_id: int) -> None:
    """Open a channel again and end its pause."""
    Channel.objects.filter(pk=channel_id).update(blocked_because="", paused_until=None)
