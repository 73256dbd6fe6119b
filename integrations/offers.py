"""The runs a person can start under a mapping, each with what it is good for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from integrations.models import ObjectMapping, Run

PULL = "pull"


@dataclass(frozen=True, slots=True)
class Offer:
    """A run that can be started. {there} in its texts is the connection's name.

    confirm: asked before; refused: why it was not started, "" when it was not tried.
    """

    kind: str
    label: str
    text: str
    icon: str
    confirm: str = ""
    refused: str = ""


# In the order one tries them out.
OFFERS = (
    Offer(
        Run.Kind.DRY,
        "Dry run",
        "See what would be created, updated, emptied and held, on both sides. Nothing "
        "is written anywhere.",
        "eye",
    ),
    Offer(
        Run.Kind.RECONCILE,
        "Compare everything",
        "Read all of {there}, bring both sides in step and send what is only here. "
        "Finds what was deleted, too.",
        "arrows-exchange",
        "Compare everything with {there}?",
    ),
    Offer(
        PULL,
        "Pull now",
        "Ask {there} at once for what has changed, before its turn.",
        "download",
    ),
    Offer(
        Run.Kind.BACKFILL,
        "Send all",
        "Go through every record here and send to {there} what differs.",
        "upload",
        "Send all records to {there}?",
    ),
    Offer(
        Run.Kind.BATCH,
        "Run the batch now",
        "Send what waits for the next batch, without waiting for it.",
        "clock",
    ),
    Offer(
        Run.Kind.AUDIT,
        "Audit now",
        "Compare linked records with {there} and tell how many drifted apart.",
        "target-arrow",
    ),
)
_SENDING = frozenset({Run.Kind.BACKFILL, Run.Kind.BATCH})


def offers_of(mapping: ObjectMapping, refused: Mapping[str, str]) -> list[Offer]:
    """Return what can be started. refused: kind -> why it was not."""
    there = str(mapping.connection)
    return [
        replace(
            one,
            text=one.text.format(there=there),
            confirm=one.confirm.format(there=there),
            refused=refused.get(one.kind, ""),
        )
        for one in OFFERS
        if _fits(one, mapping)
    ]


def _fits(offer: Offer, mapping: ObjectMapping) -> bool:
    ways = ObjectMapping.Direction
    if offer.kind == Run.Kind.BATCH and mapping.mode != ObjectMapping.Mode.BATCH:
        return False
    if offer.kind in _SENDING:
        return mapping.direction != ways.PULL
    return offer.kind != PULL or mapping.direction != ways.PUSH
