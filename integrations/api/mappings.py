"""The API of mappings: changed, switched on and off, and asked for changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from crmsync.core.api.base import ScopedViewSet, actor_of
from crmsync.core.api.errors import Conflict
from crmsync.core.roles import Can
from integrations.api import filters
from integrations.api import mapping_serializers as serializers
from integrations.api.steps import wake_workers
from integrations.models import ObjectMapping
from integrations.selection import Selection, selection_of
from integrations.services import runs
from integrations.services.counting import There, count_there
from integrations.services.mappings import (
    RowValues,
    StaleMapping,
    change_mapping,
    row_values,
    set_active,
)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many records there are on both sides."""

    here: Selection
    there: There


class MappingViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """How record types and remote objects correspond, field by field."""

    model = ObjectMapping
    related = ("connection", "cursor")
    prefetched = ("rows",)
    reads = Can.VIEW_SYNC
    writes = Can.EDIT_MAPPINGS
    needs = {"pull": Can.RETRY_SYNC, "count": Can.EDIT_MAPPINGS}
    serializer_class = serializers.MappingSerializer
    filterset_class = filters.MappingFilters

    @extend_schema(
        request=serializers.MappingBody, responses=serializers.MappingSerializer
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the mapping; `rows` replaces all its rows.

        What is not said of a row that is there already stays as it was.
        """
        mapping, values = self.get_object(), self.checked(serializers.MappingBody)
        given = values.pop("rows", None)
        rows = None if given is None else _completed(mapping, given)
        # Rows are completed by those just read: nobody may have changed them since.
        read = None if given is None else mapping.version
        version = values.pop("version", read)
        change_mapping(mapping, actor_of(request), values, rows=rows, version=version)
        return self._current(mapping)

    @extend_schema(request=None, responses=serializers.MappingSerializer)
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let records flow."""
        mapping = self.get_object()
        active = set_active(mapping, actor_of(request), active=True)
        wake_workers()
        return self._current(active)

    @extend_schema(request=None, responses=serializers.MappingSerializer)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Stop sending; what is queued is left out when its turn comes."""
        mapping = self.get_object()
        return self._current(set_active(mapping, actor_of(request), active=False))

    @extend_schema(request=None, responses={202: serializers.MappingSerializer})
    @action(detail=True, methods=["post"])
    def pull(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Ask the CRM for changes at once, before their turn."""
        mapping = self.get_object()
        runs.pull_now(mapping, actor_of(request))
        wake_workers()
        return self._current(mapping, status=202)

    @extend_schema(request=None, responses=serializers.CountSerializer)
    @action(detail=True, methods=["post"])
    def count(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Count the records on both sides, and what the mapping's settings leave out.

        Asks the CRM and changes nothing.
        """
        mapping = self.get_object()
        told = Counted(selection_of(mapping), count_there(mapping))
        return Response(serializers.CountSerializer(told).data)

    def _current(self, mapping: ObjectMapping, *, status: int = 200) -> Response:
        return self.shown(self.get_queryset().get(pk=mapping.pk), status=status)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an outdated version with a 409."""
        if isinstance(exc, StaleMapping):
            exc = Conflict(str(exc), code="stale")
        return super().handle_exception(exc)


def _completed(
    mapping: ObjectMapping, given: Sequence[Mapping[str, Any]]
) -> list[RowValues]:
    """Return rows as given, and else as they are; one is known by its two fields."""
    stored = {(row.source, row.destination): row for row in mapping.rows.all()}
    completed = []
    for row in given:
        known = stored.get((row["source"], row["destination"]))
        before = row_values(known) if known else RowValues(row["source"], "")
        completed.append(replace(before, **row))
    return completed
