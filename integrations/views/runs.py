"""Runs: listed, watched while they go, steered, taken back, exported."""

from __future__ import annotations

import csv

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from crmsync.core.roles import Can
from crmsync.core.services import Actor, Refused, audit
from crmsync.core.views.access import PageRequest, needs
from crmsync.core.views.paging import keyset
from crmsync.core.wake import wake
from integrations import outcomes, progress, runlists
from integrations.models import Run
from integrations.services import retries, runs

EXPORT_MOST = 10_000
RETRY_MOST = 5000
COLUMNS = (
    {"label": "Run"},
    {"label": "State"},
    {"label": "How far"},
    {"label": "In the CRM"},
    {"label": "Here"},
    {"label": "Failed", "end": True},
    {"label": "When", "end": True},
)


def _run(pk: int) -> Run:
    rows = Run.objects.select_related("mapping__connection", "connection", "asked_by")
    return get_object_or_404(rows, pk=pk)


@needs(Can.VIEW_SYNC)
def run_list(request: PageRequest) -> HttpResponse:
    """Show every run, the newest first."""
    query, now = request.GET, timezone.now()
    page = keyset(runlists.filtered(query), query)
    names = ("connection", "mapping", "kind", "state")
    context = {
        "page_title": "Runs",
        "page": page,
        "runs": progress.with_progress(page.items, now),
        "columns": COLUMNS,
        "choices": runlists.choices(query),
        "filtered": any(query.get(name) for name in names),
        "going": any(one.state in progress.GOING for one in page.items),
    }
    return render(request, "integrations/run_list.html", context)


@needs(Can.VIEW_SYNC)
def run_page(request: PageRequest, pk: int) -> HttpResponse:
    """Show one run: how far it is, what became of its records, what can be done."""
    run = _run(pk)
    outcome = request.GET.get("outcome", "")
    page = keyset(runlists.entries_of(run, outcome), request.GET)
    context = {
        "page_title": f"{run.get_kind_display()} {run.pk}",
        "samples": runlists.samples_of(run),
        "entries": runlists.with_records(run, page.items),
        "page": page,
        "choices": [runlists.outcome_choice(outcome)],
        "has_entries": bool(page.items) or bool(outcome),
        "parked": runlists.parked_of(run).count(),
        "original": _original(run),
        **_live(run),
    }
    return render(request, "integrations/run.html", context)


def _original(run: Run) -> Run | None:
    """Return the run that a revert takes back."""
    wanted = run.options.get("run")
    if run.kind != Run.Kind.REVERT or not isinstance(wanted, int):
        return None
    return Run.objects.filter(pk=wanted, mapping=run.mapping).first()


def _live(run: Run) -> dict[str, object]:
    """Return the part of the page that is looked at again while the run goes."""
    undone = progress.is_revertible(run)
    return {
        "run": run,
        "mapping": run.mapping,
        "progress": progress.progress_of(run, timezone.now()),
        "effects": outcomes.effects_of(run),
        "counts": outcomes.counts_of(run),
        "drift": outcomes.drift_of(run) if run.kind == Run.Kind.AUDIT else None,
        "steps": progress.steps_of(run),
        "approval": progress.approval_of(run),
        "revertible": undone and run.entries.exclude(undo={}).exists(),
        "is_over": run.state in progress.OVER,
    }


@needs(Can.VIEW_SYNC)
def run_live(request: PageRequest, pk: int) -> HttpResponse:
    """Return the numbers of a run; once it is over, have the whole page loaded."""
    run = _run(pk)
    if run.state in progress.OVER:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "integrations/_run_live.html", _live(run))


_DONE = {
    "pause": "It is paused. What is under way now still ends.",
    "resume": "It goes on.",
    "approve": "It is approved and goes on.",
    "cancel": "It is cancelled. What was done stays done.",
}


@needs(Can.RETRY_SYNC)
@require_POST
def run_steer(request: PageRequest, pk: int) -> HttpResponseBase:
    """Pause, resume, approve or cancel a run."""
    run, step = _run(pk), request.POST.get("step", "")
    try:
        if step not in runs.STEPS:
            raise Refused("step", "There is no such step.")
        runs.steer(run, Actor(request.user), step)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        _wake()
        messages.success(request, _DONE[step])
    return redirect(run)


@needs(Can.RETRY_SYNC)
@require_POST
def run_revert(request: PageRequest, pk: int) -> HttpResponseBase:
    """Take back what a run changed, wherever nobody has changed it since."""
    run = _run(pk)
    try:
        made = runs.start_run(
            run.mapping,
            Actor(request.user),
            Run.Kind.REVERT,
            options={"run": run.pk},
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(run)
    _wake()
    messages.success(request, f"{run} is being taken back.")
    return redirect(made)


@needs(Can.RETRY_SYNC)
@require_POST
def run_retry(request: PageRequest, pk: int) -> HttpResponseBase:
    """Try again what failed in a run."""
    run = _run(pk)
    asked = retries.retry(runlists.parked_of(run)[:RETRY_MOST])
    if asked:
        details = {"items": asked, "run": run.pk}
        audit(request.workspace, Actor(request.user), "sync.retried", details=details)
        _wake()
        noun = "is" if asked == 1 else "are"
        messages.success(request, f"{asked} {noun} tried again now.")
    else:
        messages.info(request, "There was nothing left to retry.")
    return redirect(run)


def _wake() -> None:
    wake("integrations.tasks.take_in", "sync")
    wake("integrations.tasks.drain", "sync")


@needs(Can.VIEW_SYNC)
def run_export(request: PageRequest, pk: int) -> HttpResponse:
    """Return the records of a run as CSV that no sheet takes for formulas."""
    run = _run(pk)
    rows = runlists.entries_of(run, request.GET.get("outcome", "")).order_by("id")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="run-{run.pk}.csv"'
    # Without the mark, sheets read UTF-8 as something else.
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow(runlists.HEADINGS)
    writer.writerows(runlists.cells(run, rows[:EXPORT_MOST]))
    return response
