"""The API of where a record stands: in step with each CRM, under way, or why not."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crmsync.core.api.filters import refuse_unknown
from crmsync.core.roles import Can
from integrations.standing import standings
from leads.models import RecordType
from leads.services.fields import MODELS


class StandingSerializer(serializers.Serializer[object]):
    """A record under one mapping.

    `code` is for programs, `status` and `reason` are for people; `until`: when it
    passes by itself; `link_id`, `remote_id`: null and "" while it is not linked.
    """

    mapping_id = serializers.IntegerField(source="mapping.pk")
    connection_id = serializers.IntegerField(source="connection.pk")
    code = serializers.CharField(source="verdict.code")
    status = serializers.CharField(source="verdict.status")
    reason = serializers.CharField(source="verdict.reason")
    until = serializers.DateTimeField(source="verdict.until", allow_null=True)
    next_try_at = serializers.DateTimeField(allow_null=True)
    link_id = serializers.IntegerField(source="link.pk", default=None, allow_null=True)
    remote_id = serializers.CharField(source="link.remote_id", default="")
    remote_url = serializers.CharField()
    lost_owner = serializers.CharField(
        help_text="Its owner, where nobody there is known to be them."
    )


class StandingView(APIView):
    """Where a record of one type stands."""

    reads: ClassVar[Can] = Can.VIEW_RECORDS
    record_type: str = RecordType.LEAD

    @extend_schema(responses=StandingSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Show where a record stands with each CRM, and why it is not in step."""
        refuse_unknown(request, frozenset())
        if not MODELS[self.record_type].objects.filter(pk=pk).exists():
            raise NotFound
        found = standings(self.record_type, pk)
        return Response(StandingSerializer(found, many=True).data)
