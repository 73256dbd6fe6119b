"""Failures: listed by cause, looked into, tried again, exported."""

from __future__ import annotations

import csv

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from crmsync.core.models import WorkItem
from crmsync.core.roles import Can, allows
from crmsync.core.services import Actor, audit
from crmsync.core.views.access import PageRequest, needs
from crmsync.core.views.paging import keyset
from crmsync.core.wake import wake
from integrations import awaited, causes, failures, lookalikes, selectors, standing
from integrations.models import Delivery, Link
from integrations.selectors import PROCESS, Row
from integrations.services import retries

# More than these are retried in several goes; the workers take them in turn anyway.
RETRY_MOST = 5000
EXPORT_MOST = 10_000
FILTERS = ("q", "connection", "cause")


@needs(Can.VIEW_SYNC)
def issue_list(request: PageRequest) -> HttpResponse:
    """Show what failed, by cause and one by one."""
    query = request.GET
    page = keyset(failures.filtered(query), query, by="failed_at")
    state = query.get("state", failures.FAILED)
    filtered = state != failures.FAILED or any(query.get(name) for name in FILTERS)
    context = {
        "page_title": "Errors",
        "page": page,
        "rows": selectors.rows_of(page.items),
        "counts": failures.counts(),
        "groups": [] if filtered else failures.groups(),
        "choices": failures.choices(query),
        "filtered": filtered,
        "query": query.urlencode(),
        "now": timezone.now(),
    }
    return render(request, "integrations/issue_list.html", context)


@needs(Can.VIEW_SYNC)
def issue(request: PageRequest, pk: int) -> HttpResponse:
    """Show one failure: why, what to do, every try, every call."""
    (row,) = selectors.rows_of([get_object_or_404(WorkItem, pk=pk)])
    cause = causes.of(row.item.error_class)
    context = {
        "page_title": row.record_label,
        "row": row,
        "item": row.item,
        "cause": cause,
        "fix_url": _fix_url(row, cause),
        "remote": _remote(row),
        "delivery": _delivery(row),
        "tries": failures.tries(row),
        "now": timezone.now(),
        "awaited": awaited.awaited_of(row.item),
        "decidable": lookalikes.is_decidable(row.item),
    }
    if allows(request.role, Can.MANAGE_CONNECTIONS):
        context["calls"] = failures.calls(row)
    return render(request, "integrations/issue.html", context)


def _fix_url(row: Row, cause: causes.Cause) -> str:
    if cause.fix == "record":
        return row.record_url
    if cause.fix == "run" and row.run is not None:
        return row.run.get_absolute_url()
    return failures.fix_url(cause, row.mapping, row.connection)


def _remote(row: Row) -> tuple[Link, str] | None:
    """Return the record's link and its page in the CRM."""
    if row.mapping is None or row.connection is None or row.record_id is None:
        return None
    link = Link.objects.of(row.mapping).filter(record_id=row.record_id).first()
    return (link, standing.remote_url(row.connection, link)) if link else None


def _delivery(row: Row) -> Delivery | None:
    """Return the delivery the failure began with."""
    deliveries = Delivery.objects.defer("body").select_related("endpoint")
    if row.item.kind == PROCESS and row.item.key.isdigit():
        return deliveries.filter(pk=row.item.key).first()
    if not row.item.trace_id:
        return None
    return deliveries.filter(trace_id=row.item.trace_id).first()


@needs(Can.RETRY_SYNC)
@require_POST
def issue_retry(request: PageRequest) -> HttpResponseBase:
    """Try chosen failures again, or all that the filters leave."""
    if request.POST.get("all"):
        chosen = failures.filtered(request.GET)[:RETRY_MOST]
    else:
        ids = [int(one) for one in request.POST.getlist("item") if one.isdigit()]
        chosen = selectors.failing_items().filter(pk__in=ids[:RETRY_MOST])
    asked = retries.retry(chosen)
    if asked:
        details = {"items": asked}
        actor = Actor(request.user)
        audit(request.workspace, actor, "sync.retried", details=details)
        wake("integrations.tasks.process_deliveries", "ingest")
        wake("integrations.tasks.drain", "sync")
        wake("integrations.tasks.take_in", "sync")
        noun = "is" if asked == 1 else "are"
        messages.success(request, f"{asked} {noun} tried again now.")
    else:
        messages.info(request, "There was nothing left to retry.")
    return redirect(_back(request))


def _back(request: PageRequest) -> str:
    given = request.POST.get("next", "")
    mine = url_has_allowed_host_and_scheme(given, allowed_hosts=None)
    return given if given and mine else "errors"


@needs(Can.VIEW_SYNC)
def issue_export(request: PageRequest) -> HttpResponse:
    """Return what the filters leave as CSV that no sheet takes for formulas."""
    items = list(failures.filtered(request.GET)[:EXPORT_MOST])
    day = timezone.now().strftime("%Y-%m-%d")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="errors-{day}.csv"'
    # Without the mark, sheets read UTF-8 as something else.
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow(failures.HEADINGS)
    writer.writerows(failures.cells(selectors.rows_of(items)))
    return response
