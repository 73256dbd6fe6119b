"""How connections, deliveries and failures look, and their words for people."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django import template

from crmsync.core.models import WorkItem
from integrations import causes, lookalikes, progress, sentences
from integrations.connectors import CONNECTORS
from integrations.connectors.daily import Forecast
from integrations.models import (
    Conflict,
    Connection,
    Delivery,
    ObjectMapping,
    SyncEntry,
)
from integrations.webhooks.sources import SOURCES
from leads.selectors import TimelineEntry

register = template.Library()

# What a body shows at most; the rest is downloaded by nobody.
BODY_SHOWN = 60_000
_ICONS: Mapping[str, str] = {
    "delivery": "webhook",
    "lead": "user",
    "score": "star",
    "deal": "briefcase",
    "stage": "briefcase",
    "change": "pencil",
    "sync": "send",
    "note": "note",
    "task": "check",
    "call": "phone",
    "email": "mail",
    "meeting": "calendar",
    "message": "inbox",
}
_TONES: Mapping[str, str] = {
    "delivery": "idle",
    "score": "info",
    "deal": "ok",
    "stage": "ok",
    SyncEntry.Outcome.CREATED: "ok",
    SyncEntry.Outcome.UPDATED: "ok",
    SyncEntry.Outcome.LINKED: "ok",
    SyncEntry.Outcome.HELD: "warn",
    SyncEntry.Outcome.DELETED: "warn",
    SyncEntry.Outcome.RETRYING: "warn",
    SyncEntry.Outcome.FAILED: "bad",
}
_CONNECTION_TONES: Mapping[str, str] = {
    Connection.Status.ACTIVE: "ok",
    Connection.Status.SETTING_UP: "info",
    Connection.Status.NEEDS_REAUTH: "bad",
    Connection.Status.DISCONNECTED: "idle",
}
_DELIVERY_TONES: Mapping[str, str] = {
    Delivery.State.RECEIVED: "info",
    Delivery.State.PROCESSED: "ok",
    Delivery.State.FAILED: "bad",
    Delivery.State.REJECTED: "warn",
}


@register.filter
def entry_icon(entry: TimelineEntry) -> str:
    """Return the icon of a timeline entry."""
    key = entry.status if entry.kind == "activity" else entry.kind
    return _ICONS.get(key, "activity")


@register.filter
def entry_tone(entry: TimelineEntry) -> str:
    """Return the tone of a timeline entry."""
    key = entry.status if entry.kind == "sync" else entry.kind
    return _TONES.get(key, "idle")


@register.filter
def connection_tone(status: str) -> str:
    """Return the tone of a connection's status."""
    return _CONNECTION_TONES.get(status, "idle")


@register.filter
def delivery_tone(state: str) -> str:
    """Return the tone of a delivery's state."""
    return _DELIVERY_TONES.get(state, "idle")


@register.filter
def outcome_tone(outcome: str) -> str:
    """Return the tone of a journal entry's outcome."""
    return _TONES.get(outcome, "idle")


@register.filter
def share(budget: Forecast) -> int:
    """Return how much of a daily budget is used, 0 to 100."""
    return min(round(100 * budget.share), 100)


@register.filter
def share_text(budget: Forecast) -> str:
    """Return how much of a daily budget is used, for people."""
    return f"{share(budget)} %"


@register.simple_tag
def open_conflicts() -> int:
    """Return how many conflicts of the current workspace wait for a decision."""
    return Conflict.objects.filter(state=Conflict.State.OPEN).count()


@register.filter
def run_tone(state: str) -> str:
    """Return the tone of a run's state."""
    return progress.TONES.get(state, "idle")


_ARROWS: Mapping[str, str] = {
    ObjectMapping.Direction.PUSH: "→",
    ObjectMapping.Direction.PULL: "←",
    ObjectMapping.Direction.BOTH: "⇄",
}


@register.filter
def arrow(direction: str) -> str:
    """Return which way a mapping or a field goes, as an arrow from ours to theirs."""
    return _ARROWS.get(direction, "→")


@register.filter
def way(direction: str, there: object) -> str:
    """Return which way a mapping or a field goes, in words.

    >>> way("pull", "HubSpot")
    'Only from HubSpot'
    """
    words = {"push": f"Only to {there}", "pull": f"Only from {there}"}
    return words.get(direction, "Both ways")


@register.filter
def vendor_label(vendor: str) -> str:
    """Return a vendor's name as people write it."""
    entry = CONNECTORS.get(vendor)
    return entry.spec.label if entry else vendor.capitalize()


@register.filter
def source_label(source: str) -> str:
    """Return a webhook source's name as people write it."""
    known = SOURCES.get(source)
    return known.label if known else source


@register.filter
def cause(error_class: str) -> causes.Cause:
    """Return what an error class means and what to do."""
    return causes.of(error_class)


@register.filter
def plain(text: str) -> sentences.Told:
    """Part a message from the raw answer that came with it."""
    return sentences.plain(text)


@register.filter
def told(entry: SyncEntry, there: object) -> sentences.Told:
    """Return what the journal tells of a try, for people."""
    return sentences.told(entry, there)


@register.filter
def decidable(item: WorkItem) -> bool:
    """Tell whether a failure waits for somebody to say who a record is."""
    return lookalikes.is_decidable(item)


@register.filter
def body_text(body: bytes | memoryview) -> str:
    """Return a body as text that can be shown: JSON indented, odd bytes visible.

    NULs and control characters become visible escapes; too long a body is cut.
    """
    raw = bytes(body)
    text = raw.decode("utf-8", "backslashreplace")
    try:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        text = text.encode("utf-8", "backslashreplace").decode()
    except (ValueError, RecursionError):
        pass
    shown = text[:BODY_SHOWN]
    return "".join(one if _plain(one) else _escaped(one) for one in shown)


def _plain(one: str) -> bool:
    return one in "\n\t" or one.isprintable()


def _escaped(one: str) -> str:
    return one.encode("unicode_escape").decode()
