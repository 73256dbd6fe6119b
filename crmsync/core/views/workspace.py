"""The workspace itself: its settings, and going to another one."""

from __future__ import annotations

from zoneinfo import available_timezones

import phonenumbers
from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from crmsync.core import workspaces
from crmsync.core.roles import Can
from crmsync.core.scoping import SESSION_KEY, memberships_of
from crmsync.core.services import Actor
from crmsync.core.views.access import PageRequest, needs


class WorkspaceForm(forms.Form):
    """What holds for the whole workspace."""

    name = forms.CharField(label="Name", max_length=100)
    time_zone = forms.ChoiceField(
        label="Time zone", help_text="When the day of the home page begins."
    )
    phone_region = forms.ChoiceField(
        label="Phone region",
        help_text="How a phone number without a country code is read.",
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        zones = sorted(zone for zone in available_timezones() if "/" in zone)
        regions = sorted(phonenumbers.SUPPORTED_REGIONS)
        self.fields["time_zone"].choices = [  # type: ignore[attr-defined]
            (zone, zone.replace("_", " ")) for zone in ["UTC", *zones]
        ]
        self.fields["phone_region"].choices = [  # type: ignore[attr-defined]
            (one, f"{one} (+{phonenumbers.country_code_for_region(one)})")
            for one in regions
        ]


@needs(Can.MANAGE_WORKSPACE)
def workspace_settings(request: PageRequest) -> HttpResponse:
    """Show and change the workspace's settings."""
    now = request.workspace
    initial = {
        "name": now.name,
        "time_zone": now.time_zone,
        "phone_region": now.phone_region,
    }
    form = WorkspaceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        workspaces.change_workspace(now, Actor(request.user), **form.cleaned_data)
        messages.success(request, "The settings are saved.")
        return redirect("workspace")
    context = {"page_title": "Workspace", "form": form}
    status = 422 if form.errors else 200
    return render(request, "core/workspace.html", context, status=status)


@needs(Can.VIEW_RECORDS)
@require_POST
def switch_workspace(request: PageRequest) -> HttpResponse:
    """Go to another workspace the person belongs to."""
    mine = {str(one.workspace_id): one for one in memberships_of(request.user)}
    chosen = mine.get(request.POST.get("workspace", ""))
    if chosen is None:
        raise Http404("There is no such workspace.")
    request.session[SESSION_KEY] = chosen.workspace_id
    messages.success(request, f"You are in {chosen.workspace} now.")
    return redirect("/")
