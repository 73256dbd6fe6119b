"""Making two records one, parting them again, and deleting a record, by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from crmsync.core.models import User
from crmsync.core.roles import Can
from crmsync.core.views.access import PageRequest, needs
from leads import browse
from leads.models import Merge
from leads.services import merging, removal, unmerging
from leads.services.errors import InvalidFields, NoSuchRecord
from leads.services.fields import MODELS
from leads.services.unmerging import CannotUndo
from leads.views.editing import LISTS, origin_of

SHOWN = 10
_SEARCH: Mapping[str, Callable[[QueryDict, User], QuerySet[Any]]] = {
    "lead": browse.leads_of,
    "company": lambda query, _: browse.companies_of(query),
    "deal": browse.deals_of,
}


@needs(Can.DELETE_RECORDS)
def record_merge(request: PageRequest, record_type: str, pk: int) -> HttpResponse:
    """Choose the record that becomes part of this one, and make them one."""
    record = get_object_or_404(MODELS[record_type], pk=pk)
    if request.method == "POST":
        return _merged(request, record_type, pk)
    searched = bool(request.GET.get("q", "").strip())
    rows = _SEARCH[record_type](request.GET, request.user).exclude(pk=pk)
    merges = Merge.objects.filter(record_type=record_type, winner_id=pk, undone_at=None)
    context = {
        "page_title": f"Merge into {record}",
        "record": record,
        "record_type": record_type,
        "list_url": LISTS[record_type],
        "list_label": LISTS[record_type].capitalize(),
        "query": request.GET.get("q", ""),
        "searched": searched,
        "found": rows.order_by("-id")[:SHOWN] if searched else (),
        "merges": merges.filter(at__gte=timezone.now() - unmerging.UNDO_FOR),
    }
    return render(request, "leads/record_merge.html", context)


def _merged(request: PageRequest, record_type: str, pk: int) -> HttpResponse:
    loser = request.POST.get("loser_id", "")
    usable = loser.isascii() and loser.isdigit() and len(loser) < 19
    try:
        merging.merge(
            request.workspace,
            record_type,
            winner_id=pk,
            loser_id=int(loser) if usable else 0,
            origin=origin_of(request),
        )
    except (InvalidFields, NoSuchRecord) as error:
        messages.error(request, str(error))
        return redirect(f"{record_type}-merge", pk=pk)
    messages.success(request, "They are one now. You can take it back for 30 days.")
    return redirect(record_type, pk=pk)


@needs(Can.DELETE_RECORDS)
@require_POST
def merge_undo(request: PageRequest, pk: int) -> HttpResponse:
    """Part two records again."""
    row = get_object_or_404(Merge, pk=pk, record_type__in=LISTS)
    try:
        unmerging.undo(row, origin=origin_of(request))
    except CannotUndo as error:
        messages.error(request, f"This merge cannot be taken back. {error}")
        return redirect(LISTS[row.record_type])
    messages.success(request, "They are two records again.")
    return redirect(row.record_type, pk=row.loser_id)


@needs(Can.DELETE_RECORDS)
@require_POST
def record_delete(request: PageRequest, record_type: str, pk: int) -> HttpResponse:
    """Delete a record for good."""
    record = get_object_or_404(MODELS[record_type], pk=pk)
    origin = origin_of(request)
    removal.delete(request.workspace, record_type, [record.pk], origin=origin)
    messages.success(request, f"{record} is deleted.")
    return redirect(LISTS[record_type])
