"""The console's pages of the inbox and the queue."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display

from crmsync.core.adminbase import (
    ConsoleAdmin,
    Look,
    as_json,
    note,
    verbatim,
)
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.wake import wake_after_commit
from integrations.models import (
    Delivery,
    Endpoint,
    Event,
)
from integrations.services import retries
from integrations.webhooks.inbox import replay

# --- the inbox ----------------------------------------------------------------------


@admin.register(Endpoint)
class EndpointAdmin(ConsoleAdmin):
    """Addresses that take webhooks; the address and its secrets are not shown here."""

    section, icon = "Inbox", "webhook"
    list_display = ("name", "source", "active", "deal_stage", "last_delivery_at")
    list_filter = ("source", "active")
    list_select_related = ("deal_stage",)
    search_fields = ("name",)
    hidden = ("workspace",)
    editable = ("name", "active", "deal_stage")


@admin.register(Delivery)
class DeliveryAdmin(ConsoleAdmin):
    """Requests as they came, and what became of them."""

    section, icon, is_large = "Inbox", "move_to_inbox", True
    list_display = (
        "received_at",
        "endpoint",
        "became",
        "status_code",
        "size",
        "seen",
        "reason",
        "trace_id",
    )
    list_filter = ("state", "endpoint", "status_code")
    list_select_related = ("endpoint",)
    search_fields = ("=trace_id",)
    hidden = ("workspace", "headers", "body", "traceback")
    shown = ("as_it_came", "its_headers", "where_it_failed")
    actions = ("replay",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Leave long bodies to the page that shows them."""
        return super().get_queryset(request).defer("body", "traceback", "headers")

    @display(
        description="State",
        ordering="state",
        label={
            Delivery.State.PROCESSED: "success",
            Delivery.State.RECEIVED: "info",
            Delivery.State.FAILED: "danger",
            Delivery.State.REJECTED: "warning",
        },
    )
    def became(self, delivery: Delivery) -> tuple[str, str]:
        """Show what became of it."""
        return delivery.state, delivery.get_state_display()

    def looks(self, request: HttpRequest) -> list[Look]:
        """Point at what could not be processed."""
        failed = Delivery.objects.filter(state=Delivery.State.FAILED).count()
        return [self._look("Failed deliveries", failed, query="state__exact=failed")]

    @display(description="Body")
    def as_it_came(self, delivery: Delivery) -> str:
        """Show the body; bytes that are no text are escaped."""
        return verbatim(bytes(delivery.body))

    @display(description="Headers")
    def its_headers(self, delivery: Delivery) -> str:
        """Show the headers without secrets."""
        return as_json(delivery.headers)

    @display(description="Traceback")
    def where_it_failed(self, delivery: Delivery) -> str:
        """Show where processing failed."""
        return verbatim(delivery.traceback)

    @action(description="Process again", permissions=["act"])
    def replay(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        """Process deliveries again; what was recorded is not recorded twice."""
        count = replay(chosen.values_list("pk", flat=True))
        wake_after_commit("integrations.tasks.process_deliveries", "ingest")
        note(request, "delivery.replayed", target=f"{count} deliveries")
        messages.success(request, f"{count} will be processed again.")
        if count < len(chosen):
            told = f"{len(chosen) - count} were rejected and have nothing to process."
            messages.warning(request, told)


@admin.register(Event)
class EventAdmin(ConsoleAdmin):
    """What was in deliveries."""

    section, icon, is_large = "Inbox", "bolt", True
    list_display = ("at", "kind", "outcome", "lead_id", "delivery", "detail")
    list_filter = ("kind", "outcome")
    list_select_related = ("delivery",)
    search_fields = ("=key", "=lead_id")
    hidden = ("workspace",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Leave long bodies where they are."""
        long = ("delivery__body", "delivery__traceback", "delivery__headers")
        return super().get_queryset(request).defer(*long)


# --- the queue ----------------------------------------------------------------------


@admin.register(WorkItem)
class WorkItemAdmin(ConsoleAdmin):
    """Everything that waits, and what failed."""

    section, icon, is_large = "Work", "checklist", True
    list_display = (
        "kind",
        "key",
        "standing",
        "channel",
        "not_before",
        "attempts",
        "error_class",
        "failed_at",
    )
    list_filter = ("state", "kind", "error_class")
    list_select_related = ("channel",)
    search_fields = ("=key", "=trace_id")
    hidden = ("workspace", "lease_token", "error")
    shown = ("what_went_wrong",)
    actions = ("retry",)

    @display(
        description="State",
        ordering="state",
        label={
            "ready": "info",
            "leased": "info",
            "waiting": "warning",
            "parked": "danger",
            "done": "success",
        },
    )
    def standing(self, item: WorkItem) -> tuple[str, str]:
        """Show where it stands."""
        return item.state, item.get_state_display()

    def looks(self, request: HttpRequest) -> list[Look]:
        """Point at what waits for a person."""
        parked = WorkItem.objects.filter(state=State.PARKED, failed_at__isnull=False)
        query = "state__exact=parked"
        return [self._look("Failed work", parked.count(), query=query)]

    @display(description="Error")
    def what_went_wrong(self, item: WorkItem) -> str:
        """Show the last failure's words."""
        return verbatim(item.error)

    @action(description="Try again now", permissions=["act"])
    def retry(self, request: HttpRequest, chosen: QuerySet[WorkItem]) -> None:
        """Make failed and delayed work due at once."""
        count = retries.retry(chosen)
        wake_after_commit("integrations.tasks.process_deliveries", "ingest")
        wake_after_commit("integrations.tasks.drain", "sync")
        note(request, "work.retried", target=f"{count} items")
        messages.success(request, f"{count} will be tried again at once.")
