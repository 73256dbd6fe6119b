"""The API of records; every write goes through the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from crmsync.core.api.base import ScopedViewSet, actor_of, workspace_of
from crmsync.core.roles import Can
from leads.api import campaign_serializers, filters, serializers
from leads.api.base import RecordViewSet, as_detail
from leads.api.merges import MergeableViewSet
from leads.models import (
    Activity,
    Campaign,
    CampaignMember,
    Company,
    CustomField,
    Deal,
    Lead,
    Pipeline,
    RecordType,
)
from leads.services import customfields
from leads.services.errors import InvalidFields

V = TypeVar("V", bound=type[ScopedViewSet])


def _writes(body: type[Any], shown: type[Any]) -> Callable[[V], V]:
    """Describe the bodies of a record type's two writes."""
    return extend_schema_view(
        create=extend_schema(request=body, responses={201: shown}),
        partial_update=extend_schema(request=body, responses=shown),
    )


@_writes(serializers.LeadBody, serializers.LeadSerializer)
class LeadViewSet(MergeableViewSet):
    """People who may buy."""

    model = Lead
    record_type = RecordType.LEAD
    body = serializers.LeadBody
    serializer_class = serializers.LeadSerializer
    filterset_class = filters.LeadFilters


@_writes(serializers.CompanyBody, serializers.CompanySerializer)
class CompanyViewSet(MergeableViewSet):
    """Organisations people work for."""

    model = Company
    record_type = RecordType.COMPANY
    body = serializers.CompanyBody
    serializer_class = serializers.CompanySerializer
    filterset_class = filters.CompanyFilters


@_writes(serializers.DealBody, serializers.DealSerializer)
class DealViewSet(MergeableViewSet):
    """Possible sales."""

    model = Deal
    related = ("stage", "pipeline")
    record_type = RecordType.DEAL
    body = serializers.DealBody
    serializer_class = serializers.DealSerializer
    filterset_class = filters.DealFilters


@_writes(serializers.ActivityBody, serializers.ActivitySerializer)
class ActivityViewSet(RecordViewSet):
    """What happened with leads, and what is to be done."""

    model = Activity
    record_type = RecordType.ACTIVITY
    body = serializers.ActivityBody
    serializer_class = serializers.ActivitySerializer
    filterset_class = filters.ActivityFilters


@_writes(campaign_serializers.CampaignBody, campaign_serializers.CampaignSerializer)
class CampaignViewSet(RecordViewSet):
    """Outreach and marketing efforts."""

    model = Campaign
    record_type = RecordType.CAMPAIGN
    body = campaign_serializers.CampaignBody
    serializer_class = campaign_serializers.CampaignSerializer
    filterset_class = filters.CampaignFilters


@_writes(
    campaign_serializers.CampaignMemberBody,
    campaign_serializers.CampaignMemberSerializer,
)
class CampaignMemberViewSet(RecordViewSet):
    """Who is in which campaign, and how far they came."""

    model = CampaignMember
    record_type = RecordType.CAMPAIGN_MEMBER
    body = campaign_serializers.CampaignMemberBody
    serializer_class = campaign_serializers.CampaignMemberSerializer
    filterset_class = filters.CampaignMemberFilters


class PipelineViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """Ways deals go, with their stages."""

    model = Pipeline
    prefetched = ("stages",)
    serializer_class = serializers.PipelineSerializer


class CustomFieldViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """The workspace's own fields."""

    model = CustomField
    writes = Can.EDIT_MAPPINGS
    serializer_class = serializers.CustomFieldSerializer
    filterset_class = filters.CustomFieldFilters

    @extend_schema(
        request=serializers.CustomFieldBody,
        responses={201: serializers.CustomFieldSerializer},
    )
    def create(self, request: Request) -> Response:
        """Define a field."""
        field = customfields.define(
            workspace_of(request),
            actor_of(request),
            **self.checked(serializers.CustomFieldBody),
        )
        return self.shown(field, status=201)

    @extend_schema(
        request=serializers.CustomFieldChange,
        responses=serializers.CustomFieldSerializer,
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change label, options, description, or archive the field."""
        field, values = self.get_object(), self.checked(serializers.CustomFieldChange)
        return self.shown(customfields.change(field, actor_of(request), values))

    def handle_exception(self, exc: Exception) -> Response:
        """Answer what the services raise."""
        if isinstance(exc, InvalidFields):
            exc = ValidationError(as_detail(exc.fields))
        return super().handle_exception(exc)
