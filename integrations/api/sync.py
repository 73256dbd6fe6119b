"""The API of syncs: outbox rows and their retries, the journal, a lead's timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crmsync.core.api.base import ScopedViewSet, actor_of, workspace_of
from crmsync.core.api.filters import refuse_unknown
from crmsync.core.models import WorkItem
from crmsync.core.roles import Can
from crmsync.core.services import audit
from crmsync.core.wake import wake_after_commit
from integrations import selectors
from integrations.api import filters
from integrations.api import sync_serializers as serializers
from integrations.api.pairing import PairingMixin, ParentMixin
from integrations.api.steps import wake_workers
from integrations.models import SyncEntry
from integrations.services.retries import retry
from integrations.services.sending import send_now
from leads.models import Lead
from leads.selectors import in_order, lead_timeline
from leads.services.fields import MODELS


class RowViewSet(PairingMixin, ParentMixin):
    """What must reach a connection, or be processed, and how that stands."""

    model = WorkItem
    reads = Can.VIEW_SYNC
    writes = Can.RETRY_SYNC
    serializer_class = serializers.RowSerializer
    filterset_class = filters.RowFilters

    def list(self, request: Request) -> Response:
        """List rows, newest first; `failing=true` is what the errors page shows."""
        items = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        rows = selectors.rows_of(items or [])
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show one row."""
        return self._shown(self.get_object())

    @extend_schema(
        operation_id="sync_rows_retry_one",
        request=None,
        responses={202: serializers.RowSerializer},
    )
    @action(detail=True, methods=["post"], url_path="retry")
    def retry_one(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Try one row again now; one that is done or under way stays as it is."""
        item = self.get_object()
        self._retried([item], {})
        return self._shown(self.get_queryset().get(pk=item.pk), status=202)

    @extend_schema(
        operation_id="sync_rows_retry_many",
        request=serializers.RetryBody,
        responses={202: serializers.RetriedSerializer},
    )
    @action(detail=False, methods=["post"], url_path="retry")
    def retry_many(self, request: Request) -> Response:
        """Try failed rows again now: by id, or all that the given filters leave."""
        values = self.checked(serializers.RetryBody)
        rows = selectors.failing_items()
        if "ids" in values:
            rows = rows.filter(pk__in=values["ids"])
        if "connection_id" in values:
            rows = rows.filter(channel__connection=values["connection_id"])
        if "mapping_id" in values:
            rows = rows.filter(filters.of_mapping(values["mapping_id"]))
        if "run_id" in values:
            rows = rows.filter(run=values["run_id"])
        if "error_class" in values:
            rows = rows.filter(error_class=values["error_class"])
        return Response({"retried": self._retried(rows, values)}, status=202)

    def _retried(self, rows: Iterable[WorkItem], asked: Mapping[str, Any]) -> int:
        """Retry rows and note who asked for how many; return how many."""
        count = retry(rows)
        if count:
            workspace, actor = workspace_of(self.request), actor_of(self.request)
            details = {"items": count}
            if "run_id" in asked:
                details["run"] = asked["run_id"]
            audit(workspace, actor, "sync.retried", details=details)
        _wake()
        return count

    def _shown(self, item: WorkItem, *, status: int = 200) -> Response:
        (row,) = selectors.rows_of([item])
        return Response(self.get_serializer(row).data, status=status)


def _wake() -> None:
    wake_workers()
    wake_after_commit("integrations.tasks.process_deliveries", "ingest")


class SendView(APIView):
    """Sending a record because somebody asks for it."""

    writes = Can.EDIT_RECORDS

    @extend_schema(
        operation_id="sync_now",
        request=serializers.SendBody,
        responses={202: serializers.SentSerializer},
    )
    def post(self, request: Request) -> Response:
        """Send a record to every CRM now, what failed included."""
        body = serializers.SendBody(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        model = MODELS[values["record_type"]]
        if not model.objects.filter(pk=values["record_id"]).exists():
            raise NotFound
        sent = send_now(
            workspace_of(request), values["record_type"], values["record_id"]
        )
        wake_after_commit("integrations.tasks.rush", "urgent")
        return Response({"mappings": sent}, status=202)


class EntryViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """The journal: each try of each record."""

    model = SyncEntry
    reads = Can.VIEW_SYNC
    serializer_class = serializers.SyncEntrySerializer
    filterset_class = filters.EntryFilters


class TimelineView(APIView):
    """The story of a lead."""

    reads = Can.VIEW_RECORDS

    @extend_schema(
        operation_id="lead_timeline",
        responses=serializers.TimelineEntrySerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Show what happened with a lead, newest first: in, here, and out."""
        refuse_unknown(request, frozenset())
        lead = Lead.objects.filter(pk=pk).first()
        if lead is None:
            raise NotFound
        told = in_order([*lead_timeline(lead), *selectors.lead_timeline(lead)])
        shown = serializers.TimelineEntrySerializer(told, many=True)
        return Response(shown.data)
