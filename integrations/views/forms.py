"""The page of a connection that says which web forms are taken in."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from crmsync.core.roles import Can
from crmsync.core.services import Actor
from crmsync.core.views.access import PageRequest, needs
from crmsync.core.wake import wake
from integrations.models import Connection, FormSource
from integrations.services import forms


def _connection(pk: int) -> Connection:
    connection = get_object_or_404(Connection, pk=pk)
    if not forms.has_forms(connection):
        raise Http404("This CRM has no forms.")
    return connection


@needs(Can.VIEW_SYNC)
def connection_forms(request: PageRequest, pk: int) -> HttpResponse:
    """List the account's forms, each with its switch."""
    connection = _connection(pk)
    context = {
        "page_title": "Forms",
        "connection": connection,
        "listed": forms.listed(connection),
    }
    return render(request, "integrations/connection_forms.html", context)


@needs(Can.EDIT_MAPPINGS)
@require_POST
def form_switch(request: PageRequest, pk: int) -> HttpResponse:
    """Switch a form on or off. Posted: form (its id there), to ("on" or "off")."""
    connection, remote_id = _connection(pk), request.POST.get("form", "")
    actor = Actor(request.user)
    if request.POST.get("to") == "off":
        form = get_object_or_404(FormSource, connection=connection, remote_id=remote_id)
        forms.switch_off(form, actor)
        messages.success(request, f"“{form}” is switched off. What came in stays.")
        return redirect("connection-forms", pk)
    found = [
        one for one in forms.listed(connection).forms if one.remote_id == remote_id
    ]
    if not found:
        raise Http404("There is no such form.")
    form = forms.switch_on(
        connection,
        actor,
        remote_id=remote_id,
        name=found[0].name,
        counts_as_reply="reply" in request.POST,
        with_past="past" in request.POST,
    )
    wake("integrations.tasks.take_in", "sync")
    messages.success(request, f"“{form}” is taken in.")
    return redirect("connection-forms", pk)
