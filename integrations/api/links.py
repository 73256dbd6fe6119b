"""The API of links: which record is which remote record, parted and joined."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from crmsync.core.api.base import ScopedViewSet, actor_of
from crmsync.core.api.filters import IdFilter
from crmsync.core.roles import Can
from integrations import standing
from integrations.api.steps import too_late_is_a_conflict, wake_workers
from integrations.models import Link, LinkAlias
from integrations.services import links
from leads.models import RecordType


class LinkFilters(filters.FilterSet):
    """Filters of links."""

    connection_id = IdFilter("connection_id")
    record_type = filters.ChoiceFilter(choices=RecordType.choices)
    record_id = IdFilter("record_id")
    remote_object = filters.CharFilter("remote_object")
    remote_id = filters.CharFilter(method="is_or_was")
    state = filters.ChoiceFilter(choices=Link.State.choices)

    class Meta:
        model = Link
        fields: tuple[str, ...] = ()

    def is_or_was(self, rows: QuerySet[Any], name: str, value: object) -> QuerySet[Any]:
        """Keep links that have a remote id, or had it before."""
        had = LinkAlias.objects.filter(link=OuterRef("pk"), remote_id=value)
        return rows.filter(Q(remote_id=value) | Exists(had))


class AliasSerializer(serializers.ModelSerializer[LinkAlias]):
    """A remote id that a linked record had before."""

    class Meta:
        model = LinkAlias
        fields = ("remote_object", "remote_id", "reason", "at")
        read_only_fields = fields


class LinkSerializer(serializers.ModelSerializer[Link]):
    """This record is that remote record; `aliases` are ids it had there before."""

    connection_id = serializers.IntegerField(read_only=True)
    remote_url = serializers.SerializerMethodField()
    aliases = AliasSerializer(many=True, read_only=True)

    class Meta:
        model = Link
        fields = (
            "id",
            "connection_id",
            "record_type",
            "record_id",
            "remote_object",
            "remote_id",
            "remote_url",
            "state",
            "found",
            "created_at",
            "pushed_at",
            "pulled_at",
            "gone_at",
            "aliases",
        )
        read_only_fields = fields

    def get_remote_url(self, link: Link) -> str:
        """Return the record's page in the CRM, "" where it has none."""
        return standing.remote_url(link.connection, link)


class LinkViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """Pairs of a record here and one in a CRM."""

    model = Link
    related = ("connection",)
    prefetched = ("aliases",)
    reads = Can.VIEW_SYNC
    writes: ClassVar[Can] = Can.RETRY_SYNC
    serializer_class = LinkSerializer
    filterset_class = LinkFilters

    @extend_schema(request=None, responses=LinkSerializer)
    @action(detail=True, methods=["post"])
    def unlink(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let the two go their own ways; neither is deleted, no value changes."""
        link = self.get_object()
        with too_late_is_a_conflict():
            links.unlink(link, actor_of(request))
        return self._current(link)

    @extend_schema(request=None, responses={202: LinkSerializer})
    @action(detail=True, methods=["post"])
    def relink(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Join an unlinked pair again and bring the two in step."""
        link = self.get_object()
        with too_late_is_a_conflict():
            links.relink(link, actor_of(request))
        wake_workers()
        return self._current(link, status=202)

    def _current(self, link: Link, *, status: int = 200) -> Response:
        return self.shown(self.get_queryset().get(pk=link.pk), status=status)
