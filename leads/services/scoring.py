"""Adds points to leads and writes the ledger; the score is always its sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Sum

from crmsync.core.models import Workspace
from leads.models import ScoreEntry, ScoreRule
from leads.scoring.engine import award
from leads.services.people import Touched

DEFAULT_RULES = (
    ("reply_received", "Replied to outreach", 20, 100),
    ("meeting_booked", "Booked a meeting", 30, None),
)


def score(
    workspace: Workspace, event: str, engaged: Sequence[tuple[Touched, str]]
) -> list[ScoreEntry]:
    """Give each engaged lead the points of the event's rule.

    engaged: a saved lead and the trace of what it did, once per time it did it.
    """
    rule = ScoreRule.objects.filter(event=event, active=True).first()
    if rule is None or not engaged:
        return []
    given = _given(rule, [touched.lead.pk for touched, _ in engaged])
    entries = []
    for touched, trace_id in engaged:
        lead = touched.lead
        points = award(rule.points, cap=rule.cap, given=given[lead.pk])
        if not points:
            continue
        given[lead.pk] += points
        touched.set("score", lead.score + points)
        entries.append(
            ScoreEntry(
                workspace=workspace,
                lead=lead,
                rule=rule,
                points=points,
                reason=rule.label,
                trace_id=trace_id,
            )
        )
    return ScoreEntry.objects.bulk_create(entries)


def _given(rule: ScoreRule, leads: Sequence[int]) -> defaultdict[int, int]:
    if rule.cap is None:
        return defaultdict(int)
    sums = ScoreEntry.objects.filter(rule=rule, lead__in=leads).values_list("lead")
    return defaultdict(int, dict(sums.annotate(given=Sum("points"))))
