"""Making and changing records by hand; the services decide what may be stored."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from crmsync.core.roles import Can
from crmsync.core.views.access import PageRequest, needs
from leads.facts import Origin
from leads.forms.activities import NoteForm, TaskForm
from leads.forms.records import CompanyForm, DealForm, LeadForm, RecordForm
from leads.models import Activity, Deal, Lead
from leads.services import records
from leads.services.errors import InvalidFields, Stale
from leads.services.fields import MODELS, AnyRecord

FORMS: dict[str, type[RecordForm]] = {
    "lead": LeadForm,
    "company": CompanyForm,
    "deal": DealForm,
}
LISTS = {"lead": "leads", "company": "companies", "deal": "deals"}


def origin_of(request: PageRequest) -> Origin:
    """Return the person at the page as the origin of a change."""
    return Origin(
        kind="user",
        id=str(request.user.pk),
        label=str(request.user)[:120],
        trace_id=str(getattr(request, "id", ""))[:40],
    )


@needs(Can.EDIT_RECORDS)
def record_new(request: PageRequest, record_type: str) -> HttpResponse:
    """Make a record."""
    return _form_page(request, record_type, None)


@needs(Can.EDIT_RECORDS)
def record_edit(request: PageRequest, record_type: str, pk: int) -> HttpResponse:
    """Change a record's fields."""
    record = get_object_or_404(MODELS[record_type], pk=pk)
    return _form_page(request, record_type, record)


def _form_page(
    request: PageRequest, record_type: str, record: AnyRecord | None
) -> HttpResponse:
    form = FORMS[record_type](
        request.POST or None,
        workspace=request.workspace,
        record=record,
        initial=_given(request),
    )
    if request.method == "POST" and form.is_valid():
        saved = _saved(request, form, record)
        if saved is not None:
            messages.success(request, f"{saved} is saved.")
            # Only records with a page of their own have a form.
            return redirect(saved)  # type: ignore[arg-type]
    listed = LISTS[record_type]
    context = {
        "page_title": f"Edit {record}" if record else f"New {record_type}",
        "form": form,
        "record": record,
        "record_type": record_type,
        "list_url": listed,
        "list_label": listed.capitalize(),
        **_ways_out(record_type, record),
    }
    status = 422 if form.errors else 200
    return render(request, "leads/record_form.html", context, status=status)


def _ways_out(record_type: str, record: AnyRecord | None) -> dict[str, str]:
    if record is None:
        return {}
    return {
        f"{name}_url": reverse(f"{record_type}-{name}", args=[record.pk])
        for name in ("merge", "delete")
    }


def _given(request: PageRequest) -> dict[str, object]:
    """Return what the address fills in, e.g. the lead a new deal is for."""
    return {name: request.GET[name] for name in ("name",) if name in request.GET}


def _saved(
    request: PageRequest, form: RecordForm, record: AnyRecord | None
) -> AnyRecord | None:
    """Write the form's values; None when they were refused, and the form says why."""
    values, origin = form.values(), origin_of(request)
    kind, workspace = form.record_type, request.workspace
    try:
        if record is None:
            values |= _belongs_to(request)
            (saved,) = records.create(workspace, kind, [values], origin=origin)
        else:
            edit = records.Edit(record.pk, values, form.cleaned_data["version"])
            (saved,) = records.update(workspace, kind, [edit], origin=origin)
    except (InvalidFields, Stale) as error:
        form.take(error)
        return None
    return saved


def _belongs_to(request: PageRequest) -> dict[str, object]:
    lead = request.GET.get("lead", "")
    return {"lead_id": int(lead)} if lead.isascii() and lead.isdigit() else {}


@needs(Can.EDIT_RECORDS)
@require_POST
def activity_add(request: PageRequest, pk: int, kind: str) -> HttpResponse:
    """Write a note or a task on a lead; an invalid one comes back as it was typed."""
    lead = get_object_or_404(Lead, pk=pk)
    form: NoteForm | TaskForm
    if kind == "task":
        form = TaskForm(request.POST, workspace=request.workspace)
    else:
        form = NoteForm(request.POST)
    if form.is_valid():
        values = {**form.values(), "lead_id": lead.pk, "owner_id": request.user.pk}
        try:
            records.create(
                request.workspace, "activity", [values], origin=origin_of(request)
            )
        except InvalidFields as error:
            for name, told in error.fields.items():
                form.add_error(name if name in form.fields else None, list(told))
        else:
            messages.success(request, f"The {kind} is saved.")
            return redirect(lead)
    context = {"page_title": f"New {kind}", "form": form, "lead": lead, "kind": kind}
    return render(request, "leads/activity_form.html", context, status=422)


@needs(Can.EDIT_RECORDS)
@require_POST
def task_done(request: PageRequest, pk: int) -> HttpResponse:
    """Tick a task off, or open it again."""
    task = get_object_or_404(Activity, pk=pk, kind=Activity.Kind.TASK)
    done_at = None if task.done_at else timezone.now()
    edit = records.Edit(task.pk, {"done_at": done_at})
    records.update(request.workspace, "activity", [edit], origin=origin_of(request))
    messages.success(request, "Done." if done_at else "The task is open again.")
    return redirect(task.lead or task.deal or "leads")


@needs(Can.EDIT_RECORDS)
@require_POST
def deal_move(request: PageRequest, pk: int) -> HttpResponse:
    """Put a deal into another stage."""
    deal = get_object_or_404(Deal, pk=pk)
    stage = request.POST.get("stage_id", "")
    values: dict[str, object] = {"stage_id": int(stage) if stage.isdigit() else stage}
    try:
        edit = records.Edit(deal.pk, values)
        (moved,) = records.update(
            request.workspace, "deal", [edit], origin=origin_of(request)
        )
    except InvalidFields as error:
        messages.error(request, str(error))
    else:
        fresh = Deal.objects.select_related("stage").get(pk=moved.pk)
        messages.success(request, f"{fresh} is in {fresh.stage} now.")
    board = request.POST.get("back") == "board"
    return redirect("deals-board") if board else redirect(deal)
