"""The console's pages of runs, conflicts, cursors, former ids and told values.

Starting, approving and deciding are done in the product, where what follows is shown.
"""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display

from crmsync.core.adminbase import ConsoleAdmin, Look, actor_of, as_json, note
from crmsync.core.wake import wake_after_commit
from integrations import progress, runlists
from integrations.admin.acting import each
from integrations.models import (
    Conflict,
    Cursor,
    KeptApart,
    LinkAlias,
    Run,
    ToldValue,
)
from integrations.services import retries, runs

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
        "waits_for",
        "settled",
        "failed",
        "started_at",
        "finished_at",
    )
    list_filter = ("kind", "state", "connection")
    list_select_related = ("connection", "mapping")
    search_fields = ("=id", "message")
    hidden = ("workspace", "options", "cursor", "samples")
    shown = ("asked_for", "goes_on_at", "its_samples")
    actions = ("pause", "resume", "cancel", "retry_failed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Leave the samples to the page that shows them."""
        return super().get_queryset(request).defer("samples")

    def looks(self, request: HttpRequest) -> list[Look]:
        """Point at what waits for approval."""
        stopped = Run.objects.filter(state=Run.State.STOPPED).count()
        return [self._look("Runs to approve", stopped, query="state__exact=stopped")]

    @display(description="State", ordering="state", label=_RUN_LOOKS)
    def standing(self, run: Run) -> tuple[str, str]:
        """Show the state with its colour."""
        return run.state, run.get_state_display()

    @display(description="To approve")
    def waits_for(self, run: Run) -> str:
        """Show the change that a stopped run waits with."""
        return progress.to_approve(run) if run.state == Run.State.STOPPED else ""

    @display(description="Asked for")
    def asked_for(self, run: Run) -> str:
        """Show which records were asked for."""
        return as_json(run.options)

    @display(description="Goes on at")
    def goes_on_at(self, run: Run) -> str:
        """Show where it is."""
        return as_json(run.cursor)

    @display(description="Samples")
    def its_samples(self, run: Run) -> str:
        """Show records with their values before and after."""
        return as_json(run.samples)

    @action(description="Pause", permissions=["act"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        """Stop runs where they are."""
        _steer(request, chosen, "pause")

    @action(description="Resume", permissions=["act"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        """Let paused runs go on."""
        _steer(request, chosen, "resume")

    @action(description="Cancel", permissions=["act"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        """End runs; what was done stays done."""
        _steer(request, chosen, "cancel")

    @action(description="Try again what failed", permissions=["act"])
    def retry_failed(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        """Make due at once what of these runs waits for a person."""
        count = sum(retries.retry(runlists.parked_of(run)) for run in chosen)
        _wake()
        note(request, "sync.retried", target=f"{count} items")
        messages.success(request, f"{count} will be tried again at once.")


def _steer(request: HttpRequest, chosen: QuerySet[Run], step: str) -> None:
    rows, actor = chosen.select_related("mapping", "connection"), actor_of(request)
    if each(request, rows, lambda run: runs.steer(run, actor, step)):
        _wake()


def _wake() -> None:
    wake_after_commit("integrations.tasks.take_in", "sync")
    wake_after_commit("integrations.tasks.drain", "sync")


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

    def looks(self, request: HttpRequest) -> list[Look]:
        """Point at what waits for a decision."""
        count = Conflict.objects.filter(state=Conflict.State.OPEN).count()
        return [self._look("Open conflicts", count, query="state__exact=open")]


@admin.register(KeptApart)
class KeptApartAdmin(ConsoleAdmin):
    """Pairs that look alike and are two: what people decided."""

    section, icon, is_large = "CRM sync", "link_off", True
    list_display = (
        "at",
        "connection",
        "record_type",
        "record_id",
        "remote_object",
        "remote_id",
        "decided_by",
    )
    list_filter = ("connection", "record_type")
    list_select_related = ("connection", "decided_by")
    search_fields = ("=record_id", "=remote_id")
    hidden = ("workspace", "digest")


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


@admin.register(ToldValue)
class ToldValueAdmin(ConsoleAdmin):
    """What was told of fields and not read yet; the values themselves stay unseen."""

    section, icon, is_large = "CRM sync", "hearing", True
    list_display = ("at", "connection", "remote_object", "remote_id", "field")
    list_filter = ("connection",)
    list_select_related = ("connection",)
    search_fields = ("=remote_id",)
    hidden = ("workspace", "value")
