"""The conservation law: every ask ends in one counter or still waits."""

from __future__ import annotations

from django.db.models import F, Sum

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State


def ledger() -> dict[str, int]:
    """Return the conservation law of the current workspace; `difference` must be 0."""
    names = ("applied", "coalesced", "skipped", "dead")
    sums = WorkItem.objects.aggregate(
        received=Sum("wanted"), **{name: Sum(name) for name in names}
    )
    totals = {name: value or 0 for name, value in sums.items()}
    unfinished = WorkItem.objects.exclude(state__in=[State.DONE, State.PARKED])
    settled = sum(totals[name] for name in names)
    waiting = unfinished.aggregate(
        n=Sum(F("wanted") - F("applied") - F("coalesced") - F("skipped") - F("dead"))
    )["n"]
    totals["waiting"] = waiting or 0
    totals["difference"] = totals["received"] - settled - totals["waiting"]
    return totals
