"""Keys of programs: made, shown once, revoked."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from crmsync.core import services
from crmsync.core.models import ApiKey
from crmsync.core.roles import Can, Role
from crmsync.core.services import Actor, Refused
from crmsync.core.views.access import PageRequest, needs


class KeyForm(forms.Form):
    """A key's name, what it may do and until when."""

    name = forms.CharField(
        label="Name", max_length=100, help_text="What uses it, e.g. “Reporting job”."
    )
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.VIEWER)
    last_day = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Empty: it does not end.",
    )

    def ends_at(self) -> datetime | None:
        """Return when the key ends: with the last day, UTC."""
        day = self.cleaned_data["last_day"]
        if day is None:
            return None
        return datetime.combine(day, time(), tzinfo=UTC) + timedelta(days=1)


@needs(Can.MANAGE_WORKSPACE)
def api_keys(request: PageRequest) -> HttpResponse:
    """Show the keys, and make another; its text is in this answer and nowhere else."""
    form = KeyForm(request.POST or None)
    text = ""
    if request.method == "POST" and form.is_valid():
        text = _made(request, form)
        if text:
            form = KeyForm()
    keys = ApiKey.objects.select_related("created_by").order_by("revoked_at", "-id")
    context = {
        "page_title": "API keys",
        "keys": keys,
        "form": form,
        "new_key": text,
    }
    status = 422 if form.errors else 200
    return render(request, "core/api_keys.html", context, status=status)


def _made(request: PageRequest, form: KeyForm) -> str:
    try:
        _, text = services.create_api_key(
            request.workspace,
            Actor(request.user),
            name=form.cleaned_data["name"],
            role=form.cleaned_data["role"],
            expires_at=form.ends_at(),
        )
    except Refused as refusal:
        field = "last_day" if refusal.field == "expires_at" else refusal.field
        form.add_error(field, str(refusal))
        return ""
    return text


@needs(Can.MANAGE_WORKSPACE)
@require_POST
def api_key_revoke(request: PageRequest, pk: int) -> HttpResponse:
    """Make a key useless."""
    key = get_object_or_404(ApiKey, pk=pk)
    services.revoke_api_key(key, Actor(request.user))
    messages.success(request, f"{key.name} is revoked. Calls with it get 401.")
    return redirect("api-keys")
