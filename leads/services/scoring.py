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
    """Give each engaged lead the points of the event's rule; return unsaved entries.

    engaged: a lead and the trace of what it did, once per time it did it. The leads
    need not be saved yet, so that one statement can store them with their score.
    """
    rule = ScoreRule.objects.filter(event=event, active=True).first()
    if rule is None or not engaged:
        return []
    given = _given(rule, [touched for touched, _ in engaged])
    entries = []
    for touched, trace_id in engaged:
        points = award(rule.points, cap=rule.cap, given=given[id(touched)])
        if not points:
            continue
        given[id(touched)] += points
        touched.set("score", touched.lead.score + points)
        entries.append(
            ScoreEntry(
                workspace=workspace,
                lead=touched.lead,
                rule=rule,
                points=points,
                reason=rule.label,
                trace_id=trace_id,
            )
        )
    return entries


def _given(rule: ScoreRule, engaged: Sequence[Touched]) -> defaultdict[int, int]:
    """Return id(touched) -> points the rule gave so far; new leads have none."""
    known = {one.lead.pk: id(one) for one in engaged if not one.is_new}
    if rule.cap is None or not known:
        return defaultdict(int)
    sums = ScoreEntry.objects.filter(rule=rule, lead__in=known).values_list("lead")
    points = sums.annotate(given=Sum("points")).order_by()
    return defaultdict(int, {known[lead]: given for lead, given in points})
