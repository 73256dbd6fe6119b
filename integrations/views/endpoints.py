"""Webhook endpoints: made, shown with their address, rotated, switched off."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from crmsync.core.roles import Can
from crmsync.core.services import Actor, Refused
from crmsync.core.views.access import PageRequest, needs
from integrations.forms.endpoints import EndpointForm, NewEndpointForm
from integrations.models import Delivery, Endpoint
from integrations.services import endpoints, samples
from integrations.services.endpoint_tokens import rotate_token
from integrations.webhooks.sources import SOURCES
from integrations.webhooks.wanted import subscriptions_of


@needs(Can.MANAGE_WORKSPACE)
def endpoint_list(request: PageRequest) -> HttpResponse:
    """Show the addresses that take webhooks."""
    rows = Endpoint.objects.select_related("deal_stage", "connection")
    rows = rows.order_by("-active", "name")
    context = {"page_title": "Webhook endpoints", "endpoints": rows}
    return render(request, "integrations/endpoint_list.html", context)


@sensitive_post_parameters("secrets")
@needs(Can.MANAGE_WORKSPACE)
def endpoint_new(request: PageRequest) -> HttpResponse:
    """Make an endpoint."""
    form = NewEndpointForm(request.POST or None, initial={"source": "lgm"})
    if request.method == "POST" and form.is_valid():
        try:
            made = endpoints.create_endpoint(
                request.workspace, Actor(request.user), form.values()
            )
        except Refused as refusal:
            _show(form, refusal)
        else:
            messages.success(request, "The endpoint is ready. Copy its address.")
            return redirect("endpoint", made.pk)
    context = {
        "page_title": "New endpoint",
        "form": form,
        "sources": SOURCES.values(),
    }
    status = 422 if form.errors else 200
    return render(request, "integrations/endpoint_new.html", context, status=status)


def _show(form: EndpointForm, refusal: Refused) -> None:
    form.add_error(
        refusal.field if refusal.field in form.fields else None, str(refusal)
    )


@sensitive_post_parameters("secrets")
@needs(Can.MANAGE_WORKSPACE)
def endpoint(request: PageRequest, pk: int) -> HttpResponse:
    """Show an endpoint with its address, and change it."""
    found = get_object_or_404(Endpoint.objects.select_related("connection"), pk=pk)
    initial = {"name": found.name, "deal_stage_id": found.deal_stage_id}
    source = SOURCES.get(found.source)
    form = EndpointForm(request.POST or None, initial=initial, source=source)
    if request.method == "POST" and form.is_valid():
        try:
            endpoints.change_endpoint(found, Actor(request.user), form.values())
        except Refused as refusal:
            _show(form, refusal)
        else:
            messages.success(request, "The endpoint is saved.")
            return redirect("endpoint", found.pk)
    recent = Delivery.objects.filter(endpoint=found).defer("body", "traceback")
    context = {
        "page_title": found.name,
        "endpoint": found,
        "source": source,
        "how": f"integrations/how/{found.source}.html" if source else None,
        "subscriptions": subscriptions_of(found),
        "has_sample": samples.has_sample(found.source),
        "form": form,
        "deliveries": recent.order_by("-id")[:5],
    }
    status = 422 if form.errors else 200
    return render(request, "integrations/endpoint.html", context, status=status)


@needs(Can.MANAGE_WORKSPACE)
@require_POST
def endpoint_rotate(request: PageRequest, pk: int) -> HttpResponse:
    """Give an endpoint a new address."""
    found = get_object_or_404(Endpoint, pk=pk)
    rotate_token(found, Actor(request.user))
    messages.success(request, "The address is new. Give it to the source now.")
    return redirect("endpoint", found.pk)


@needs(Can.MANAGE_WORKSPACE)
@require_POST
def endpoint_switch(request: PageRequest, pk: int) -> HttpResponse:
    """Switch an endpoint off, or on again."""
    found = get_object_or_404(Endpoint, pk=pk)
    wanted = request.POST.get("active") == "yes"
    endpoints.change_endpoint(found, Actor(request.user), {"active": wanted})
    told = "takes deliveries again" if wanted else "answers 404 from now on"
    messages.success(request, f"{found} {told}.")
    return redirect("endpoint", found.pk)


@needs(Can.MANAGE_WORKSPACE)
@require_POST
def endpoint_sample(request: PageRequest, pk: int) -> HttpResponse:
    """Put a sample reply into the inbox and go to watch it."""
    found = get_object_or_404(Endpoint, pk=pk)
    if not samples.has_sample(found.source) or not found.active:
        messages.error(request, "There is no sample for this endpoint.")
        return redirect("endpoint", found.pk)
    delivery_id = samples.send_sample(found, Actor(request.user))
    messages.success(request, "A sample reply of an invented person has arrived.")
    return redirect("delivery", delivery_id)
