"""Records as plain values: what a mapping may see of them, one query per table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from unicodedata import combining

from leads.facts import FieldInfo, Snapshot
from leads.models import Activity, Campaign, Company, Deal, Lead

# The longest note a CRM takes: the tightest is HubSpot, 65,536 characters.
NOTE_UNITS = 65_000
_SPARE = 100
_CUT = "…<br>(The message was cut here: it is longer than a note can be.)"

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
FIELDS: Mapping[str, tuple[FieldInfo, ...]] = {
    "lead": _LEAD,
    "company": _COMPANY,
    "deal": _DEAL,
    "activity": _ACTIVITY,
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
    record: Lead | Company | Deal | Activity | Campaign,
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


def note_html(activity: Activity) -> str:
    """Return the message as HTML with its campaign and thread below it.

    The text is escaped: what a stranger wrote must not become markup in a CRM. It is
    cut so that the whole stays within NOTE_UNITS.
    """
    about = _about(activity)
    body = _within(activity.body, NOTE_UNITS - _units(about) - _SPARE)
    return "<br><br>".join(part for part in (body, about) if part)


def _about(activity: Activity) -> str:
    about = []
    if activity.subject:
        about.append(f"Subject: {escape(activity.subject)}")
    if activity.campaign:
        about.append(f"Campaign: {escape(activity.campaign.name)}")
    if activity.conversation:
        about.append(f"Thread: {escape(activity.conversation.external_id)}")
    if activity.direction:
        about.append(f"Direction: {activity.get_direction_display()}")
    return "<br>".join(about)


def _within(text: str, room: int) -> str:
    """Return text as HTML of at most `room` units; what was cut off says so."""
    html = _html(text)
    if _units(html) <= room:
        return html
    end = 0
    for end, char in enumerate(text):  # noqa: B007 - where it stops is what we want
        room -= _units(_html(char))
        if room < 0:
            break
    while end and _joins(text[end - 1], text[end]):
        end -= 1
    return f"{_html(text[:end])}{_CUT}"


def _html(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _units(text: str) -> int:
    """Count as the vendors do: a character outside the basic plane is two."""
    return len(text) + sum(char > "\uffff" for char in text)


def _joins(one: str, other: str) -> bool:
    """Tell whether two characters are shown as one, such as an accent or an emoji."""
    return (
        "\u200d" in (one, other)
        or combining(other) > 0
        or "\ufe00" <= other <= "\ufe0f"
        or "\U0001f3fb" <= other <= "\U0001f3ff"
    )


def _values(record: object, fields: Sequence[FieldInfo]) -> dict[str, object]:
    return {
        one.name: getattr(record, one.name)
        for one in fields
        if hasattr(record, one.name)
    }


def _custom(record: Lead | Company | Deal | Activity) -> dict[str, object]:
    return {f"custom.{name}": value for name, value in record.custom.items()}


def _owner(record: Lead | Deal | Activity) -> dict[str, object]:
    # In lower case, as a CRM's own list of owners is compared.
    return {"owner_email": record.owner.email.lower() if record.owner else ""}


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
