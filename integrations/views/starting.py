"""Starting runs of a mapping, and switching one on for the first time."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from crmsync.core.roles import Can
from crmsync.core.services import Actor, Refused
from crmsync.core.views.access import PageRequest, needs
from crmsync.core.wake import wake
from integrations import freshness, outcomes, progress, selection
from integrations.forms.chosen import ChosenForm
from integrations.models import ObjectMapping, Run
from integrations.offers import PULL, offers_of
from integrations.services import mappings, runs
from integrations.services.counting import count_there

RUNS_SHOWN = 15


def _mapping(pk: int) -> ObjectMapping:
    rows = ObjectMapping.objects.select_related("connection", "workspace")
    return get_object_or_404(rows, pk=pk)


@needs(Can.VIEW_SYNC)
def mapping_runs(request: PageRequest, pk: int) -> HttpResponse:
    """Show what can be started under a mapping, and what was."""
    return _runs_page(request, _mapping(pk))


def _runs_page(
    request: PageRequest,
    found: ObjectMapping,
    *,
    form: ChosenForm | None = None,
    refused: Mapping[str, str] | None = None,
) -> HttpResponse:
    now = timezone.now()
    rows = found.runs.select_related("connection", "mapping", "asked_by")
    newest = list(rows.order_by("-id")[:RUNS_SHOWN])
    context = {
        "page_title": f"{found}, runs",
        "mapping": found,
        "tab": "runs",
        "runs": progress.with_progress(newest, now),
        "going": any(one.state in progress.GOING for one in newest),
        "form": form or ChosenForm(mapping=found),
        "offers": offers_of(found, refused or {}),
        "refused": refused or {},
        "fresh": freshness.of_mapping(found),
        "selection": selection.selection_of(found),
    }
    status = 422 if refused else 200
    return render(request, "integrations/mapping_runs.html", context, status=status)


@needs(Can.RETRY_SYNC)
@require_POST
def mapping_start(request: PageRequest, pk: int) -> HttpResponseBase:
    """Start a run, or a pull; what is refused says so where it was asked for."""
    found, kind = _mapping(pk), request.POST.get("kind", "")
    form = ChosenForm(request.POST if kind == Run.Kind.MANUAL else None, mapping=found)
    if form.is_bound and not form.is_valid():
        told = {kind: "Look at the filter."}
        return _runs_page(request, found, form=form, refused=told)
    try:
        made = _started(found, Actor(request.user), kind, form)
    except Refused as refusal:
        return _runs_page(request, found, form=form, refused={kind: str(refusal)})
    wake("integrations.tasks.take_in", "sync")
    if made is None:
        messages.success(request, f"{found.connection} is being asked for changes.")
        return redirect("mapping-runs", pk=found.pk)
    messages.success(request, f"{made.get_kind_display()} has started.")
    return redirect(made)


def _started(
    found: ObjectMapping, actor: Actor, kind: str, form: ChosenForm
) -> Run | None:
    if kind == PULL:
        runs.pull_now(found, actor)
        return None
    options = form.options() if form.is_bound else {}
    return runs.start_run(found, actor, kind, options=options)


# --- switching on for the first time --------------------------------------------------


@needs(Can.EDIT_MAPPINGS)
def mapping_first(request: PageRequest, pk: int) -> HttpResponseBase:
    """Show what switching a mapping on would be about; asking the CRM is a POST."""
    found = _mapping(pk)
    if found.direction == ObjectMapping.Direction.PUSH:
        return redirect(found)
    dry = found.runs.filter(kind=Run.Kind.DRY).order_by("-id").first()
    context = {
        "page_title": f"Switch on {found}",
        "mapping": found,
        "selection": selection.selection_of(found),
        "there": count_there(found) if request.method == "POST" else None,
        "dry": dry,
        "stale": dry is not None and dry.created_at < found.updated_at,
        "effects": outcomes.effects_of(dry) if dry else [],
        "counts": outcomes.counts_of(dry) if dry else [],
        "dry_over": dry is not None and dry.state in progress.OVER,
    }
    return render(request, "integrations/mapping_first.html", context)


@needs(Can.EDIT_MAPPINGS)
@require_POST
def mapping_switch(request: PageRequest, pk: int) -> HttpResponseBase:
    """Switch a mapping on or off; one that takes in is looked at first."""
    found = _mapping(pk)
    wanted = request.POST.get("active") == "yes"
    if wanted and "then" not in request.POST and is_first(found):
        return redirect("mapping-first", pk=found.pk)
    try:
        saved = mappings.set_active(found, Actor(request.user), active=wanted)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    told = "Its records are kept in step." if wanted else "Nothing is sent or taken in."
    messages.success(request, f"{found} is {'on' if wanted else 'off'}. {told}")
    wake("integrations.tasks.take_in", "sync")
    if wanted and request.POST.get("then") == Run.Kind.RECONCILE:
        return _start_then(request, saved, Run.Kind.RECONCILE)
    return redirect(found)


def is_first(found: ObjectMapping) -> bool:
    """Tell whether a mapping takes in and has never compared everything."""
    if found.direction == ObjectMapping.Direction.PUSH:
        return False
    cursor = getattr(found, "cursor", None)
    return cursor is None or cursor.swept_at is None


def _start_then(
    request: PageRequest, found: ObjectMapping, kind: str
) -> HttpResponseBase:
    """Start a run right after something else; say so when it is refused."""
    try:
        made = runs.start_run(found, Actor(request.user), kind)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    return redirect(made)
