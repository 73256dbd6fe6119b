"""The API of runs: started, watched, steered, and read record by record."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from crmsync.core.api.base import ScopedViewSet, actor_of
from crmsync.core.api.filters import IdFilter, MomentFilter
from crmsync.core.roles import Can
from crmsync.core.services import Refused
from integrations.api import run_serializers as serializers
from integrations.api.steps import too_late_is_a_conflict, wake_workers
from integrations.models import ObjectMapping, Run, SyncEntry
from integrations.services import runs
from leads.services.fields import MODELS

# What the services call what a caller gave under another name.
_GIVEN_AS = {"mapping": "mapping_id", "run": "run_id"}
_COLUMNS = {"created_since": "created_at__gte"}


class RunFilters(filters.FilterSet):
    """Filters of runs."""

    mapping_id = IdFilter("mapping_id")
    connection_id = IdFilter("connection_id")
    kind = filters.ChoiceFilter(choices=Run.Kind.choices)
    state = filters.ChoiceFilter(choices=Run.State.choices)
    created_after = MomentFilter("created_at", "gte")
    created_before = MomentFilter("created_at", "lt")

    class Meta:
        model = Run
        fields: tuple[str, ...] = ()


class RunViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """Batches, backfills, pulls, comparisons, audits and dry runs."""

    model = Run
    related = ("connection", "mapping")
    reads = Can.VIEW_SYNC
    writes = Can.RETRY_SYNC
    serializer_class = serializers.RunSerializer
    filterset_class = RunFilters

    def get_queryset(self) -> QuerySet[Any]:
        """Return runs; lists leave the samples where they are."""
        rows = super().get_queryset()
        return rows.defer("samples") if self.action == "list" else rows

    @extend_schema(responses=serializers.RunDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show one run with its samples."""
        return Response(serializers.RunDetailSerializer(self.get_object()).data)

    @extend_schema(
        request=serializers.StartBody, responses={202: serializers.RunSerializer}
    )
    def create(self, request: Request) -> Response:
        """Ask for a run; it begins when a worker takes it on."""
        values = self.checked(serializers.StartBody)
        mapping = _mapping(values["mapping_id"])
        run = runs.start_run(
            mapping,
            actor_of(request),
            values["kind"],
            options=_options(mapping, values),
        )
        wake_workers()
        return self.shown(run, status=202)

    @extend_schema(request=None, responses={202: serializers.RunSerializer})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Stop a run where it is; what is under way now still ends."""
        return self._steered("pause")

    @extend_schema(request=None, responses={202: serializers.RunSerializer})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let a paused run go on."""
        return self._steered("resume")

    @extend_schema(request=None, responses={202: serializers.RunSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End a run; what was done stays done."""
        return self._steered("cancel")

    @extend_schema(request=None, responses={202: serializers.RunSerializer})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let a run that was stopped before a mass change make it after all."""
        return self._steered("approve")

    def _steered(self, step: str) -> Response:
        run = self.get_object()
        with too_late_is_a_conflict():
            runs.steer(run, actor_of(self.request), step)
        wake_workers()
        return self.shown(run, status=202)

    def handle_exception(self, exc: Exception) -> Response:
        """Name what was refused as the caller does."""
        if isinstance(exc, Refused):
            exc = Refused(_GIVEN_AS.get(exc.field, exc.field), exc.message)
        return super().handle_exception(exc)


def _mapping(mapping_id: int) -> ObjectMapping:
    rows = ObjectMapping.objects.select_related("connection", "workspace")
    mapping = rows.filter(pk=mapping_id).first()
    if mapping is None:
        raise NotFound
    return mapping


def _options(mapping: ObjectMapping, values: dict[str, Any]) -> dict[str, object]:
    """Return what `runs.start_run` takes. Raises Refused for a filter that is none."""
    options: dict[str, object] = {}
    if "ids" in values:
        options["ids"] = values["ids"]
    if "run_id" in values:
        options["run"] = values["run_id"]
    if wanted := values.get("filter"):
        options["filter"] = {
            _column(mapping, name): value.isoformat()
            if isinstance(value, datetime)
            else value
            for name, value in wanted.items()
        }
    return options


def _column(mapping: ObjectMapping, name: str) -> str:
    column = _COLUMNS.get(name, name)
    if not hasattr(MODELS[mapping.record_type], column.partition("__")[0]):
        kind = mapping.get_record_type_display()
        raise Refused(f"filter.{name}", f"A {kind.lower()} has no such field.")
    return column


# --- the records of one run -----------------------------------------------------------


class RunEntryFilters(filters.FilterSet):
    """Filters of what became of a run's records."""

    outcome = filters.ChoiceFilter(choices=SyncEntry.Outcome.choices)
    record_id = IdFilter("record_id")

    class Meta:
        model = SyncEntry
        fields: tuple[str, ...] = ()


class RunEntryViewSet(ListModelMixin, ScopedViewSet):
    """What became of the records of a run."""

    model = SyncEntry
    reads: ClassVar[Can] = Can.VIEW_SYNC
    serializer_class = serializers.RunEntrySerializer
    filterset_class = RunEntryFilters

    def get_queryset(self) -> QuerySet[Any]:
        """Return the journal of the run. Raises NotFound without one."""
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        if not Run.objects.filter(pk=self.kwargs["pk"]).exists():
            raise NotFound
        return rows.filter(run=self.kwargs["pk"])
