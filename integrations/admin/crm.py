"""The console's pages of connections, their tokens, fields and calls."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display

from crmsync.core.admin import (
    pause_channels,
    resume_channels,
    standing_of,
)
from crmsync.core.adminbase import (
    ConsoleAdmin,
    Look,
    MemberFilter,
    as_json,
)
from crmsync.core.models import Channel
from crmsync.core.wake import wake_after_commit
from integrations.models import (
    ApiCall,
    Connection,
    FormSource,
    HeldSubmission,
    OAuthState,
    OAuthToken,
    RemoteSchema,
)

_STANDING = {"open": "success", "paused": "warning", "blocked": "danger"}
_BREAKER = {"closed": "success", "half": "warning", "open": "danger"}

# --- connections --------------------------------------------------------------------


@admin.register(Connection)
class ConnectionAdmin(ConsoleAdmin):
    """Connected accounts; connecting is done in the product."""

    section, icon = "CRM sync", "cable"
    list_display = (
        "name",
        "vendor",
        "account_name",
        "state",
        "sending",
        "breaker",
        "calls_today",
        "last_ok_at",
    )
    list_filter = ("vendor", "status", "auth")
    list_select_related = ("channel",)
    search_fields = ("name", "account_id", "account_name")
    hidden = ("workspace", "scopes", "key_fields", "pipelines", "owners")
    shown = ("granted", "keys", "their_pipelines")
    actions = ("pause", "resume")

    def looks(self, request: HttpRequest) -> list[Look]:
        """Point at what must be signed in to again."""
        status = Connection.Status.NEEDS_REAUTH
        count = Connection.objects.filter(status=status).count()
        query = f"status__exact={status}"
        return [self._look("Connections to sign in to again", count, query=query)]

    @display(
        description="Status",
        ordering="status",
        label={
            Connection.Status.ACTIVE: "success",
            Connection.Status.SETTING_UP: "info",
            Connection.Status.NEEDS_REAUTH: "danger",
            Connection.Status.DISCONNECTED: "warning",
        },
    )
    def state(self, connection: Connection) -> tuple[str, str]:
        """Show whether it works."""
        return connection.status, connection.get_status_display()

    @display(description="Sending", label=_STANDING)
    def sending(self, connection: Connection) -> str:
        """Say whether anything may leave."""
        return standing_of(connection.channel)

    @display(description="Breaker", label=_BREAKER)
    def breaker(self, connection: Connection) -> tuple[str, str]:
        """Say whether calls are made after many have failed."""
        channel = connection.channel or Channel()
        return channel.breaker, channel.get_breaker_display()

    @display(description="Calls of the day")
    def calls_today(self, connection: Connection) -> str:
        """Show how much of the day's budget is used, as last told."""
        channel = connection.channel or Channel()
        if channel.daily_used is None or not channel.daily_limit:
            return "–"
        return f"{channel.daily_used:,} of {channel.daily_limit:,}"

    @display(description="Scopes")
    def granted(self, connection: Connection) -> str:
        """Show what the account let us do."""
        return as_json(connection.scopes)

    @display(description="Key fields")
    def keys(self, connection: Connection) -> str:
        """Show which property holds our key, by object."""
        return as_json(connection.key_fields)

    @display(description="Pipelines")
    def their_pipelines(self, connection: Connection) -> str:
        """Show the account's pipelines."""
        return as_json(connection.pipelines)

    @action(description="Pause sending until resumed", permissions=["act"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Connection]) -> None:
        """Let nothing leave; changes wait."""
        pause_channels(request, _channels_of(chosen))

    @action(description="Resume sending", permissions=["act"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Connection]) -> None:
        """Let what waits leave."""
        resume_channels(request, _channels_of(chosen))
        wake_after_commit("integrations.tasks.drain", "sync")


def _channels_of(connections: QuerySet[Connection]) -> QuerySet[Channel]:
    return Channel.objects.filter(pk__in=connections.values("channel"))


@admin.register(FormSource)
class FormSourceAdmin(ConsoleAdmin):
    """Forms whose submissions are taken in, and how far they are."""

    section, icon, words = "CRM sync", "assignment", "Forms"
    list_display = ("name", "connection", "active", "count", "last_at", "taken_until")
    list_filter = ("active", "counts_as_reply", "connection")
    list_select_related = ("connection",)
    search_fields = ("name", "remote_id")
    hidden = ("workspace",)


@admin.register(HeldSubmission)
class HeldSubmissionAdmin(ConsoleAdmin):
    """Submissions that fit several people; they are dealt with under Errors."""

    section, icon, words = "CRM sync", "assignment_late", "Held submissions"
    list_display = ("created_at", "form", "key")
    list_filter = ("form",)
    list_select_related = ("form",)
    search_fields = ("=key",)
    hidden = ("workspace", "document")
    shown = ("what_was_said",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[HeldSubmission]:
        """Leave what was said to the page that shows it."""
        return super().get_queryset(request).defer("document")

    @display(description="What was said")
    def what_was_said(self, row: HeldSubmission) -> str:
        """Show the submission."""
        return as_json(row.document)


@admin.register(OAuthToken)
class OAuthTokenAdmin(ConsoleAdmin):
    """How long tokens live; the tokens themselves are never shown."""

    section, icon, words = "CRM sync", "lock_clock", "Tokens"
    list_display = ("connection", "expires_at", "generation", "refused", "updated_at")
    list_select_related = ("connection",)
    search_fields = ("connection__name",)


@admin.register(OAuthState)
class OAuthStateAdmin(ConsoleAdmin):
    """Sign-ins under way."""

    section, icon, words = "CRM sync", "login", "Sign-ins under way"
    list_display = ("vendor", "user", "connection", "expires_at", "used_at")
    list_filter = ("vendor", ("user", MemberFilter))
    list_select_related = ("user", "connection")
    search_fields = ("user__email",)
    hidden = ("workspace",)


@admin.register(RemoteSchema)
class RemoteSchemaAdmin(ConsoleAdmin):
    """What accounts say their fields are."""

    section, icon = "CRM sync", "schema"
    list_display = ("connection", "object_type", "described_at")
    list_filter = ("object_type",)
    list_select_related = ("connection",)
    search_fields = ("object_type", "connection__name")
    hidden = ("fields",)
    shown = ("their_fields",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RemoteSchema]:
        """Leave the long list to the page that shows it."""
        return super().get_queryset(request).defer("fields")

    @display(description="Fields")
    def their_fields(self, schema: RemoteSchema) -> str:
        """Show the fields as described."""
        return as_json(schema.fields)


@admin.register(ApiCall)
class ApiCallAdmin(ConsoleAdmin):
    """Calls to vendors: what for, how they ended."""

    section, icon, is_large = "CRM sync", "network_check", True
    list_display = (
        "at",
        "connection",
        "method",
        "path",
        "status",
        "outcome",
        "inputs",
        "duration_ms",
        "trace_id",
    )
    list_filter = ("outcome", "connection", "method")
    list_select_related = ("connection",)
    search_fields = ("=trace_id", "=request_id", "path")
