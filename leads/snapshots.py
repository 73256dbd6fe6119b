"""Records as plain values: what a mapping may see of them, one query per table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from leads.facts import FieldInfo, Snapshot
from leads.models import Activity, Campaign, CampaignMember, Company, Deal, Lead
from leads.models.lead import lead_label, lead_linkedin_url
from leads.notes import NOTE_UNITS, note_html

_LEAD = (
    FieldInfo("email", "E-mail", "email", writes="email"),
    FieldInfo("first_name", "First name", "text", writes="first_name"),
    FieldInfo("last_name", "Last name", "text", writes="last_name"),
    FieldInfo("phone", "Phone", "phone", writes="phone"),
    FieldInfo("linkedin_url", "LinkedIn profile", "url", writes="linkedin_id"),
    FieldInfo("linkedin_id", "LinkedIn id", "text", writes="linkedin_id"),
    FieldInfo("job_title", "Job title", "text", writes="job_title"),
    FieldInfo("company_name", "Company name", "text", writes="company_name"),
    FieldInfo("city", "City", "text", writes="city"),
    FieldInfo("country", "Country", "text", writes="country"),
    FieldInfo("status", "Status", "enum", writes="status"),
    FieldInfo("score", "Score", "number"),
    FieldInfo("source", "Source", "text", writes="source"),
    FieldInfo("owner_email", "Owner", "email", writes="owner_id"),
    FieldInfo("last_reply_at", "Last reply", "datetime"),
)
_COMPANY = (
    FieldInfo("name", "Name", "text", writes="name"),
    FieldInfo("domain", "Domain", "text", writes="domain"),
    FieldInfo("phone", "Phone", "phone", writes="phone"),
    FieldInfo("industry", "Industry", "text", writes="industry"),
    FieldInfo("city", "City", "text", writes="city"),
    FieldInfo("country", "Country", "text", writes="country"),
    FieldInfo("employees", "Employees", "number", writes="employees"),
)
_DEAL = (
    FieldInfo("name", "Name", "text", writes="name"),
    FieldInfo("stage_id", "Stage", "enum", writes="stage_id"),
    FieldInfo("amount", "Amount", "number", writes="amount"),
    FieldInfo("currency", "Currency", "text", writes="currency"),
    FieldInfo("close_date", "Close date", "date", writes="close_date"),
    FieldInfo("source", "Source", "text", writes="source"),
    FieldInfo("owner_email", "Owner", "email", writes="owner_id"),
)
_ACTIVITY = (
    FieldInfo("subject", "Subject", "text", writes="subject"),
    FieldInfo("body", "Text", "text", writes="body"),
    FieldInfo("note_html", "Text with campaign and thread", "text"),
    FieldInfo("occurred_at", "When", "datetime", writes="occurred_at"),
    FieldInfo("due_at", "Due", "datetime", writes="due_at"),
    FieldInfo("task_status", "Task status", "enum", writes="done_at"),
    FieldInfo("owner_email", "Owner", "email", writes="owner_id"),
)
_CAMPAIGN = (
    FieldInfo("name", "Name", "text", writes="name"),
    FieldInfo("source", "Source", "text", writes="source"),
    FieldInfo("external_id", "Id at its source", "text", writes="external_id"),
)
_CAMPAIGN_MEMBER = (
    FieldInfo("status", "Status", "enum", writes="status"),
    FieldInfo("created_at", "Member since", "datetime"),
)
FIELDS: Mapping[str, tuple[FieldInfo, ...]] = {
    "lead": _LEAD,
    "company": _COMPANY,
    "deal": _DEAL,
    "activity": _ACTIVITY,
    "campaign": _CAMPAIGN,
    "campaign_member": _CAMPAIGN_MEMBER,
}


__all__ = [
    "FIELDS",
    "NOTE_UNITS",
    "FieldInfo",
    "Snapshot",
    "note_html",
    "snapshots",
    "value_of",
]


def snapshots(record_type: str, ids: Iterable[int]) -> dict[int, Snapshot]:
    """Return id -> snapshot of the records that exist in the current workspace."""
    return _READERS[record_type](list(ids))


def value_of(
    record: Lead | Company | Deal | Activity | Campaign | CampaignMember,
    name: str,
    owners: Mapping[int, str],
) -> object:
    """Return one value of the record's snapshot. owners: user id -> e-mail."""
    if name.startswith("custom."):
        return record.custom.get(name.removeprefix("custom."))
    if name == "owner_email":
        return owners.get(getattr(record, "owner_id", None) or 0, "")
    if isinstance(record, Activity):
        computed = _computed(record)
        if name in computed:
            return computed[name]
    return getattr(record, name, None)


def _columns(fields: Sequence[FieldInfo], *but: str) -> tuple[str, ...]:
    return tuple(one.name for one in fields if one.name not in but)


_LEAD_COLUMNS = _columns(_LEAD, "linkedin_url", "owner_email")
_DEAL_COLUMNS = _columns(_DEAL, "owner_email")
_COMPANY_COLUMNS = _columns(_COMPANY)
_CAMPAIGN_COLUMNS = _columns(_CAMPAIGN)
_MEMBER_COLUMNS = _columns(_CAMPAIGN_MEMBER)
_ACTIVITY_COLUMNS = ("subject", "body", "occurred_at", "direction")


def _leads(ids: Sequence[int]) -> dict[int, Snapshot]:
    found = {}
    rows = Lead.objects.filter(pk__in=ids)
    for row in rows.values(*_EVERY, "owner__email", "company_id", *_LEAD_COLUMNS):
        pk, parents = row.pop("pk"), _parents(row, "company")
        row["linkedin_url"] = lead_linkedin_url(row["linkedin_id"])
        _finish(row)
        label = lead_label(pk, **{name: row[name] for name in _LABEL})
        found[pk] = Snapshot("lead", pk, label, row, parents)
    return found


def _companies(ids: Sequence[int]) -> dict[int, Snapshot]:
    found = {}
    rows = Company.objects.filter(pk__in=ids)
    for row in rows.values(*_EVERY, *_COMPANY_COLUMNS):
        pk, label = row.pop("pk"), row["name"] or row["domain"]
        _finish(row)
        found[pk] = Snapshot("company", pk, label, row, {})
    return found


def _deals(ids: Sequence[int]) -> dict[int, Snapshot]:
    found = {}
    rows = Deal.objects.filter(pk__in=ids)
    ties = ("owner__email", "lead_id", "company_id")
    for row in rows.values(*_EVERY, *ties, *_DEAL_COLUMNS):
        pk, parents = row.pop("pk"), _parents(row, "lead", "company")
        _finish(row)
        found[pk] = Snapshot("deal", pk, row["name"], row, parents)
    return found


def _activities(ids: Sequence[int]) -> dict[int, Snapshot]:
    rows = Activity.objects.filter(pk__in=ids).select_related(
        "owner", "campaign", "conversation"
    )
    return {one.pk: _activity(one) for one in rows}


def _activity(one: Activity) -> Snapshot:
    row = {name: getattr(one, name) for name in _ACTIVITY_COLUMNS}
    row |= {"custom": one.custom, **_computed(one)}
    row["owner__email"] = one.owner.email if one.owner else None
    _finish(row)
    ties = {"lead_id": one.lead_id, "deal_id": one.deal_id}
    parents = _parents(ties, "lead", "deal")
    return Snapshot("activity", one.pk, str(one), row, parents, kind=one.kind)


def _computed(one: Activity) -> dict[str, object]:
    return {
        "note_html": note_html(one),
        "due_at": one.due_at or one.occurred_at,
        "task_status": "done" if one.done_at else "open",
    }


def _campaigns(ids: Sequence[int]) -> dict[int, Snapshot]:
    found = {}
    rows = Campaign.objects.filter(pk__in=ids)
    for row in rows.values(*_EVERY, *_CAMPAIGN_COLUMNS):
        pk = row.pop("pk")
        _finish(row)
        found[pk] = Snapshot("campaign", pk, row["name"], row, {})
    return found


def _members(ids: Sequence[int]) -> dict[int, Snapshot]:
    found = {}
    rows = CampaignMember.objects.filter(pk__in=ids).select_related("lead", "campaign")
    for one in rows:
        row = {name: getattr(one, name) for name in _MEMBER_COLUMNS}
        row["custom"] = one.custom
        _finish(row)
        ties = {"campaign": one.campaign_id, "lead": one.lead_id}
        found[one.pk] = Snapshot("campaign_member", one.pk, str(one), row, ties)
    return found


_LABEL = ("first_name", "last_name", "email", "linkedin_id")
# What is read of every record beside its fields.
_EVERY = ("pk", "custom")


def _parents(row: dict[str, Any], *names: str) -> dict[str, int]:
    """Take the ids of other records out of a row."""
    ids = {name: row.pop(f"{name}_id") for name in names}
    return {name: value for name, value in ids.items() if value}


def _finish(row: dict[str, Any]) -> None:
    """Put the workspace's own fields beside the others, and name the owner."""
    for name, value in row.pop("custom").items():
        row[f"custom.{name}"] = value
    if "owner__email" in row:
        # In lower case, as a CRM's own list of owners is compared.
        row["owner_email"] = (row.pop("owner__email") or "").lower()


_READERS: Mapping[str, Callable[[Sequence[int]], dict[int, Snapshot]]] = {
    "lead": _leads,
    "company": _companies,
    "deal": _deals,
    "activity": _activities,
    "campaign": _campaigns,
    "campaign_member": _members,
}
