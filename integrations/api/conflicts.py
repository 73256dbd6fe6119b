"""The API of conflicts: whose value counts, once, for many, or from now on."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from crmsync.core.api.base import ScopedViewSet, actor_of, role_of
from crmsync.core.api.filters import IdFilter, MomentFilter
from crmsync.core.roles import Can, allows
from crmsync.core.services import Refused
from integrations.api import conflict_serializers as serializers
from integrations.api.steps import too_late_is_a_conflict, wake_workers
from integrations.models import Conflict, FieldMapping
from integrations.services import conflicts
from leads.models import RecordType


class ConflictFilters(filters.FilterSet):
    """Filters of conflicts."""

    connection_id = IdFilter("connection_id")
    mapping_id = IdFilter("mapping_id")
    record_type = filters.ChoiceFilter(choices=RecordType.choices)
    record_id = IdFilter("record_id")
    field = filters.CharFilter("field")
    remote_field = filters.CharFilter("remote_field")
    rule = filters.ChoiceFilter(choices=FieldMapping.Rule.choices)
    state = filters.ChoiceFilter(choices=Conflict.State.choices)
    winner = filters.ChoiceFilter(choices=Conflict.Winner.choices)
    created_after = MomentFilter("created_at", "gte")
    created_before = MomentFilter("created_at", "lt")

    class Meta:
        model = Conflict
        fields: tuple[str, ...] = ()


class ConflictViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """Fields that both sides changed, to be decided or settled."""

    model = Conflict
    reads = Can.VIEW_SYNC
    writes = Can.RETRY_SYNC
    serializer_class = serializers.ConflictSerializer
    filterset_class = ConflictFilters

    @extend_schema(
        operation_id="conflicts_resolve_one",
        request=serializers.DecisionBody,
        responses=serializers.ConflictSerializer,
    )
    @action(detail=True, methods=["post"], url_path="resolve")
    def resolve_one(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Keep one side's value on both sides, and with `always` from now on."""
        conflict, values = self.get_object(), self.checked(serializers.DecisionBody)
        always = values.get("always", False)
        if always and not allows(role_of(request), Can.EDIT_MAPPINGS):
            raise PermissionDenied
        with too_late_is_a_conflict():
            settled = conflicts.resolve(
                conflict, actor_of(request), values["winner"], always=always
            )
        wake_workers()
        return self.shown(settled)

    @extend_schema(
        operation_id="conflicts_resolve_many",
        request=serializers.DecisionsBody,
        responses=serializers.DecidedSerializer,
    )
    @action(detail=False, methods=["post"], url_path="resolve")
    def resolve_many(self, request: Request) -> Response:
        """Keep one side's value of many conflicts, up to 500 at once."""
        values = self.checked(serializers.DecisionsBody)
        rows = _chosen(values)
        refused: list[dict[str, object]] = []
        todo = list(rows.order_by("id")[: serializers.AT_ONCE])
        for one in todo:
            try:
                conflicts.resolve(one, actor_of(request), values["winner"])
            except Refused as refusal:
                refused.append({"id": one.pk, "detail": refusal.message})
        wake_workers()
        resolved = len(todo) - len(refused)
        left = rows.count() - len(refused)
        return Response({"resolved": resolved, "refused": refused, "left": left})

    @extend_schema(request=None, responses=serializers.ConflictSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Bring the value back that was not kept, on both sides."""
        conflict = self.get_object()
        with too_late_is_a_conflict():
            restored = conflicts.restore(conflict, actor_of(request))
        wake_workers()
        return self.shown(restored)


def _chosen(values: dict[str, Any]) -> QuerySet[Conflict]:
    rows = Conflict.objects.filter(state=Conflict.State.OPEN)
    if "ids" in values:
        rows = rows.filter(pk__in=values["ids"])
    columns = ("connection_id", "mapping_id", "remote_field", "record_type")
    wanted = {name: values[name] for name in (*columns, "record_id") if name in values}
    return rows.filter(**wanted)
