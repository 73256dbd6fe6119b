"""The pages of a lead, a company and a deal: what is known, and how it is in step.

They stand here and not in `leads`, which knows nothing of CRMs.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from crmsync.core.roles import Can
from crmsync.core.views.access import PageRequest, needs
from crmsync.core.wake import wake
from integrations import selectors, standing
from integrations.services import sending
from leads import selectors as lead_selectors
from leads.forms.activities import NoteForm, TaskForm
from leads.models import (
    Activity,
    Change,
    Company,
    Conversation,
    CustomField,
    Deal,
    Lead,
    Stage,
)
from leads.selectors import TimelineEntry
from leads.services.fields import MODELS, AnyRecord

TIMELINE_STEP = 40
TIMELINE_MOST = 400
MESSAGES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation with its messages, oldest first."""

    conversation: Conversation
    messages: list[Activity]


@needs(Can.VIEW_RECORDS)
def lead_page(request: PageRequest, pk: int) -> HttpResponse:
    """Show a lead: facts, timeline, conversations, and where it stands with CRMs."""
    rows = Lead.objects.select_related("owner", "company")
    lead = get_object_or_404(rows, pk=pk)
    context = {
        "page_title": str(lead),
        "lead": lead,
        "deals": lead.deals.select_related("stage").order_by("-id"),
        "memberships": lead.campaigns.select_related("campaign").order_by("-id")[:20],
        "tasks": _tasks(lead),
        "note_form": NoteForm(),
        "task_form": TaskForm(workspace=request.workspace),
        "standings": standing.standings("lead", lead.pk),
        "own_fields": own_values(lead, "lead"),
        **_story(request, lead),
    }
    return render(request, "leads/lead.html", context)


def _story(request: PageRequest, lead: Lead) -> dict[str, object]:
    """Return the part of the page that is looked at again while it is open."""
    if request.GET.get("tab") == "messages":
        return {"tab": "messages", "threads": _threads(lead)}
    wanted = request.GET.get("show", "")
    shown = min(int(wanted), TIMELINE_MOST) if wanted.isdigit() else TIMELINE_STEP
    entries = lead_selectors.in_order(
        [*lead_selectors.lead_timeline(lead), *selectors.lead_timeline(lead)]
    )
    entries = [one for one in entries if one.status != "unchanged"]
    more = len(entries) > shown
    return {
        "tab": "timeline",
        "entries": entries[:shown],
        "older": f"?show={shown + TIMELINE_STEP}" if more else "",
    }


def _tasks(lead: Lead) -> list[Activity]:
    rows = Activity.objects.filter(lead=lead, kind=Activity.Kind.TASK, done_at=None)
    return list(rows.select_related("owner").order_by("due_at", "id")[:20])


def _threads(lead: Lead) -> list[Thread]:
    rows = Conversation.objects.filter(lead=lead).order_by("-last_message_at", "-id")
    threads = []
    for conversation in rows[:10]:
        newest = conversation.activities.select_related("campaign").order_by(
            "-occurred_at", "-id"
        )
        threads.append(Thread(conversation, list(newest[:MESSAGES_SHOWN])[::-1]))
    return threads


def own_values(record: AnyRecord, record_type: str) -> list[tuple[str, str]]:
    """Return the workspace's own fields that have a value here: (label, text)."""
    fields = CustomField.objects.filter(record_type=record_type, archived=False)
    return [
        (one.label, _shown(one, record.custom[one.name]))
        for one in fields
        if one.name in record.custom
    ]


def _shown(field: CustomField, value: object) -> str:
    labels = {one["value"]: one["label"] for one in field.options}
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(labels.get(one, str(one)) for one in value)
    return labels.get(str(value), str(value))


@needs(Can.VIEW_RECORDS)
def company_page(request: PageRequest, pk: int) -> HttpResponse:
    """Show a company, its people and its deals."""
    company = get_object_or_404(Company, pk=pk)
    leads = company.leads.select_related("owner").order_by("-score", "-id")
    context = {
        "page_title": str(company),
        "company": company,
        "leads": list(leads[:50]),
        "deals": company.deals.select_related("stage", "lead").order_by("-id")[:50],
        "standings": standing.standings("company", company.pk),
        "own_fields": own_values(company, "company"),
        "history": history("company", company.pk),
    }
    return render(request, "leads/company.html", context)


@needs(Can.VIEW_RECORDS)
def deal_page(request: PageRequest, pk: int) -> HttpResponse:
    """Show a deal, its way through the stages and what was said."""
    rows = Deal.objects.select_related("stage", "pipeline", "lead", "company", "owner")
    deal = get_object_or_404(rows, pk=pk)
    context = {
        "page_title": str(deal),
        "deal": deal,
        "stages": Stage.objects.filter(pipeline=deal.pipeline).order_by("position"),
        "moves": deal.stage_changes.select_related("from_stage", "to_stage"),
        "activities": deal.activities.select_related("owner", "campaign").order_by(
            "-occurred_at", "-id"
        )[:30],
        "standings": standing.standings("deal", deal.pk),
        "own_fields": own_values(deal, "deal"),
        "history": history("deal", deal.pk),
    }
    return render(request, "leads/deal.html", context)


def history(record_type: str, record_id: int) -> list[TimelineEntry]:
    """Return the changes of a record, newest first."""
    rows = Change.objects.filter(record_type=record_type, record_id=record_id)
    newest = list(rows.order_by("-id")[:30])
    # What passed in a CRM was written down later than it happened.
    newest.sort(key=lambda one: one.at, reverse=True)
    names = lead_selectors.names_in(newest)
    told = {Change.Action.UPDATED, Change.Action.PASSED}
    return [
        TimelineEntry(
            at=one.at,
            kind="lead" if one.action == Change.Action.CREATED else "change",
            title=one.get_action_display(),
            detail="; ".join(lead_selectors.described(one, names))
            if one.action in told
            else "",
            actor=one.origin_label or one.origin_kind,
        )
        for one in newest
    ]


@needs(Can.VIEW_RECORDS)
def record_standing(request: PageRequest, record_type: str, pk: int) -> HttpResponse:
    """Return the panel that says where a record stands, for looking again."""
    record = get_object_or_404(MODELS[record_type], pk=pk)
    context = {
        "record": record,
        "record_type": record_type,
        "standings": standing.standings(record_type, record.pk),
    }
    return render(request, "integrations/_standing.html", context)


@needs(Can.EDIT_RECORDS)
@require_POST
def sync_now(request: PageRequest, record_type: str, pk: int) -> HttpResponseBase:
    """Ask for a record to be sent to every CRM now, what failed included."""
    record = get_object_or_404(MODELS[record_type], pk=pk)
    asked = sending.send_now(request.workspace, record_type, record.pk)
    wake("integrations.tasks.rush", "urgent")
    if asked:
        messages.success(request, f"{record} is being sent.")
    else:
        messages.warning(request, "No active mapping sends this kind of record.")
    return redirect(record)
