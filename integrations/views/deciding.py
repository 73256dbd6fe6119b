"""Deciding who a held record is, side by side, and taking such decisions back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from crmsync.core.models import WorkItem
from crmsync.core.roles import Can
from crmsync.core.services import Actor, Refused
from crmsync.core.views.access import PageRequest, needs, refuse_unless
from crmsync.core.wake import wake
from integrations import lookalikes, selectors
from integrations.models import KeptApart
from integrations.services import pairing, parents


@needs(Can.VIEW_SYNC)
def issue_decide(request: PageRequest, pk: int) -> HttpResponseBase:
    """Show a held record beside those it may be; carry out what was chosen."""
    item = get_object_or_404(WorkItem, pk=pk)
    if request.method == "POST":
        return _decided(request, item)
    held = lookalikes.held_of(item)
    if held is None:
        return redirect("issue", pk=pk)
    (row,) = selectors.rows_of([item])
    context = {
        "page_title": _question(row),
        "item": item,
        "row": row,
        "compared": lookalikes.compared(held),
    }
    return render(request, "integrations/issue_decide.html", context)


def _question(row: selectors.Row) -> str:
    if row.item.kind == selectors.HELD_FORM:
        return "Who submitted this form?"
    if row.mapping is not None and row.record_id is None:
        return f"Who is this {row.mapping.remote_object} of {row.connection}?"
    return f"Who is {row.record_label}?"


def _decided(request: PageRequest, item: WorkItem) -> HttpResponse:
    refuse_unless(request, Can.RETRY_SYNC)
    choice = request.POST.get("choice", "")
    if choice == pairing.MERGE:
        refuse_unless(request, Can.DELETE_RECORDS)
    try:
        told = pairing.decide(
            item, Actor(request.user), choice, request.POST.get("candidate", "")
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("issue", pk=item.pk)
    _wake()
    messages.success(request, told)
    # Its own page would go on asking until the next try is over.
    return redirect("errors")


@needs(Can.RETRY_SYNC)
@require_POST
def issue_parent(request: PageRequest, pk: int) -> HttpResponse:
    """Have what a record waits for created in the CRM first."""
    item = get_object_or_404(WorkItem, pk=pk)
    try:
        first = parents.create_there(item, Actor(request.user))
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        _wake()
        messages.success(request, f"{first.name} is sent first; this one follows.")
    return redirect("issue", pk=pk)


@needs(Can.RETRY_SYNC)
@require_POST
def kept_apart_forget(request: PageRequest, pk: int) -> HttpResponse:
    """Let two records that were kept apart be looked at again."""
    kept = get_object_or_404(KeptApart.objects.select_related("connection"), pk=pk)
    pairing.forget(kept, Actor(request.user))
    _wake()
    messages.success(request, "It is forgotten. The two are being looked at again.")
    given = request.POST.get("next", "")
    mine = given and url_has_allowed_host_and_scheme(given, allowed_hosts=None)
    return redirect(given if mine else reverse("errors"))


def _wake() -> None:
    wake("integrations.tasks.take_in", "sync")
    wake("integrations.tasks.drain", "sync")
