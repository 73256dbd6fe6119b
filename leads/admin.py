"""The console's pages of records, their history, and what sales work with."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from crmsync.core.adminbase import ConsoleAdmin, MemberFilter, actor_of, as_json
from crmsync.core.adminsite import SESSION_KEY
from crmsync.core.models import Membership, Workspace
from crmsync.core.roles import Role
from crmsync.core.scoping import in_workspace
from crmsync.core.services import audit
from crmsync.core.views.workspace import WorkspaceForm
from crmsync.core.workspaces import change_workspace
from leads.models import (
    Activity,
    Campaign,
    CampaignMember,
    Change,
    Company,
    Conversation,
    CustomField,
    Deal,
    Lead,
    LeadKey,
    Merge,
    Pipeline,
    ScoreEntry,
    ScoreRule,
    Stage,
    StageChange,
    Tombstone,
)
from leads.services.workspace import ensure_workspace_defaults

OWNER = ("owner", MemberFilter)


# --- the workspace: registered here, because it begins with a pipeline and rules ----


class WorkspacePage(forms.ModelForm):
    """The settings, with the choices of the product's own page."""

    time_zone = forms.ChoiceField(widget=UnfoldAdminSelectWidget())
    phone_region = forms.ChoiceField(widget=UnfoldAdminSelectWidget())

    class Meta:
        model = Workspace
        fields = ("name", "time_zone", "phone_region")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = WorkspaceForm().fields
        for name in ("time_zone", "phone_region"):
            self.fields[name].choices = known[name].choices  # type: ignore[attr-defined]


@admin.register(Workspace)
class WorkspaceAdmin(ConsoleAdmin):
    """The workspace; a superuser sees all of them, makes them and goes into them."""

    section, icon = "Workspace", "domain"
    form = WorkspacePage
    list_display = ("name", "slug", "time_zone", "phone_region", "created_at")
    search_fields = ("name", "slug")
    editable = ("name", "time_zone", "phone_region")
    actions = ("enter",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        """Return the workspace one is in, for a superuser all."""
        everything = super().get_queryset(request)
        if _is_superuser(request):
            return everything
        return everything.filter(pk=_here(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let superusers make one."""
        return _is_superuser(request)

    def has_enter_permission(self, request: HttpRequest) -> bool:
        """Let superusers look into another one."""
        return _is_superuser(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Ask for the short name once."""
        if obj is None:
            return ["name", "slug", "time_zone", "phone_region"]
        return super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the short name as it is."""
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def save_model(
        self, request: HttpRequest, obj: Workspace, form: Any, change: Any
    ) -> None:
        """Write by the services; a new one begins with what it needs, and an admin."""
        if change:
            stored = Workspace.objects.get(pk=obj.pk)
            values = {name: form.cleaned_data[name] for name in self.editable}
            change_workspace(stored, actor_of(request), **values)
            return
        with transaction.atomic():
            obj.save()
            ensure_workspace_defaults(obj)
            with in_workspace(obj):
                actor = actor_of(request)
                assert actor.user is not None
                Membership.objects.create(
                    workspace=obj, user=actor.user, role=Role.ADMIN
                )
                audit(obj, actor, "workspace.created", target=obj)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Leave it to the service."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Leave it to `save_model`: it belongs to the new workspace."""

    @action(description="Show this workspace in the console", permissions=["enter"])
    def enter(self, request: HttpRequest, chosen: QuerySet[Workspace]) -> HttpResponse:
        """Go into a workspace."""
        workspace = chosen.first()
        assert workspace is not None
        request.session[SESSION_KEY] = workspace.pk
        messages.success(request, f"The console shows {workspace} now.")
        return redirect("admin:index")


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser)


def _here(request: HttpRequest) -> int | None:
    workspace: Workspace | None = getattr(request, "workspace", None)
    return workspace.pk if workspace else None


# --- records: written by services, so that history, scoring and syncs follow --------


class RecordAdmin(ConsoleAdmin):
    """A record; its page in the product is where it is changed."""

    section = "Records"
    hidden = ("workspace", "custom")
    shown = ("own_fields",)

    @display(description="Own fields")
    def own_fields(self, record: Any) -> str:
        """Show the values of the workspace's own fields."""
        return as_json(record.custom)


@admin.register(Lead)
class LeadAdmin(RecordAdmin):
    """People who may buy."""

    icon = "person_search"
    list_display = (
        "name",
        "email",
        "company",
        "status",
        "score",
        "owner",
        "last_activity_at",
    )
    list_filter = ("status", OWNER, "source")
    list_select_related = ("company", "owner")
    search_fields = ("email", "first_name", "last_name", "phone", "linkedin_id")

    @display(description="Name", ordering="last_name")
    def name(self, lead: Lead) -> str:
        """Show how the lead is called."""
        return str(lead)


@admin.register(Company)
class CompanyAdmin(RecordAdmin):
    """Organisations people work for."""

    icon = "apartment"
    list_display = ("name", "domain", "industry", "country", "employees", "updated_at")
    list_filter = ("industry", "country")
    search_fields = ("name", "domain")


@admin.register(Deal)
class DealAdmin(RecordAdmin):
    """Possible sales."""

    icon = "handshake"
    list_display = (
        "name",
        "lead",
        "stage",
        "amount",
        "currency",
        "owner",
        "updated_at",
    )
    list_filter = ("pipeline", "stage__outcome", OWNER)
    list_select_related = ("lead", "stage", "owner")
    search_fields = ("name", "lead__email", "company__name")


@admin.register(Activity)
class ActivityAdmin(RecordAdmin):
    """What happened with leads."""

    icon, is_large = "forum", True
    list_display = ("occurred_at", "kind", "direction", "lead", "deal", "source")
    list_filter = ("kind", "direction", "source")
    list_select_related = ("lead", "deal")
    search_fields = ("subject", "external_id", "lead__email")


@admin.register(Campaign)
class CampaignAdmin(RecordAdmin):
    """Outreach efforts."""

    icon = "campaign"
    list_display = ("name", "source", "external_id", "updated_at")
    list_filter = ("source",)
    search_fields = ("name", "external_id")


@admin.register(CampaignMember)
class CampaignMemberAdmin(RecordAdmin):
    """Who is in which campaign."""

    icon, is_large = "group_add", True
    list_display = ("lead", "campaign", "status", "created_at")
    list_filter = ("status", "campaign")
    list_select_related = ("lead", "campaign")
    search_fields = ("lead__email", "campaign__name")


@admin.register(Conversation)
class ConversationAdmin(ConsoleAdmin):
    """Threads of messages."""

    section, icon, is_large = "Records", "chat", True
    list_display = ("lead", "source", "channel", "subject", "last_message_at")
    list_filter = ("source", "channel")
    list_select_related = ("lead",)
    search_fields = ("external_id", "subject", "lead__email")
    hidden = ("workspace",)


@admin.register(LeadKey)
class LeadKeyAdmin(ConsoleAdmin):
    """What people are known by."""

    section, icon, is_large = "Records", "fingerprint", True
    list_display = ("kind", "value", "lead", "former")
    list_filter = ("kind", "former")
    list_select_related = ("lead",)
    search_fields = ("value",)
    hidden = ("workspace",)


# --- history ------------------------------------------------------------------------


@admin.register(Change)
class ChangeAdmin(ConsoleAdmin):
    """What changed in records, and because of what."""

    section, icon, is_large = "History", "history", True
    list_display = (
        "at",
        "record_type",
        "record_id",
        "action",
        "origin_label",
        "trace_id",
    )
    list_filter = ("record_type", "action", "origin_kind")
    search_fields = ("=trace_id", "=record_id")
    hidden = ("workspace", "fields")
    shown = ("from_and_to",)

    @display(description="Fields: old, new")
    def from_and_to(self, change: Change) -> str:
        """Show the old and the new values."""
        return as_json(change.fields)


@admin.register(StageChange)
class StageChangeAdmin(ConsoleAdmin):
    """Which stages deals went through."""

    section, icon, is_large = "History", "moving", True
    list_display = ("at", "deal", "from_stage", "to_stage", "origin")
    list_select_related = ("deal", "from_stage", "to_stage")
    search_fields = ("deal__name",)
    hidden = ("workspace",)


@admin.register(ScoreEntry)
class ScoreEntryAdmin(ConsoleAdmin):
    """Points leads got; a score is their sum."""

    section, icon, is_large = "History", "exposure_plus_1", True
    list_display = ("at", "lead", "points", "reason", "rule")
    list_filter = ("rule",)
    list_select_related = ("lead", "rule")
    search_fields = ("lead__email", "=trace_id")
    hidden = ("workspace",)


@admin.register(Tombstone)
class TombstoneAdmin(ConsoleAdmin):
    """Records that are gone."""

    section, icon, is_large = "History", "delete_history", True
    list_display = ("record_type", "record_id", "merged_into", "origin_label", "at")
    list_filter = ("record_type", "origin_kind")
    search_fields = ("=record_id", "=trace_id")
    hidden = ("workspace", "keys")


@admin.register(Merge)
class MergeAdmin(ConsoleAdmin):
    """Records that became one."""

    section, icon, is_large = "History", "merge", True
    list_display = ("record_type", "winner_id", "loser_id", "at", "undone_at")
    list_filter = ("record_type", "origin_kind")
    search_fields = ("=winner_id", "=loser_id")
    hidden = ("workspace", "kept")


# --- what sales work with -----------------------------------------------------------


@admin.register(Pipeline)
class PipelineAdmin(ConsoleAdmin):
    """The ways deals go."""

    section, icon = "Sales", "view_kanban"
    list_display = ("name", "is_default")
    search_fields = ("name",)
    hidden = ("workspace",)
    editable = ("name",)


@admin.register(Stage)
class StageAdmin(ConsoleAdmin):
    """The steps of pipelines. What counts as won stays: reports rest on it."""

    section, icon = "Sales", "flag"
    list_display = ("name", "pipeline", "position", "outcome")
    list_filter = ("pipeline", "outcome")
    list_select_related = ("pipeline",)
    search_fields = ("name",)
    hidden = ("workspace",)
    editable = ("name", "position")


@admin.register(ScoreRule)
class ScoreRuleAdmin(ConsoleAdmin):
    """How many points an engagement gives, from now on."""

    section, icon = "Sales", "rule"
    list_display = ("label", "event", "points", "cap", "active")
    list_filter = ("active",)
    search_fields = ("label", "event")
    hidden = ("workspace",)
    editable = ("label", "points", "cap", "active")


@admin.register(CustomField)
class CustomFieldAdmin(ConsoleAdmin):
    """The workspace's own fields; defined in the product, renamed and archived here."""

    section, icon = "Sales", "text_fields"
    list_display = ("label", "record_type", "name", "type", "archived")
    list_filter = ("record_type", "type", "archived")
    search_fields = ("label", "name")
    hidden = ("workspace",)
    editable = ("label", "description", "archived")
