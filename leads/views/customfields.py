"""The workspace's own fields: defined, relabelled, archived."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from crmsync.core.roles import Can
from crmsync.core.services import Actor
from crmsync.core.views.access import PageRequest, needs
from leads.forms.customfields import CustomFieldForm, NewCustomFieldForm, lines_of
from leads.models import CustomField
from leads.services import customfields
from leads.services.errors import InvalidFields


@needs(Can.EDIT_MAPPINGS)
def custom_fields(request: PageRequest) -> HttpResponse:
    """Show the workspace's own fields, and define another."""
    form = NewCustomFieldForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _defined(request, form):
        return redirect("custom-fields")
    rows = CustomField.objects.order_by("archived", "record_type", "label")
    context = {"page_title": "Custom fields", "fields": rows, "form": form}
    status = 422 if form.errors else 200
    return render(request, "leads/custom_fields.html", context, status=status)


def _defined(request: PageRequest, form: NewCustomFieldForm) -> bool:
    given = form.cleaned_data
    try:
        made = customfields.define(
            request.workspace,
            Actor(request.user),
            record_type=given["record_type"],
            name=given["name"],
            label=given["label"],
            type=given["type"],
            options=form.chosen(),
            description=given["description"],
        )
    except InvalidFields as error:
        form.take(error)
        return False
    messages.success(request, f"Every {made.record_type} has the field {made} now.")
    return True


@needs(Can.EDIT_MAPPINGS)
def custom_field(request: PageRequest, pk: int) -> HttpResponse:
    """Change a field's label, help text and options."""
    found = get_object_or_404(CustomField, pk=pk)
    initial = {
        "label": found.label,
        "description": found.description,
        "options": lines_of(found),
    }
    form = CustomFieldForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = {
            "label": form.cleaned_data["label"],
            "description": form.cleaned_data["description"],
            "options": form.chosen(),
        }
        try:
            customfields.change(found, Actor(request.user), values)
        except InvalidFields as error:
            form.take(error)
        else:
            messages.success(request, f"{found} is saved.")
            return redirect("custom-fields")
    context = {"page_title": str(found), "field": found, "form": form}
    status = 422 if form.errors else 200
    return render(request, "leads/custom_field.html", context, status=status)


@needs(Can.EDIT_MAPPINGS)
@require_POST
def custom_field_archive(request: PageRequest, pk: int) -> HttpResponse:
    """Hide a field everywhere, or show it again; its values stay."""
    found = get_object_or_404(CustomField, pk=pk)
    wanted = request.POST.get("archived") == "yes"
    customfields.change(found, Actor(request.user), {"archived": wanted})
    told = "is hidden; its values stay" if wanted else "is in use again"
    messages.success(request, f"{found} {told}.")
    return redirect("custom-fields")
