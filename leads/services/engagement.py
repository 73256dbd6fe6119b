"""The outreach-reply pipeline: messages become leads, threads, deals and activities.

Many messages at a time, in one transaction, each message once for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from crmsync.core.models import Workspace
from leads.facts import Message, Origin, RecordChange
from leads.matching import Ambiguous
from leads.models import (
    Activity,
    Campaign,
    CampaignMember,
    Conversation,
    Deal,
    Lead,
    ScoreEntry,
    Stage,
)
from leads.services import changes, deals, memberships, people, scoring
from leads.services.memberships import Joining, Known
from leads.services.people import Touched

LEAD_FIELDS = (
    "email",
    "first_name",
    "last_name",
    "phone",
    "linkedin_id",
    "job_title",
    "company_id",
    "company_name",
    "city",
    "country",
    "status",
    "score",
    "source",
    "last_reply_at",
    "custom",
)
ACTIVITY_FIELDS = ("kind", "direction", "lead_id", "deal_id", "subject", "source")
# The channel of what is filled in rather than said.
FORM = "form"
# Shown in lists; a change of it alone is no news for a CRM.
_QUIET = frozenset({"last_activity_at"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one message; activity is None for a repeat or when ambiguous."""

    lead_id: int | None
    activity_id: int | None
    ambiguous: Ambiguous | None = None


@dataclass(slots=True)
class _Batch:
    """Messages that are new, with the lead each belongs to."""

    messages: list[Message]
    touched: list[Touched]

    def pairs(self) -> Iterable[tuple[Message, Touched]]:
        return zip(self.messages, self.touched, strict=True)

    def replies(self) -> list[tuple[Message, Touched]]:
        return [pair for pair in self.pairs() if pair[0].direction == "inbound"]


@transaction.atomic(savepoint=False)
def record_messages(
    workspace: Workspace,
    messages: Sequence[Message],
    *,
    origin: Origin,
    stage: Stage | None = None,
) -> list[Recorded]:
    """Record messages and what follows from a reply; one result each, in order.

    stage: where a new deal starts, None for the first of the default pipeline. Our own
    messages are kept in the thread but count as no reply: no points, no deal.
    """
    fresh = _unseen(messages)
    found = people.find_or_make(
        workspace, [m.person for m in fresh], source=origin.id or origin.kind
    )
    new_companies = people.place_in_companies(
        workspace, [m.person for m in fresh], found
    )
    sure = [(m, t) for m, t in zip(fresh, found.touched, strict=True) if t]
    batch = _Batch([m for m, _ in sure], [t for _, t in sure])
    _advance(batch)
    engaged = [(touched, message.trace_id) for message, touched in batch.replies()]
    points = scoring.score(workspace, "reply_received", engaged)
    people.save(workspace, found.distinct())
    ScoreEntry.objects.bulk_create(points)
    told = _told_people(found.distinct(), new_companies, batch, origin)
    opened, deal_changes = _deals(workspace, batch, stage, origin)
    campaigns, joined = memberships.join(workspace, _joining(batch, origin))
    activities = _activities(workspace, batch, opened, campaigns)
    told += deal_changes + joined
    told += _told_activities(activities, batch, origin)
    changes.publish(workspace, told)
    return _results(messages, fresh, found, activities)


def _unseen(messages: Sequence[Message]) -> list[Message]:
    """Drop what is stored already and repeats within the batch."""
    keys = {(m.source, m.key): m for m in reversed(messages)}
    stored = Activity.objects.filter(external_id__in=[key for _, key in keys])
    for seen in stored.values_list("source", "external_id"):
        keys.pop(seen, None)
    return [m for m in messages if keys.get((m.source, m.key)) is m]


def _advance(batch: _Batch) -> None:
    """Move each lead's status and times; a status never goes back."""
    for message, touched in batch.pairs():
        lead, status = touched.lead, Lead.Status
        if message.direction == "inbound":
            if lead.status in {status.NEW, status.CONTACTED}:
                touched.set("status", status.REPLIED.value)
            touched.set(
                "last_reply_at", _later(lead.last_reply_at, message.occurred_at)
            )
        elif message.direction == "outbound" and lead.status == status.NEW:
            touched.set("status", status.CONTACTED.value)
        latest = _later(lead.last_activity_at, message.occurred_at)
        touched.set("last_activity_at", latest)


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


def _told_people(
    touched: Sequence[Touched],
    companies: Sequence[object],
    batch: _Batch,
    origin: Origin,
) -> list[RecordChange]:
    traces = {id(one): message.trace_id for message, one in batch.pairs()}
    told = [
        changes.created("company", company, ("name", "domain"), origin)  # type: ignore[arg-type]
        for company in companies
    ]
    for one in touched:
        its = _traced(origin, traces.get(id(one), ""))
        if one.is_new:
            told.append(changes.created("lead", one.lead, LEAD_FIELDS, its))
        elif set(one.fields) - _QUIET:
            told.append(changes.updated("lead", one.lead.pk, one.fields, its))
    return told


def _traced(origin: Origin, trace_id: str) -> Origin:
    return Origin(
        origin.kind,
        origin.id,
        origin.label,
        trace_id or origin.trace_id,
        origin.connection_id,
    )


def _deals(
    workspace: Workspace, batch: _Batch, stage: Stage | None, origin: Origin
) -> tuple[dict[int, Deal], list[RecordChange]]:
    stage = stage or deals.default_stage()
    replies = batch.replies()
    if stage is None or not replies:
        return {}, []
    leads = {touched.lead.pk: touched.lead for _, touched in replies}
    traces = {touched.lead.pk: message.trace_id for message, touched in replies}
    found, told = deals.find_or_open(
        workspace, list(leads.values()), stage=stage, origin=origin
    )
    by_id = {deal.pk: lead_id for lead_id, deal in found.items()}
    return found, [
        RecordChange(
            one.record_type,
            one.record_id,
            one.action,
            one.fields,
            _traced(origin, traces[by_id[one.record_id]]),
        )
        for one in told
    ]


def _activities(
    workspace: Workspace,
    batch: _Batch,
    opened: Mapping[int, Deal],
    campaigns: Mapping[Known, Campaign],
) -> list[Activity]:
    threads = _threads(workspace, batch)
    return Activity.objects.bulk_create(
        Activity(
            workspace=workspace,
            kind=Activity.Kind.MESSAGE,
            direction=message.direction,
            lead=touched.lead,
            deal=opened.get(touched.lead.pk)
            if message.direction == "inbound"
            else None,
            conversation=threads.get((message.source, message.thread_id)),
            campaign=campaigns.get((message.source, message.campaign[:200])),
            channel=message.channel[:20],
            subject=message.subject[:300],
            body=message.body,
            occurred_at=message.occurred_at,
            source=message.source,
            external_id=message.key[:200],
        )
        for message, touched in batch.pairs()
    )


def _joining(batch: _Batch, origin: Origin) -> list[Joining]:
    """Return who joins which campaign by these messages, and how far they came."""
    status = CampaignMember.Status
    return [
        Joining(
            lead_id=touched.lead.pk,
            source=message.source,
            name=message.campaign[:200],
            external_id=message.campaign_id[:100],
            status=status.RESPONDED if _is_answer(message) else status.CONTACTED,
            origin=_traced(origin, message.trace_id),
        )
        for message, touched in batch.pairs()
        if message.campaign
    ]


def _is_answer(message: Message) -> bool:
    """Tell whether they did something; who fills in a form may await no talk yet."""
    return message.direction == "inbound" or message.channel == FORM


def _threads(
    workspace: Workspace, batch: _Batch
) -> dict[tuple[str, str], Conversation]:
    wanted = {
        (m.source, m.thread_id): Conversation(
            workspace=workspace,
            lead=touched.lead,
            source=m.source,
            external_id=m.thread_id[:200],
            channel=m.channel[:20],
            subject=m.subject[:300],
            last_message_at=m.occurred_at,
        )
        for m, touched in batch.pairs()
        if m.thread_id
    }
    if not wanted:
        return {}
    _keep_latest(wanted, batch)
    Conversation.objects.bulk_create(
        wanted.values(),
        update_conflicts=True,
        unique_fields=["workspace", "source", "external_id"],
        update_fields=["last_message_at"],
    )
    ids = [thread_id[:200] for _, thread_id in wanted]
    rows = Conversation.objects.filter(external_id__in=ids)
    found = {(one.source, one.external_id): one for one in rows}
    return {key: found[key[0], key[1][:200]] for key in wanted}


def _keep_latest(wanted: Mapping[tuple[str, str], Conversation], batch: _Batch) -> None:
    """Let no thread's time go back: messages arrive in any order."""
    times = [((m.source, m.thread_id), m.occurred_at) for m in batch.messages]
    stored = Conversation.objects.filter(
        external_id__in=[one.external_id for one in wanted.values()]
    )
    times += [
        ((one.source, one.external_id), one.last_message_at)
        for one in stored
        if one.last_message_at
    ]
    for key, at in times:
        if key in wanted:
            thread = wanted[key]
            thread.last_message_at = _later(thread.last_message_at, at)


def _told_activities(
    activities: Sequence[Activity], batch: _Batch, origin: Origin
) -> list[RecordChange]:
    return [
        changes.created(
            "activity", activity, ACTIVITY_FIELDS, _traced(origin, message.trace_id)
        )
        for activity, message in zip(activities, batch.messages, strict=True)
    ]


def _results(
    messages: Sequence[Message],
    fresh: Sequence[Message],
    found: people.People,
    activities: Sequence[Activity],
) -> list[Recorded]:
    by_message: dict[int, Recorded] = {}
    stored = iter(activities)
    for place, message in enumerate(fresh):
        touched = found.touched[place]
        if touched is None:
            unsure = Recorded(None, None, found.ambiguous[place])
            by_message[id(message)] = unsure
        else:
            by_message[id(message)] = Recorded(touched.lead.pk, next(stored).pk)
    repeat = Recorded(None, None)
    return [by_message.get(id(message), repeat) for message in messages]
