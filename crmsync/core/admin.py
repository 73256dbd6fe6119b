"""The console's pages of people, keys, channels and the audit trail."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from crmsync.core import queue, services
from crmsync.core.adminbase import (
    ConsoleAdmin,
    Look,
    MemberFilter,
    actor_of,
    as_json,
    note,
)
from crmsync.core.models import ApiKey, AuditEntry, Channel, Membership, User

PAUSED = "Paused by an admin"
_STATES = {"open": "success", "paused": "warning", "blocked": "danger"}


@admin.register(User)
class UserAdmin(ConsoleAdmin):
    """The people of the workspace; roles are memberships, passwords their own."""

    section, icon, words = "Workspace", "person", "People"
    list_display = ("email", "first_name", "last_name", "is_active", "last_login")
    list_filter = ("is_active",)
    search_fields = ("email", "first_name", "last_name")
    hidden = ("is_staff",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return the members; who belongs elsewhere does not exist here."""
        members = Membership.objects.values("user")
        return super().get_queryset(request).filter(pk__in=members)


class NewMemberForm(forms.ModelForm):
    """Who is to be a member: known by e-mail address, made when new."""

    email = forms.EmailField(label="E-mail", widget=UnfoldAdminEmailInputWidget())
    name = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget())

    class Meta:
        model = Membership
        fields = ("role",)


@admin.register(Membership)
class MembershipAdmin(ConsoleAdmin):
    """Who has which role; a workspace keeps at least one admin."""

    section, icon = "Workspace", "badge"
    list_display = ("user", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__first_name", "user__last_name")
    hidden = ("workspace",)
    editable = ("role",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let people be invited."""
        return self.admin_site.has_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let people be taken out, one at a time."""
        return self.admin_site.has_permission(request)

    def get_actions(self, request: HttpRequest) -> Any:
        """Leave out deleting several: the last admin must be looked at each time."""
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def get_form(
        self,
        request: HttpRequest,
        obj: Membership | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        **kwargs: Any,
    ) -> Any:
        """Ask for an address when someone is added."""
        if obj is None:
            kwargs["form"] = NewMemberForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return what to fill in, or what there is."""
        if obj is None:
            return ["email", "name", "role"]
        return super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return what cannot be changed any more."""
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def save_model(
        self, request: HttpRequest, obj: Membership, form: Any, change: Any
    ) -> None:
        """Write by the services, which keep an admin and the audit trail."""
        actor, given = actor_of(request), form.cleaned_data
        if change:
            stored = Membership.objects.get(pk=obj.pk)
            services.change_role(stored, actor, given["role"])
            return
        made = services.add_member(
            request.workspace,  # type: ignore[attr-defined]
            actor,
            email=given["email"],
            role=given["role"],
            name=given["name"],
        )
        obj.__dict__.update(made.__dict__)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        """Take the person out; the last admin stays."""
        services.remove_member(obj, actor_of(request))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Leave it to the services."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Leave it to the services."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Leave it to the services."""


@admin.register(ApiKey)
class ApiKeyAdmin(ConsoleAdmin):
    """Keys of programs: made in the product, where the text is shown once."""

    section, icon, words = "Workspace", "key", "API keys"
    list_display = (
        "name",
        "prefix",
        "role",
        "live",
        "last_used_at",
        "expires_at",
        "created_by",
    )
    list_filter = ("role", ("created_by", MemberFilter))
    list_select_related = ("created_by",)
    search_fields = ("name", "prefix")
    hidden = ("workspace",)
    actions = ("revoke",)

    @display(description="Live", boolean=True)
    def live(self, key: ApiKey) -> bool:
        """Tell whether the key still opens anything."""
        return key.is_live

    @action(description="Revoke", permissions=["act"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        """Make the keys useless at once and for good."""
        for key in chosen:
            services.revoke_api_key(key, actor_of(request))
        messages.success(request, f"{len(chosen)} revoked.")


@admin.register(AuditEntry)
class AuditEntryAdmin(ConsoleAdmin):
    """Who changed which setting, when."""

    section, icon, is_large = "Workspace", "policy", True
    list_display = ("at", "action", "target", "user", "api_key")
    list_filter = ("action", ("user", MemberFilter))
    list_select_related = ("user", "api_key")
    search_fields = ("action", "target")
    hidden = ("workspace", "details")
    shown = ("what",)

    @display(description="Details")
    def what(self, entry: AuditEntry) -> str:
        """Show from what to what."""
        return as_json(entry.details)


@admin.register(Channel)
class ChannelAdmin(ConsoleAdmin):
    """What shares out the work, one per connection and one of the workspace."""

    section, icon = "Work", "valve"
    list_display = ("name", "standing", "paused_until", "blocked_because", "cap")
    search_fields = ("name",)
    actions = ("pause", "resume")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        """Return the workspace's own channels: a channel has no workspace itself."""
        workspace = request.workspace  # type: ignore[attr-defined]
        mine = Q(connection__workspace=workspace)
        if workspace is not None:
            mine |= Q(name=f"workspace:{workspace.pk}")
        return super().get_queryset(request).filter(mine)

    def looks(self, request: HttpRequest) -> list[Look]:
        """Point at what nothing leaves."""
        closed = self.get_queryset(request).exclude(blocked_because="")
        return [self._look("Closed channels", closed.count())]

    @display(description="Standing", label=_STATES)
    def standing(self, channel: Channel) -> str:
        """Say whether anything may leave."""
        return standing_of(channel)

    @action(description="Pause until resumed", permissions=["act"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Channel]) -> None:
        """Let nothing leave these channels."""
        pause_channels(request, chosen)

    @action(description="Resume", permissions=["act"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Channel]) -> None:
        """Let work leave these channels again."""
        resume_channels(request, chosen)


def standing_of(channel: Channel | None) -> str:
    """Return a channel's standing in a word."""
    if channel is None:
        return "blocked"
    if channel.blocked_because:
        return "paused" if channel.blocked_because == PAUSED else "blocked"
    if channel.paused_until and channel.paused_until > queue.now():
        return "paused"
    return "open"


def pause_channels(request: HttpRequest, channels: QuerySet[Channel]) -> None:
    """Block channels until a person resumes them; what is blocked stays as it is."""
    free = list(channels.filter(blocked_because=""))
    for channel in free:
        queue.block(channel.pk, PAUSED)
        note(request, "channel.paused", target=channel)
    messages.success(request, f"{len(free)} paused.")


def resume_channels(request: HttpRequest, channels: QuerySet[Channel]) -> None:
    """Open paused channels; one that waits for a sign-in needs the sign-in."""
    ours = list(channels.filter(blocked_because__in=["", PAUSED]))
    for channel in ours:
        queue.unblock(channel.pk)
        note(request, "channel.resumed", target=channel)
    messages.success(request, f"{len(ours)} open.")
    others = channels.exclude(pk__in=[one.pk for one in ours])
    for channel in others:
        told = f"{channel} stays closed: {channel.blocked_because}."
        messages.warning(request, told)
