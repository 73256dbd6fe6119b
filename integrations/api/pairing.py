"""The API of who a held record is: compared, decided, and decisions taken back."""

from __future__ import annotations

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from crmsync.core.api.base import ScopedViewSet, actor_of, role_of
from crmsync.core.api.errors import Conflict
from crmsync.core.api.filters import IdFilter
from crmsync.core.roles import Can, allows
from integrations import awaited, lookalikes, selectors
from integrations.api import sync_serializers as serializers
from integrations.api.steps import too_late_is_a_conflict, wake_workers
from integrations.models import KeptApart
from integrations.services import pairing, parents
from leads.models import RecordType


class PairingMixin(ScopedViewSet):
    """What can be asked of a row that does not know who its record is."""

    @extend_schema(responses=serializers.ComparisonSerializer)
    @action(detail=True, methods=["get"])
    def candidates(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show the held record beside those it may be; asks the CRM for their values.

        409 where nothing is left to decide.
        """
        held = lookalikes.held_of(self.get_object())
        if held is None:
            raise Conflict("There is nothing to decide here.", code="too_late")
        told = lookalikes.compared(held)
        return Response(serializers.ComparisonSerializer(told).data)

    @extend_schema(
        request=serializers.PairingBody, responses={202: serializers.RowSerializer}
    )
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say who it is; the row then goes on by itself.

        `link` joins it with the candidate, `merge` makes our two records one (for 30
        days it can be taken back), `apart` keeps it from all candidates for good.
        """
        item, values = self.get_object(), self.checked(serializers.PairingBody)
        is_merge = values["choice"] == pairing.MERGE
        if is_merge and not allows(role_of(request), Can.DELETE_RECORDS):
            raise PermissionDenied
        with too_late_is_a_conflict():
            pairing.decide(
                item, actor_of(request), values["choice"], values.get("candidate", "")
            )
        wake_workers()
        (row,) = selectors.rows_of([self.get_queryset().get(pk=item.pk)])
        return Response(serializers.RowSerializer(row).data, status=202)


class ParentMixin(ScopedViewSet):
    """What can be asked of a row that waits for another record."""

    @extend_schema(request=None, responses={202: serializers.AwaitedSerializer})
    @action(detail=True, methods=["post"], url_path="create-parent")
    def create_parent(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Have what it waits for sent at once; the row then follows by itself.

        409 where it waits for nothing any more, 400 where what it waits for never gets
        there, e.g. since its own mapping leaves it out.
        """
        item = self.get_object()
        with too_late_is_a_conflict():
            first = parents.create_there(item, actor_of(request))
        wake_workers()
        return Response(serializers.AwaitedSerializer(first).data, status=202)

    @extend_schema(responses=serializers.AwaitedSerializer)
    @action(detail=True, methods=["get"])
    def parent(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show the record a row waits for, and how that stands."""
        found = awaited.awaited_of(self.get_object())
        if found is None:
            raise Conflict("It waits for no other record.", code="too_late")
        return Response(serializers.AwaitedSerializer(found).data)


class KeptApartFilters(filters.FilterSet):
    """Filters of pairs that are kept apart."""

    connection_id = IdFilter("connection_id")
    record_type = filters.ChoiceFilter(choices=RecordType.choices)
    record_id = IdFilter("record_id")
    remote_object = filters.CharFilter("remote_object")
    remote_id = filters.CharFilter("remote_id")

    class Meta:
        model = KeptApart
        fields: tuple[str, ...] = ()


class KeptApartViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """Pairs that look alike and are two."""

    model = KeptApart
    related = ("connection",)
    reads = Can.VIEW_SYNC
    writes: ClassVar[Can] = Can.RETRY_SYNC
    serializer_class = serializers.KeptApartSerializer
    filterset_class = KeptApartFilters

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Forget that they are two, and have them looked at again."""
        pairing.forget(self.get_object(), actor_of(request))
        wake_workers()
        return Response(status=204)
