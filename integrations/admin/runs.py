"""The console's pages of runs, conflicts, cursors and former ids: to look at.

Starting, steering and deciding are done in the product, where what follows is shown.
"""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from crmsync.core.adminbase import ConsoleAdmin, as_json
from integrations.models import Conflict, Cursor, LinkAlias, Run

_RUN_LOOKS = {
    Run.State.DONE: "success",
    Run.State.RUNNING: "info",
    Run.State.QUEUED: "info",
    Run.State.DONE_WITH_ERRORS: "warning",
    Run.State.PAUSED: "warning",
    Run.State.STOPPED: "warning",
    Run.State.FAILED: "danger",
}


@admin.register(Run)
class RunAdmin(ConsoleAdmin):
    """Batches, backfills, pulls and comparisons with their counts."""

    section, icon, is_large = "CRM sync", "play_circle", True
    list_display = (
        "id",
        "kind",
        "connection",
        "mapping",
        "standing",
        "settled",
        "failed",
        "started_at",
        "finished_at",
    )
    list_filter = ("kind", "state", "connection")
    list_select_related = ("connection", "mapping")
    search_fields = ("=id", "message")
    hidden = ("workspace", "options", "cursor", "samples")
    shown = ("asked_for", "goes_on_at")

    @display(description="state", label=_RUN_LOOKS)
    def standing(self, run: Run) -> tuple[str, str]:
        """Show the state with its colour."""
        return run.state, run.get_state_display()

    @display(description="Asked for")
    def asked_for(self, run: Run) -> str:
        """Show which records were asked for."""
        return as_json(run.options)

    @display(description="Goes on at")
    def goes_on_at(self, run: Run) -> str:
        """Show where it is."""
        return as_json(run.cursor)


@admin.register(Conflict)
class ConflictAdmin(ConsoleAdmin):
    """Fields that both sides changed, and what became of each value."""

    section, icon, is_large = "CRM sync", "call_split", True
    list_display = (
        "created_at",
        "connection",
        "record_type",
        "record_id",
        "field",
        "rule",
        "state",
        "winner",
    )
    list_filter = ("state", "rule", "connection")
    list_select_related = ("connection",)
    search_fields = ("=record_id", "field", "remote_field")
    hidden = ("workspace", "crm_as_ours")


@admin.register(Cursor)
class CursorAdmin(ConsoleAdmin):
    """How far each mapping has been read."""

    section, icon = "CRM sync", "bookmark"
    list_display = ("mapping", "read_up_to", "gone_up_to", "read_at", "swept_at")
    list_select_related = ("mapping",)
    search_fields = ("mapping__remote_object",)


@admin.register(LinkAlias)
class LinkAliasAdmin(ConsoleAdmin):
    """Ids that linked records had in the CRM before."""

    section, icon, is_large = "CRM sync", "history", True
    list_display = ("at", "connection", "remote_object", "remote_id", "reason", "link")
    list_filter = ("reason", "connection")
    list_select_related = ("connection", "link")
    search_fields = ("=remote_id",)
    hidden = ("workspace",)
