"""What was posted to us: every request as it came, and what became of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from crmsync.core.roles import Can
from crmsync.core.services import Actor, audit
from crmsync.core.views.access import PageRequest, needs
from crmsync.core.views.paging import keyset
from crmsync.core.wake import wake
from integrations.models import Delivery, Endpoint
from integrations.webhooks import inbox
from leads.browse import Choice
from leads.models import Lead

COLUMNS = [
    {"label": "Delivery"},
    {"label": "Endpoint"},
    {"label": "State"},
    {"label": "What happened"},
    {"label": "Size", "end": True},
    {"label": "Received", "end": True},
]


@needs(Can.VIEW_SYNC)
def delivery_list(request: PageRequest) -> HttpResponse:
    """Show the deliveries, newest first."""
    query = request.GET
    rows = Delivery.objects.select_related("endpoint").defer("body", "traceback")
    if (state := query.get("state", "")) in Delivery.State.values:
        rows = rows.filter(state=state)
    endpoint = query.get("endpoint", "")
    if endpoint.isascii() and endpoint.isdigit() and len(endpoint) < 19:
        rows = rows.filter(endpoint_id=int(endpoint))
    if trace := query.get("q", "").replace("\x00", "").strip():
        rows = rows.filter(trace_id=trace)
    context = {
        "page_title": "Deliveries",
        "page": keyset(rows.prefetch_related("events"), query),
        "choices": _choices(query.get("state", ""), endpoint),
        "columns": COLUMNS,
        "filtered": any(query.get(name) for name in ("q", "state", "endpoint")),
    }
    return render(request, "integrations/delivery_list.html", context)


def _choices(state: str, endpoint: str) -> list[Choice]:
    named = Endpoint.objects.order_by("name").values_list("pk", "name")
    endpoints = [(str(pk), name) for pk, name in named]
    states = list(Delivery.State.choices)
    return [
        Choice("state", "State", state, [("", "Any state"), *states]),
        Choice("endpoint", "Endpoint", endpoint, [("", "Any endpoint"), *endpoints]),
    ]


@needs(Can.VIEW_SYNC)
def delivery(request: PageRequest, pk: int) -> HttpResponse:
    """Show one delivery: headers, body, events, records, and what went wrong."""
    found = get_object_or_404(Delivery.objects.select_related("endpoint"), pk=pk)
    events = list(found.events.order_by("id"))
    leads = Lead.objects.in_bulk([one.lead_id for one in events if one.lead_id])
    context = {
        "page_title": f"Delivery {found.pk}",
        "delivery": found,
        "events": [(one, leads.get(one.lead_id or 0)) for one in events],
        "headers": sorted(found.headers.items()),
        "replayable": found.state != Delivery.State.REJECTED,
    }
    return render(request, "integrations/delivery.html", context)


@needs(Can.RETRY_SYNC)
@require_POST
def delivery_replay(request: PageRequest, pk: int) -> HttpResponse:
    """Process a delivery again; what was recorded is not recorded twice."""
    found = get_object_or_404(Delivery, pk=pk)
    if inbox.replay([found.pk]):
        actor = Actor(request.user)
        audit(request.workspace, actor, "delivery.replayed", target=found)
        wake("integrations.tasks.process_deliveries", "ingest")
        messages.success(request, "The delivery is processed again.")
    else:
        messages.error(request, "A rejected delivery cannot be processed.")
    return redirect(found)
