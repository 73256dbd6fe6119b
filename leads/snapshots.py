"""Records as plain values: what a mapping may see of them, one query per table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from leads.models import Activity, Company, Deal, Lead


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One record. values: field -> value; parents: record type -> id."""

    record_type: str
    record_id: int
    label: str
    values: Mapping[str, object]
    parents: Mapping[str, int]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field a mapping can read; type in the words of custom fields."""

    name: str
    label: str
    type: str


_LEAD = (
    FieldInfo("email", "E-mail", "email"),
    FieldInfo("first_name", "First name", "text"),
    FieldInfo("last_name", "Last name", "text"),
    FieldInfo("phone", "Phone", "phone"),
    FieldInfo("linkedin_url", "LinkedIn profile", "url"),
    FieldInfo("linkedin_id", "LinkedIn id", "text"),
    FieldInfo("job_title", "Job title", "text"),
    FieldInfo("company_name", "Company name", "text"),
    FieldInfo("city", "City", "text"),
    FieldInfo("country", "Country", "text"),
    FieldInfo("status", "Status", "enum"),
    FieldInfo("score", "Score", "number"),
    FieldInfo("source", "Source", "text"),
    FieldInfo("owner_email", "Owner", "email"),
    FieldInfo("last_reply_at", "Last reply", "datetime"),
)
_COMPANY = (
    FieldInfo("name", "Name", "text"),
    FieldInfo("domain", "Domain", "text"),
    FieldInfo("phone", "Phone", "phone"),
    FieldInfo("industry", "Industry", "text"),
    FieldInfo("city", "City", "text"),
    FieldInfo("country", "Country", "text"),
    FieldInfo("employees", "Employees", "number"),
)
_DEAL = (
    FieldInfo("name", "Name", "text"),
    FieldInfo("stage_id", "Stage", "enum"),
    FieldInfo("amount", "Amount", "number"),
    FieldInfo("currency", "Currency", "text"),
    FieldInfo("close_date", "Close date", "date"),
    FieldInfo("source", "Source", "text"),
    FieldInfo("owner_email", "Owner", "email"),
)
_ACTIVITY = (
    FieldInfo("subject", "Subject", "text"),
    FieldInfo("body", "Text", "text"),
    FieldInfo("note_html", "Text with campaign and thread", "text"),
    FieldInfo("occurred_at", "When", "datetime"),
    FieldInfo("due_at", "Due", "datetime"),
    FieldInfo("task_status", "Task status", "enum"),
    FieldInfo("owner_email", "Owner", "email"),
)
FIELDS: Mapping[str, tuple[FieldInfo, ...]] = {
    "lead": _LEAD,
    "company": _COMPANY,
    "deal": _DEAL,
    "activity": _ACTIVITY,
}


def snapshots(record_type: str, ids: Iterable[int]) -> dict[int, Snapshot]:
    """Return id -> snapshot of the records that exist in the current workspace."""
    return _READERS[record_type](list(ids))


def note_html(activity: Activity) -> str:
    """Return the message as HTML with its campaign and thread below it.

    The text is escaped: what a stranger wrote must not become markup in a CRM.
    """
    parts = [escape(activity.body).replace("\n", "<br>")]
    about = []
    if activity.subject:
        about.append(f"Subject: {escape(activity.subject)}")
    if activity.campaign:
        about.append(f"Campaign: {escape(activity.campaign.name)}")
    if activity.conversation:
        about.append(f"Thread: {escape(activity.conversation.external_id)}")
    if activity.direction:
        about.append(f"Direction: {activity.get_direction_display()}")
    if about:
        parts.append("<br>".join(about))
    return "<br><br>".join(part for part in parts if part)


def _values(record: object, fields: Sequence[FieldInfo]) -> dict[str, object]:
    return {
        one.name: getattr(record, one.name)
        for one in fields
        if hasattr(record, one.name)
    }


def _custom(record: Lead | Company | Deal | Activity) -> dict[str, object]:
    return {f"custom.{name}": value for name, value in record.custom.items()}


def _owner(record: Lead | Deal | Activity) -> dict[str, object]:
    return {"owner_email": record.owner.email if record.owner else ""}


def _parents(**ids: int | None) -> dict[str, int]:
    return {name: value for name, value in ids.items() if value}


def _leads(ids: Sequence[int]) -> dict[int, Snapshot]:
    rows = Lead.objects.filter(pk__in=ids).select_related("owner")
    return {
        one.pk: Snapshot(
            "lead",
            one.pk,
            str(one),
            _values(one, _LEAD) | _owner(one) | _custom(one),
            _parents(company=one.company_id),
        )
        for one in rows
    }


def _companies(ids: Sequence[int]) -> dict[int, Snapshot]:
    rows = Company.objects.filter(pk__in=ids)
    return {
        one.pk: Snapshot(
            "company", one.pk, str(one), _values(one, _COMPANY) | _custom(one), {}
        )
        for one in rows
    }


def _deals(ids: Sequence[int]) -> dict[int, Snapshot]:
    rows = Deal.objects.filter(pk__in=ids).select_related("owner")
    return {
        one.pk: Snapshot(
            "deal",
            one.pk,
            str(one),
            _values(one, _DEAL) | _owner(one) | _custom(one),
            _parents(lead=one.lead_id, company=one.company_id),
        )
        for one in rows
    }


def _activities(ids: Sequence[int]) -> dict[int, Snapshot]:
    rows = Activity.objects.filter(pk__in=ids).select_related(
        "owner", "campaign", "conversation"
    )
    return {
        one.pk: Snapshot(
            "activity",
            one.pk,
            str(one),
            _values(one, _ACTIVITY) | _owner(one) | _custom(one) | _computed(one),
            _parents(lead=one.lead_id, deal=one.deal_id),
            kind=one.kind,
        )
        for one in rows
    }


def _computed(one: Activity) -> dict[str, object]:
    return {
        "note_html": note_html(one),
        "due_at": one.due_at or one.occurred_at,
        "task_status": "done" if one.done_at else "open",
        "direction": one.direction,
    }


_READERS: Mapping[str, Callable[[Sequence[int]], dict[int, Snapshot]]] = {
    "lead": _leads,
    "company": _companies,
    "deal": _deals,
    "activity": _activities,
}
