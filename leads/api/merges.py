"""Merging records through the API, and taking a merge back."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from crmsync.core.api.base import ScopedViewSet, StrictSerializer, workspace_of
from crmsync.core.api.errors import Conflict
from crmsync.core.roles import Can
from leads.api.base import RecordViewSet, origin_of
from leads.models import Merge
from leads.services import merging, unmerging
from leads.services.unmerging import CannotUndo
from leads.services.values import MAX_ID


class MergeBody(StrictSerializer):
    """Which record stays, and which becomes part of it."""

    winner_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    loser_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)


class MergeSerializer(serializers.ModelSerializer[Merge]):
    """A merge; what it keeps of the loser is not shown."""

    class Meta:
        model = Merge
        fields = (
            "id",
            "record_type",
            "winner_id",
            "loser_id",
            "origin_kind",
            "origin_label",
            "at",
            "undone_at",
        )
        read_only_fields = fields


class MergeableViewSet(RecordViewSet):
    """Records of which two can be made one."""

    needs: ClassVar = {**RecordViewSet.needs, "merge": Can.DELETE_RECORDS}

    @extend_schema(request=MergeBody, responses={201: MergeSerializer}, filters=False)
    @action(detail=False, methods=["post"])
    def merge(self, request: Request) -> Response:
        """Move all that belongs to the loser to the winner, and remove the loser.

        The winner keeps what it has; its blanks take the loser's values. Can be undone
        for 30 days.
        """
        values = self.checked(MergeBody)
        made = merging.merge(
            workspace_of(request),
            self.record_type,
            winner_id=values["winner_id"],
            loser_id=values["loser_id"],
            origin=origin_of(request),
        )
        return Response(MergeSerializer(made).data, status=201)


class MergeViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """Records that became one."""

    model = Merge
    writes = Can.DELETE_RECORDS
    serializer_class = MergeSerializer

    @extend_schema(request=None, responses=MergeSerializer)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Part the two records again; 409 where that would lose a newer change."""
        try:
            row = unmerging.undo(self.get_object(), origin=origin_of(request))
        except CannotUndo as error:
            raise Conflict(str(error), code="cannot_undo") from error
        return self.shown(row)
