"""Who of the invented people plays which part in the story of the two CRMs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from leads.models import Lead


@dataclass(frozen=True, slots=True)
class Cast:
    """Leads by their part; each plays one. See `both_sides` and `beforehand`."""

    speaks_oddly: list[Lead]
    speaks: list[Lead]
    in_hubspot: list[Lead]
    in_salesforce: list[Lead]
    twice_there: list[Lead]
    promoted: list[Lead]
    called: list[Lead]
    moved: list[Lead]
    corrected: list[Lead]
    converted: list[Lead]
    deleted: list[Lead]
    negotiating: list[Lead]


def cast() -> Cast:
    """Give the parts to those who replied, in the order in which they came."""
    engaged = Lead.objects.filter(status__in=("replied", "qualified")).order_by("pk")
    rest = iter(list(engaged))

    def some(count: int) -> list[Lead]:
        return list(islice(rest, count))

    return Cast(
        speaks_oddly=some(4),
        in_hubspot=some(5),
        in_salesforce=some(4),
        twice_there=some(1),
        promoted=some(4),
        called=some(2),
        moved=some(2),
        corrected=some(1),
        converted=some(1),
        deleted=some(1),
        negotiating=some(1),
        speaks=some(36),
    )
