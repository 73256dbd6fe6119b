"""The people of a workspace: invited, given roles, taken out."""

from __future__ import annotations

from allauth.account.forms import ResetPasswordForm
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from crmsync.core import services
from crmsync.core.models import Membership
from crmsync.core.roles import ALLOWED, Can, Role
from crmsync.core.services import Actor, Refused
from crmsync.core.views.access import PageRequest, needs


class InviteForm(forms.Form):
    """Who is to join, as what."""

    email = forms.EmailField(label="E-mail", max_length=254)
    name = forms.CharField(label="Name", max_length=150, required=False)
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.REP)


@needs(Can.MANAGE_WORKSPACE)
def people(request: PageRequest) -> HttpResponse:
    """Show the members, and invite another."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _invited(request, form):
        return redirect("people")
    members = Membership.objects.select_related("user").order_by("user__email")
    context = {
        "page_title": "People",
        "members": members,
        "form": form,
        "roles": Role.choices,
        "allowed": [
            (role.label, [what.label for what in Can if what in ALLOWED[role]])
            for role in Role
        ],
    }
    status = 422 if form.errors else 200
    return render(request, "core/people.html", context, status=status)


def _invited(request: PageRequest, form: InviteForm) -> bool:
    try:
        member = services.add_member(
            request.workspace, Actor(request.user), **form.cleaned_data
        )
    except Refused as refusal:
        form.add_error(refusal.field, str(refusal))
        return False
    if member.user.has_usable_password():
        messages.success(request, f"{member.user} may now enter {request.workspace}.")
    else:
        send_password_letter(request, member.user.email)
        told = f"{member.user.email} gets a letter with a link to set a password."
        messages.success(request, told)
    return True


def send_password_letter(request: HttpRequest, email: str) -> None:
    """Send the letter by which a person sets a password."""
    letter = ResetPasswordForm(data={"email": email})
    if letter.is_valid():
        letter.save(request)


def _member(pk: int) -> Membership:
    return get_object_or_404(Membership.objects.select_related("user"), pk=pk)


@needs(Can.MANAGE_WORKSPACE)
@require_POST
def person_role(request: PageRequest, pk: int) -> HttpResponse:
    """Give a member another role."""
    member = _member(pk)
    try:
        services.change_role(member, Actor(request.user), request.POST.get("role", ""))
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{member.user} is {member.get_role_display()} now.")
    return redirect("people")


@needs(Can.MANAGE_WORKSPACE)
@require_POST
def person_remove(request: PageRequest, pk: int) -> HttpResponse:
    """Take a member out of the workspace."""
    member = _member(pk)
    try:
        services.remove_member(member, Actor(request.user))
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{member.user} is no longer in {request.workspace}.")
    return redirect("people")


@needs(Can.MANAGE_WORKSPACE)
@require_POST
def person_letter(request: PageRequest, pk: int) -> HttpResponse:
    """Send the password letter again."""
    member = _member(pk)
    send_password_letter(request, member.user.email)
    messages.success(request, f"A letter is on its way to {member.user.email}.")
    return redirect("people")
