"""What a record of each type must obey beyond its single fields, and what follows.

`check` runs before saving and puts errors on the drafts; `follow` runs after saving, in
the same transaction, and returns further changes to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from crmsync.core.models import Workspace
from leads.facts import Origin, RecordChange
from leads.models import (
    Activity,
    Campaign,
    CampaignMember,
    Company,
    Deal,
    Lead,
    RecordType,
    ScoreEntry,
    Stage,
)
from leads.services import changes, deals, keys, people, scoring
from leads.services.drafts import Draft
from leads.services.people import Touched

Check = Callable[[Sequence[Draft]], None]
Follow = Callable[[Workspace, Sequence[Draft], Origin], list[RecordChange]]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one record type."""

    check: Check
    follow: Follow


def _nothing(_: Workspace, __: Sequence[Draft], ___: Origin) -> list[RecordChange]:
    return []


# --- leads ----------------------------------------------------------------------------


def check_leads(drafts: Sequence[Draft]) -> None:
    """A lead is someone; what only one person has is not had by two."""
    keys.check(drafts)
    names = _company_names(drafts)
    for draft in drafts:
        lead = draft.record
        assert isinstance(lead, Lead)
        if "company_id" in draft.changed and "company_name" not in draft.changed:
            draft.set("company_name", names.get(lead.company_id) or lead.company_name)
        known_by = (lead.email, lead.linkedin_id, lead.phone)
        if not any((*known_by, lead.first_name, lead.last_name)):
            draft.wrong("email", "Give an e-mail, a LinkedIn id, a phone or a name.")


def _company_names(drafts: Sequence[Draft]) -> dict[int | None, str]:
    changed = [draft for draft in drafts if "company_id" in draft.changed]
    ids = {_get(draft, "company_id") for draft in changed} - {None}
    if not ids:
        return {}
    rows = Company.objects.filter(pk__in=ids)
    return dict(rows.values_list("pk", "name"))


def follow_leads(
    workspace: Workspace, drafts: Sequence[Draft], _: Origin
) -> list[RecordChange]:
    """Keep the keys in step."""
    keys.store(workspace, drafts)
    return []


# --- companies, campaigns -------------------------------------------------------------


def check_companies(drafts: Sequence[Draft]) -> None:
    """A company has a name or a domain; a domain is one company's."""
    domains = {str(d.changed["domain"][1]) for d in drafts if "domain" in d.changed}
    held: dict[tuple[str, ...], Company] = {}
    if domains - {""}:
        rows = Company.objects.filter(domain__in=domains - {""})
        held = {(row.domain,): row for row in rows}
    _refuse_taken(drafts, ("domain",), held)
    for draft in drafts:
        company = draft.record
        assert isinstance(company, Company)
        if not company.name and not company.domain:
            draft.wrong("name", "Give a name or a domain.")


def check_campaigns(drafts: Sequence[Draft]) -> None:
    """A source has a campaign of one name once."""
    for draft in drafts:
        _require(draft, "name")
    rows = Campaign.objects.filter(name__in=[str(_get(d, "name")) for d in drafts])
    held: dict[tuple[str, ...], Campaign] = {
        (row.name, row.source): row for row in rows
    }
    _refuse_taken(drafts, ("name", "source"), held)


def check_members(drafts: Sequence[Draft]) -> None:
    """A lead is in a campaign once."""
    for draft in drafts:
        _require(draft, "campaign_id")
        _require(draft, "lead_id")
    new = [draft for draft in drafts if draft.is_new and not draft.errors]
    rows = CampaignMember.objects.filter(lead__in={_get(d, "lead_id") for d in new})
    there = {(row.lead_id, row.campaign_id): f" (id {row.pk})" for row in rows}
    for draft in new:
        pair = _get(draft, "lead_id"), _get(draft, "campaign_id")
        if pair in there:
            told = f"This lead is in the campaign already{there[pair]}."
            draft.clash("lead_id", str(pair[0]), told)
        there.setdefault(pair, "")


def _refuse_taken(
    drafts: Sequence[Draft],
    names: tuple[str, ...],
    held: Mapping[tuple[str, ...], Company | Campaign | Activity],
) -> None:
    """Refuse values that another record, or an earlier draft, has; blank ones pass."""
    taken: dict[tuple[str, ...], object] = {k: row.pk for k, row in held.items()}
    for draft in drafts:
        value = tuple(str(_get(draft, name)) for name in names)
        if not value[0] or not set(names) & set(draft.changed):
            continue
        mine = id(draft) if draft.is_new else draft.record.pk
        if taken.setdefault(value, mine) != mine:
            whose = (
                f"{held[value]} (id {held[value].pk})" if value in held else "another"
            )
            told = f"{value[0]} is already taken by {whose}."
            draft.clash(names[0], value[0], told)


def _get(draft: Draft, name: str) -> Any:
    return getattr(draft.record, name)


def _require(draft: Draft, name: str) -> None:
    if draft.is_new and not _get(draft, name) and name not in draft.errors:
        draft.wrong(name, "This must not be empty.")


# --- deals ----------------------------------------------------------------------------


def check_deals(drafts: Sequence[Draft]) -> None:
    """A deal stands in a stage of its pipeline; an amount has a currency."""
    stages = {stage.pk: stage for stage in Stage.objects.select_related("pipeline")}
    leads = _leads_of([draft for draft in drafts if draft.is_new])
    for draft in drafts:
        _require(draft, "name")
        if not {"stage_id", "pipeline_id"} & set(draft.errors):
            _place(draft, stages)
        deal = draft.record
        assert isinstance(deal, Deal)
        if deal.amount is not None and not deal.currency:
            draft.wrong("currency", "An amount needs a currency.")
        lead = leads.get(deal.lead_id or 0) if draft.is_new else None
        if lead is not None:
            _inherit(draft, lead)


def _place(draft: Draft, stages: Mapping[int, Stage]) -> None:
    deal = draft.record
    assert isinstance(deal, Deal)
    stage = _chosen_stage(draft, stages)
    if stage is None:
        draft.wrong("stage_id", "Give a stage; the pipeline has no open one.")
    elif "pipeline_id" in draft.changed and deal.pipeline_id != stage.pipeline_id:
        name = stage.pipeline.name
        draft.wrong("stage_id", f"{stage} is a stage of {name}, another pipeline.")
    else:
        draft.set("stage_id", stage.pk)
        draft.set("pipeline_id", stage.pipeline_id)


def _chosen_stage(draft: Draft, stages: Mapping[int, Stage]) -> Stage | None:
    """Return the given stage, else the first open one of the given pipeline."""
    deal = draft.record
    assert isinstance(deal, Deal)
    if "stage_id" in draft.changed:
        return stages.get(deal.stage_id)
    if "pipeline_id" in draft.changed:
        mine = [one for one in stages.values() if one.pipeline_id == deal.pipeline_id]
        still_open = [one for one in mine if one.outcome == Stage.Outcome.OPEN]
        return min(still_open, key=lambda one: one.position, default=None)
    return deals.default_stage() if draft.is_new else stages.get(deal.stage_id)


def _leads_of(drafts: Sequence[Draft]) -> dict[int, Lead]:
    ids = {_get(draft, "lead_id") for draft in drafts} - {None}
    return Lead.objects.in_bulk(ids) if ids else {}


def _inherit(draft: Draft, lead: Lead) -> None:
    """A new deal belongs where its lead belongs, unless told otherwise."""
    for name in ("company_id", "owner_id"):
        value = getattr(lead, name)
        if value is not None and _get(draft, name) is None:
            draft.set(name, value)


def follow_deals(
    workspace: Workspace, drafts: Sequence[Draft], origin: Origin
) -> list[RecordChange]:
    """Write the stage history."""
    moved = [
        (draft.record, draft.changed["stage_id"][0])
        for draft in drafts
        if "stage_id" in draft.changed
    ]
    deals.note_stage_changes(workspace, moved, origin)  # type: ignore[arg-type]
    return []


# --- activities -----------------------------------------------------------------------

# What somebody said stays what they said.
_SAID = frozenset({"direction", "subject", "body", "occurred_at", "channel", "lead_id"})


def check_activities(drafts: Sequence[Draft]) -> None:
    """An activity is about somebody; messages come from their source alone."""
    about = _leads_of_deals(drafts)
    for draft in drafts:
        activity = draft.record
        assert isinstance(activity, Activity)
        if draft.is_new and not {"occurred_at"} & {*draft.changed, *draft.errors}:
            draft.set("occurred_at", timezone.now())
        if activity.lead_id is None and activity.deal_id in about:
            draft.set("lead_id", about[activity.deal_id])
        if activity.lead_id is None and activity.deal_id is None:
            draft.wrong("lead_id", "Say which lead or deal this is about.")
        _check_message(draft, activity)
    ids = [str(_get(draft, "external_id")) for draft in drafts if draft.is_new]
    rows = Activity.objects.filter(external_id__in=[one for one in ids if one])
    held: dict[tuple[str, ...], Activity] = {
        (row.external_id, row.source): row for row in rows
    }
    _refuse_taken(drafts, ("external_id", "source"), held)


def _check_message(draft: Draft, activity: Activity) -> None:
    if draft.is_new:
        _require(draft, "kind")
        if activity.kind == Activity.Kind.MESSAGE:
            draft.wrong("kind", "Messages are recorded by the webhooks they come in.")
    elif activity.kind == Activity.Kind.MESSAGE:
        for name in _SAID & set(draft.changed):
            draft.wrong(name, "A message stays as it was said.")


def _leads_of_deals(drafts: Sequence[Draft]) -> dict[int | None, int]:
    ids = {_get(draft, "deal_id") for draft in drafts} - {None}
    rows = Deal.objects.filter(pk__in=ids, lead__isnull=False) if ids else []
    return {deal.pk: deal.lead_id for deal in rows if deal.lead_id}


def follow_activities(
    workspace: Workspace, drafts: Sequence[Draft], origin: Origin
) -> list[RecordChange]:
    """Show the lead as lively, and give it the points of a booked meeting."""
    new = [draft.record for draft in drafts if draft.is_new]
    ids = {one.lead_id for one in new if isinstance(one, Activity) and one.lead_id}
    locked = Lead.objects.filter(pk__in=ids).order_by("pk").select_for_update()
    touched = {lead.pk: Touched(lead) for lead in locked}
    at = timezone.now()
    meetings = []
    for one in new:
        if not isinstance(one, Activity) or one.lead_id not in touched:
            continue
        _liven(touched[one.lead_id], min(one.occurred_at, at))
        if one.kind == Activity.Kind.MEETING:
            meetings.append((touched[one.lead_id], origin.trace_id))
    points = scoring.score(workspace, "meeting_booked", meetings)
    ScoreEntry.objects.bulk_create(points)
    changed = [one for one in touched.values() if one.fields]
    people.update(changed)
    return [
        changes.updated("lead", one.lead.pk, {"score": one.fields["score"]}, origin)
        for one in changed
        if "score" in one.fields
    ]


def _liven(touched: Touched, at: datetime) -> None:
    latest = touched.lead.last_activity_at
    touched.set("last_activity_at", at if latest is None else max(latest, at))


RULES: Mapping[str, Rules] = {
    RecordType.LEAD: Rules(check_leads, follow_leads),
    RecordType.COMPANY: Rules(check_companies, _nothing),
    RecordType.DEAL: Rules(check_deals, follow_deals),
    RecordType.ACTIVITY: Rules(check_activities, follow_activities),
    RecordType.CAMPAIGN: Rules(check_campaigns, _nothing),
    RecordType.CAMPAIGN_MEMBER: Rules(check_members, _nothing),
}
