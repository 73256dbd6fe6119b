"""What the invented team did with the replies: owners, stages, notes, tasks, meetings.

All of it through the services, dated back afterwards by the trace of each step.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from crmsync.core.models import User, Workspace
from leads.facts import Origin
from leads.models import Activity, Change, Deal, Lead, ScoreEntry, Stage, StageChange
from leads.services import records
from leads.services.fields import AnyRecord
from leads.services.records import Edit

# So many of a hundred deals get as far as each stage of the default pipeline.
_REACHED = (("Qualified", 55), ("Meeting booked", 32), ("Proposal", 18))
_CLOSED = (("Won", 9), ("Lost", 6))
# What the team sells in, and so what its CRMs count in.
CURRENCY = "EUR"
_STATUS = {"Qualified": "qualified", "Won": "customer", "Lost": "lost"}
_NOTES = (
    "Called back; decision by the end of the quarter.",
    "Uses two CRMs after a merger, wants both in step.",
    "Budget is there, needs the consent of IT.",
    "Asked for a reference in the same industry.",
)
_TASKS = ("Send the proposal", "Call back", "Share the price list", "Introduce to IT")


def sell(
    workspace: Workspace, team: Sequence[User], *, now: datetime, rng: random.Random
) -> None:
    """Play the month's selling for every deal that the replies opened."""
    play = _Play(workspace, team, now, rng)
    play.assign()
    for name, percent in (*_REACHED, *_CLOSED):
        play.move(name, percent)
    play.write_notes()


class _Play:
    """One run of the play; `at` is where each deal's story stands."""

    def __init__(
        self,
        workspace: Workspace,
        team: Sequence[User],
        now: datetime,
        rng: random.Random,
    ) -> None:
        self.workspace, self.team, self.now, self.rng = workspace, team, now, rng
        self.deals = list(Deal.objects.select_related("lead").order_by("pk"))
        self.luck = {deal.pk: rng.randrange(100) for deal in self.deals}
        self.at = {deal.pk: deal.created_at for deal in self.deals}
        self.steps = 0

    def assign(self) -> None:
        """Give the leads that replied, and their deals, an owner."""
        owner = {deal.pk: self.rng.choice(self.team) for deal in self.deals}
        for deal in self.deals:
            self._later(deal.pk, hours=3)
        by_lead = {deal.lead_id or 0: deal for deal in self.deals}
        self._edit(
            "lead",
            {lead: {"owner_id": owner[deal.pk].pk} for lead, deal in by_lead.items()},
            {lead: self.at[deal.pk] for lead, deal in by_lead.items()},
        )
        self._edit(
            "deal",
            {deal.pk: self._offer(owner[deal.pk]) for deal in self.deals},
            self.at,
        )

    def _offer(self, owner: User) -> dict[str, object]:
        close = (self.now + timedelta(days=self.rng.randrange(5, 90))).date()
        return {
            "owner_id": owner.pk,
            "amount": 500 * self.rng.randrange(4, 60),
            "currency": CURRENCY,
            "close_date": close,
        }

    def move(self, stage_name: str, percent: int) -> None:
        """Move the luckiest deals on; for Lost, some of the others."""
        stage = Stage.objects.get(name=stage_name, pipeline__is_default=True)
        lost = stage_name == "Lost"
        chosen = [
            deal
            for deal in self.deals
            if (100 - self.luck[deal.pk] if lost else self.luck[deal.pk]) < percent
        ]
        for deal in chosen:
            self._later(deal.pk, hours=40)
        moves: dict[int, dict[str, object]] = {
            deal.pk: {"stage_id": stage.pk} for deal in chosen
        }
        self._edit("deal", moves, self.at)
        if status := _STATUS.get(stage_name):
            self._edit(
                "lead",
                {deal.lead_id or 0: {"status": status} for deal in chosen},
                {deal.lead_id or 0: self.at[deal.pk] for deal in chosen},
            )
        if stage_name == "Meeting booked":
            self._add([self._meeting(deal) for deal in chosen])

    def _meeting(self, deal: Deal) -> dict[str, object]:
        return {
            "kind": "meeting",
            "lead_id": deal.lead_id,
            "deal_id": deal.pk,
            "subject": "First meeting",
            "occurred_at": self.at[deal.pk],
            "owner_id": self.rng.choice(self.team).pk,
        }

    def write_notes(self) -> None:
        """Write a note for some deals, a task for others, some of them overdue."""
        rows = []
        for deal in self.deals:
            if self.rng.randrange(100) >= 45:
                continue
            at = self._later(deal.pk, hours=10)
            row: dict[str, object] = {
                "lead_id": deal.lead_id,
                "deal_id": deal.pk,
                "occurred_at": at,
                "owner_id": self.rng.choice(self.team).pk,
            }
            if self.rng.random() < 0.5:
                row |= {"kind": "note", "body": self.rng.choice(_NOTES)}
            else:
                due = self.now + timedelta(days=self.rng.randrange(-4, 9))
                row |= {"kind": "task", "due_at": due}
                row |= {"subject": self.rng.choice(_TASKS)}
            rows.append(row)
        self._add(rows)

    # --- writing ---------------------------------------------------------------------

    def _later(self, deal_id: int, *, hours: float) -> datetime:
        """Let some time pass in a deal's story, never past now."""
        step = timedelta(hours=hours * (0.3 + self.rng.random()))
        latest = self.now - timedelta(minutes=self.rng.randrange(2, 90))
        self.at[deal_id] = max(min(self.at[deal_id] + step, latest), self.at[deal_id])
        return self.at[deal_id]

    def _origin(self) -> Origin:
        self.steps += 1
        who = self.rng.choice(self.team)
        return Origin("user", str(who.pk), str(who), f"demo-selling-{self.steps}")

    def _edit(
        self,
        record_type: str,
        edits: Mapping[int, Mapping[str, object]],
        at: Mapping[int, datetime],
    ) -> None:
        origin = self._origin()
        given = [Edit(pk, values) for pk, values in edits.items()]
        records.update(self.workspace, record_type, given, origin=origin)
        self._date(origin, {(record_type, pk): at[pk] for pk in edits})

    def _add(self, rows: list[dict[str, Any]]) -> None:
        origin = self._origin()
        made = records.create(self.workspace, "activity", rows, origin=origin)
        at: dict[tuple[str, int], datetime] = {}
        for one, row in zip(made, rows, strict=True):
            at["activity", one.pk] = row["occurred_at"]
            at["lead", row["lead_id"]] = row["occurred_at"]
            one.created_at = row["occurred_at"]
        self._date_activities(made)
        self._date(origin, at)

    @staticmethod
    def _date_activities(made: Sequence[AnyRecord]) -> None:
        activities = [one for one in made if isinstance(one, Activity)]
        Activity.objects.bulk_update(activities, ["created_at"])

    @transaction.atomic
    def _date(self, origin: Origin, at: Mapping[tuple[str, int], datetime]) -> None:
        """Date what a step led to by the time it has in the story."""
        changes = list(Change.objects.filter(trace_id=origin.trace_id))
        for change in changes:
            change.at = at.get((change.record_type, change.record_id), change.at)
        Change.objects.bulk_update(changes, ["at"])
        scored = list(ScoreEntry.objects.filter(trace_id=origin.trace_id))
        for entry in scored:
            entry.at = at.get(("lead", entry.lead_id), entry.at)
        ScoreEntry.objects.bulk_update(scored, ["at"])
        moved = [pk for name, pk in at if name == "deal"]
        newest = StageChange.objects.filter(deal__in=moved, from_stage__isnull=False)
        last = newest.order_by().values_list("deal").annotate(newest=Max("pk"))
        rows = list(StageChange.objects.filter(pk__in=[pk for _, pk in last]))
        told = {change.record_id for change in changes if "stage_id" in change.fields}
        rows = [row for row in rows if row.deal_id in told]
        for row in rows:
            row.at = at["deal", row.deal_id]
        StageChange.objects.bulk_update(rows, ["at"])


def settle_times() -> None:
    """Let each lead look as lively as its last activity was."""
    lively = Lead.objects.annotate(last=Max("activities__occurred_at"))
    rows = list(lively.filter(last__isnull=False))
    for lead in rows:
        lead.last_activity_at = lead.last
        lead.updated_at = lead.last
    Lead.objects.bulk_update(rows, ["last_activity_at", "updated_at"])
