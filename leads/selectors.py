"""What is read about records beyond one query: a lead's story, in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from crmsync.core.models import User
from leads.models import (
    Activity,
    Change,
    Company,
    Deal,
    Lead,
    Pipeline,
    RecordType,
    ScoreEntry,
    Stage,
    StageChange,
)

# More than a page shows; older entries are found on the records themselves.
PER_KIND = 200
DETAIL_LENGTH = 600
# Told by entries of their own, or of no interest to a reader.
_TOLD_ELSEWHERE = frozenset({"score", "last_reply_at", "last_activity_at"})
# What happened at one moment is read in the order one thing follows from another.
_RANKS = ("delivery", "lead", "activity", "score", "deal", "stage", "change", "sync")


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened.

    kind: delivery, lead, activity, score, deal, stage, change or sync; status: a finer
    word, e.g. the activity's kind or the outcome of a sync; url: "" where no page is;
    answer: what another system said word for word, and answer_of which that was.
    """

    at: datetime
    kind: str
    title: str
    detail: str = ""
    url: str = ""
    actor: str = ""
    status: str = ""
    record_type: str = ""
    record_id: int | None = None
    trace_id: str = ""
    answer: str = ""
    answer_of: str = ""


def in_order(entries: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """Return the entries newest first; of one moment, the consequence first."""
    return sorted(
        entries, key=lambda one: (one.at, _RANKS.index(one.kind)), reverse=True
    )


def lead_timeline(lead: Lead) -> list[TimelineEntry]:
    """Return what happened with a lead here, newest first.

    Deliveries and syncs are `integrations.selectors.lead_timeline`: merge the two with
    `in_order`.
    """
    return in_order(
        [*_activities(lead), *_scores(lead), *_stages(lead), *_changes(lead)]
    )


def _activities(lead: Lead) -> list[TimelineEntry]:
    rows = Activity.objects.filter(lead=lead).select_related("campaign", "owner")
    return [
        TimelineEntry(
            at=one.occurred_at,
            kind="activity",
            title=activity_title(one),
            detail=one.body[:DETAIL_LENGTH],
            actor=str(one.owner) if one.owner else "",
            status=one.kind,
            record_type=RecordType.ACTIVITY,
            record_id=one.pk,
        )
        for one in rows.order_by("-occurred_at", "-id")[:PER_KIND]
    ]


def activity_title(activity: Activity) -> str:
    """Return an activity in a line, e.g. "Reply by linkedin · Spring outreach"."""
    title = activity.get_kind_display()
    if activity.kind == Activity.Kind.MESSAGE:
        # Of a form, or where the source does not say, it is neither.
        said = {"inbound": "Reply", "outbound": "Our message"}
        title = said.get(activity.direction, title)
    if activity.channel:
        title = f"{title} by {activity.channel}"
    about = activity.subject or (activity.campaign.name if activity.campaign else "")
    return f"{title} · {about}" if about else title


def _scores(lead: Lead) -> list[TimelineEntry]:
    rows = ScoreEntry.objects.filter(lead=lead).order_by("-id")[:PER_KIND]
    return [
        TimelineEntry(
            at=one.at,
            kind="score",
            title=f"Score {one.points:+d}",
            detail=one.reason,
            record_type=RecordType.LEAD,
            record_id=lead.pk,
            trace_id=one.trace_id,
        )
        for one in rows
    ]


def _stages(lead: Lead) -> list[TimelineEntry]:
    rows = StageChange.objects.filter(deal__lead=lead)
    rows = rows.select_related("deal", "from_stage", "to_stage")
    return [_stage(one) for one in rows.order_by("-id")[:PER_KIND]]


def _stage(one: StageChange) -> TimelineEntry:
    to = str(one.to_stage or "a stage that is gone")
    opened = one.from_stage is None
    return TimelineEntry(
        at=one.at,
        kind="deal" if opened else "stage",
        title="Deal opened" if opened else f"Deal moved to {to}",
        detail=f"{one.deal} in {to}"
        if opened
        else f"{one.deal}, from {one.from_stage}",
        url=one.deal.get_absolute_url(),
        actor=one.origin,
        record_type=RecordType.DEAL,
        record_id=one.deal_id,
    )


def _changes(lead: Lead) -> list[TimelineEntry]:
    mine = Change.objects.filter(record_type=RecordType.LEAD, record_id=lead.pk)
    rows = list(mine.order_by("-id")[:PER_KIND])
    names = names_in(rows)
    found = (_change(one, names) for one in rows)
    return [entry for entry in found if entry is not None]


_TITLES: Mapping[str, str] = {Change.Action.PASSED: str(Change.Action.PASSED.label)}


def _change(one: Change, names: Names) -> TimelineEntry | None:
    created = one.action == Change.Action.CREATED
    told = described(one, names)
    if not created and not told:
        return None
    return TimelineEntry(
        at=one.at,
        kind="lead" if created else "change",
        title="Lead created" if created else _TITLES.get(one.action, "Changed"),
        detail="" if created else "; ".join(told)[:DETAIL_LENGTH],
        actor=one.origin_label or one.origin_kind,
        record_type=RecordType.LEAD,
        record_id=one.record_id,
        trace_id=one.trace_id,
    )


# (field, id) -> the name of the row it means
Names = Mapping[tuple[str, int], str]


def names_in(changes: Iterable[Change]) -> Names:
    """Return the names of the people and records that changes mention by id."""
    changes = list(changes)
    names: dict[tuple[str, int], str] = {}
    for field, rows in _NAMED.items():
        values = (value for one in changes for value in one.fields.get(field, ()))
        ids = {value for value in values if isinstance(value, int)}
        if ids:
            named = rows().filter(pk__in=ids)
            names |= {(field, one.pk): str(one) for one in named}
    return names


# What a change tells by its id -> the rows that have its name.
_NAMED: Mapping[str, Callable[[], QuerySet[Any]]] = {
    "owner_id": lambda: User.objects.all(),
    "company_id": lambda: Company.objects.all(),
    "lead_id": lambda: Lead.objects.all(),
    "deal_id": lambda: Deal.objects.all(),
    "pipeline_id": lambda: Pipeline.objects.all(),
    "stage_id": lambda: Stage.objects.all(),
}


def described(change: Change, names: Names | None = None) -> Sequence[str]:
    """Return a change field by field in words, e.g. "City: Rome → Oslo".

    names: of the people and records in it; looked up when they are not given.
    """
    names = names_in([change]) if names is None else names
    return [
        _merged(change, old, new)
        if name == "merged_from"
        else f"{_label(name)}: {_shown(name, old, names)} → {_shown(name, new, names)}"
        for name, (old, new) in change.fields.items()
        if name not in _TOLD_ELSEWHERE
    ]


def _merged(change: Change, old: object, new: object) -> str:
    what = change.get_record_type_display()
    if new is None:
        return f"{what} {old} was parted from it again"
    return f"{what} {new} was merged into it"


def _label(name: str) -> str:
    plain = name.removeprefix("custom.").removesuffix("_id").replace("_", " ")
    return plain[:1].upper() + plain[1:]


def _shown(name: str, value: object, names: Names) -> str:
    if value in (None, ""):
        return "empty"
    if isinstance(value, int) and (name, value) in names:
        return names[name, value]
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
