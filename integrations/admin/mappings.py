"""The console's pages of mappings, links and the journal of what they did."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display

from crmsync.core.adminbase import ConsoleAdmin, Look, actor_of, as_json
from crmsync.core.wake import wake_after_commit
from integrations.admin.acting import each
from integrations.models import FieldMapping, Link, ObjectMapping, SyncEntry
from integrations.services import links, runs


@admin.register(ObjectMapping)
class ObjectMappingAdmin(ConsoleAdmin):
    """How record types correspond to objects; each change makes a version."""

    section, icon = "CRM sync", "swap_horiz"
    list_display = (
        "connection",
        "record_type",
        "remote_object",
        "direction",
        "mode",
        "next_batch_at",
        "active",
        "version",
    )
    list_filter = ("connection", "record_type", "direction", "mode", "active")
    list_select_related = ("connection",)
    search_fields = ("remote_object", "connection__name")
    hidden = ("workspace",)
    actions = ("pull_now",)

    @action(description="Ask for changes now", permissions=["act"])
    def pull_now(self, request: HttpRequest, chosen: QuerySet[ObjectMapping]) -> None:
        """Ask CRMs for changes before their turn."""
        rows = chosen.select_related("connection", "workspace")
        asked = each(request, rows, lambda one: runs.pull_now(one, actor_of(request)))
        if asked:
            wake_after_commit("integrations.tasks.take_in", "sync")


@admin.register(FieldMapping)
class FieldMappingAdmin(ConsoleAdmin):
    """The rows of mappings."""

    section, icon = "CRM sync", "compare_arrows"
    list_display = (
        "mapping",
        "source",
        "destination",
        "direction",
        "rule",
        "active",
        "suspended_because",
    )
    list_filter = (
        "mapping",
        "rule",
        "active",
        ("suspended_because", admin.EmptyFieldListFilter),
    )
    list_select_related = ("mapping",)
    search_fields = ("source", "destination")

    def looks(self, request: HttpRequest) -> list[Look]:
        """Point at rows that are left out because the CRM lacks their field."""
        rows = FieldMapping.objects.exclude(suspended_because="")
        query = "suspended_because__isempty=0"
        return [self._look("Suspended rows", rows.count(), query=query)]


@admin.register(Link)
class LinkAdmin(ConsoleAdmin):
    """Which record is which remote record, and what both last agreed on."""

    section, icon, is_large = "CRM sync", "link", True
    list_display = (
        "connection",
        "record_type",
        "record_id",
        "remote_object",
        "remote_id",
        "standing",
        "pushed_at",
        "pulled_at",
    )
    list_filter = ("connection", "record_type", "state")
    list_select_related = ("connection",)
    search_fields = ("=remote_id", "=record_id", "=aliases__remote_id")
    hidden = ("workspace", "base", "written", "turns")
    shown = ("agreed", "sent_before", "came_lately", "former_ids")
    actions = ("unlink", "relink")

    @display(
        description="State",
        ordering="state",
        label={
            Link.State.LINKED: "success",
            Link.State.MISSING: "warning",
            Link.State.FORBIDDEN: "danger",
            Link.State.DELETED: "danger",
        },
    )
    def standing(self, link: Link) -> tuple[str, str]:
        """Show whether the pair still stands."""
        return link.state, link.get_state_display()

    @display(description="Agreed values")
    def agreed(self, link: Link) -> str:
        """Show the values both sides last had."""
        return as_json(link.base)

    @display(description="Values of ours that newer ones replaced")
    def sent_before(self, link: Link) -> str:
        """Show what an old echo is known by."""
        return as_json(link.written)

    @display(description="Values that came in lately")
    def came_lately(self, link: Link) -> str:
        """Show what two CRMs in a quarrel are known by."""
        return as_json(link.turns)

    @display(description="Former ids")
    def former_ids(self, link: Link) -> str:
        """Show the ids the remote record had before."""
        return as_json([str(one) for one in link.aliases.all()])

    @action(description="Unlink", permissions=["act"])
    def unlink(self, request: HttpRequest, chosen: QuerySet[Link]) -> None:
        """Let pairs go their own ways."""
        each(request, chosen, lambda one: links.unlink(one, actor_of(request)))

    @action(description="Link again", permissions=["act"])
    def relink(self, request: HttpRequest, chosen: QuerySet[Link]) -> None:
        """Join unlinked pairs again and bring them in step."""
        if each(request, chosen, lambda one: links.relink(one, actor_of(request))):
            wake_after_commit("integrations.tasks.take_in", "sync")
            wake_after_commit("integrations.tasks.drain", "sync")


@admin.register(SyncEntry)
class SyncEntryAdmin(ConsoleAdmin):
    """The journal: one record, one try."""

    section, icon, is_large = "CRM sync", "receipt_long", True
    list_display = (
        "at",
        "connection",
        "record_type",
        "record_id",
        "direction",
        "ended",
        "run",
        "error_class",
        "trace_id",
    )
    list_filter = ("outcome", "direction", "connection", "record_type", "error_class")
    list_select_related = ("connection", "run")
    search_fields = ("=trace_id", "=remote_id", "=record_id")
    hidden = ("workspace", "undo")
    shown = ("changed",)

    @display(description="Changed values")
    def changed(self, entry: SyncEntry) -> str:
        """Show what a run changed: before and after."""
        return as_json(entry.undo)

    @display(
        description="Outcome",
        ordering="outcome",
        label={
            SyncEntry.Outcome.FAILED: "danger",
            SyncEntry.Outcome.RETRYING: "warning",
            SyncEntry.Outcome.CREATED: "success",
            SyncEntry.Outcome.UPDATED: "success",
            SyncEntry.Outcome.LINKED: "success",
        },
    )
    def ended(self, entry: SyncEntry) -> tuple[str, str]:
        """Show how the try ended."""
        return entry.outcome, entry.get_outcome_display()
