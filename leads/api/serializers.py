"""What records look like in the API, and what may be written of them."""

from __future__ import annotations

from typing import Any

from django.db.models import Field as ModelField
from rest_framework import serializers

from crmsync.core.api.base import StrictSerializer
from leads.models import (
    Activity,
    Campaign,
    CampaignMember,
    Company,
    CustomField,
    Deal,
    Lead,
    Pipeline,
    Stage,
)

_COMMON = ("custom", "version", "created_at", "updated_at")


class RecordBody(StrictSerializer, serializers.ModelSerializer[Any]):
    """What may be written: every field may be absent (unchanged) or null (clear).

    Types and lengths are checked here, what they mean in `leads.services`.
    """

    custom = serializers.DictField(required=False, help_text="Field name to value.")
    version = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text="The version you have read; a newer one here is a 409.",
    )

    def build_standard_field(
        self, field_name: str, model_field: ModelField[Any, Any]
    ) -> tuple[type[serializers.Field[Any, Any, Any, Any]], dict[str, Any]]:
        """Return the field, neither required nor defaulted."""
        kind, options = super().build_standard_field(field_name, model_field)
        options |= {"required": False, "allow_null": True}
        options.pop("validators", None)
        return kind, options


def _id(what: str) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text=f"Id of the {what}."
    )


def _shown_id() -> serializers.IntegerField:
    return serializers.IntegerField(read_only=True, allow_null=True)


# --- leads ----------------------------------------------------------------------------


class LeadSerializer(serializers.ModelSerializer[Lead]):
    """A lead."""

    company_id = _shown_id()
    owner_id = _shown_id()
    linkedin_url = serializers.CharField(read_only=True)
    custom = serializers.DictField(read_only=True)

    class Meta:
        model = Lead
        fields = (
            "id",
            "email",
            "first_name",
            "last_name",
            "phone",
            "linkedin_id",
            "linkedin_url",
            "job_title",
            "company_id",
            "company_name",
            "city",
            "country",
            "status",
            "score",
            "owner_id",
            "source",
            "last_reply_at",
            "last_activity_at",
            *_COMMON,
        )
        read_only_fields = fields


class LeadBody(RecordBody):
    """What may be written of a lead."""

    company_id = _id("company")
    owner_id = _id("member's person")
    linkedin_id = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=500,
        help_text="The profile's address or its public id.",
    )

    class Meta:
        model = Lead
        fields = (
            "email",
            "first_name",
            "last_name",
            "phone",
            "linkedin_id",
            "job_title",
            "company_id",
            "company_name",
            "city",
            "country",
            "status",
            "owner_id",
            "source",
            "custom",
            "version",
        )


# --- companies ------------------------------------------------------------------------


class CompanySerializer(serializers.ModelSerializer[Company]):
    """A company."""

    custom = serializers.DictField(read_only=True)

    class Meta:
        model = Company
        fields = (
            "id",
            "name",
            "domain",
            "phone",
            "industry",
            "city",
            "country",
            "employees",
            *_COMMON,
        )
        read_only_fields = fields


class CompanyBody(RecordBody):
    """What may be written of a company."""

    class Meta:
        model = Company
        fields = (
            "name",
            "domain",
            "phone",
            "industry",
            "city",
            "country",
            "employees",
            "custom",
            "version",
        )


# --- deals ----------------------------------------------------------------------------


class DealSerializer(serializers.ModelSerializer[Deal]):
    """A deal, with the names of its stage and pipeline."""

    lead_id = _shown_id()
    company_id = _shown_id()
    pipeline_id = _shown_id()
    stage_id = _shown_id()
    owner_id = _shown_id()
    stage = serializers.CharField(source="stage.name", read_only=True)
    pipeline = serializers.CharField(source="pipeline.name", read_only=True)
    outcome = serializers.CharField(source="stage.outcome", read_only=True)
    custom = serializers.DictField(read_only=True)

    class Meta:
        model = Deal
        fields = (
            "id",
            "name",
            "lead_id",
            "company_id",
            "pipeline_id",
            "pipeline",
            "stage_id",
            "stage",
            "outcome",
            "amount",
            "currency",
            "close_date",
            "owner_id",
            "source",
            *_COMMON,
        )
        read_only_fields = fields


class DealBody(RecordBody):
    """What may be written of a deal; a stage decides the pipeline."""

    lead_id = _id("lead")
    company_id = _id("company")
    pipeline_id = _id("pipeline")
    stage_id = _id("stage")
    owner_id = _id("member's person")

    class Meta:
        model = Deal
        fields = (
            "name",
            "lead_id",
            "company_id",
            "pipeline_id",
            "stage_id",
            "amount",
            "currency",
            "close_date",
            "owner_id",
            "source",
            "custom",
            "version",
        )


# --- activities -----------------------------------------------------------------------


class ActivitySerializer(serializers.ModelSerializer[Activity]):
    """An activity."""

    lead_id = _shown_id()
    deal_id = _shown_id()
    campaign_id = _shown_id()
    conversation_id = _shown_id()
    owner_id = _shown_id()
    custom = serializers.DictField(read_only=True)

    class Meta:
        model = Activity
        fields = (
            "id",
            "kind",
            "direction",
            "lead_id",
            "deal_id",
            "campaign_id",
            "conversation_id",
            "channel",
            "subject",
            "body",
            "occurred_at",
            "due_at",
            "done_at",
            "owner_id",
            "source",
            "external_id",
            *_COMMON,
        )
        read_only_fields = fields


class ActivityBody(RecordBody):
    """What may be written of an activity; messages come from webhooks alone."""

    lead_id = _id("lead")
    deal_id = _id("deal")
    campaign_id = _id("campaign")
    owner_id = _id("member's person")

    class Meta:
        model = Activity
        fields = (
            "kind",
            "direction",
            "lead_id",
            "deal_id",
            "campaign_id",
            "channel",
            "subject",
            "body",
            "occurred_at",
            "due_at",
            "done_at",
            "owner_id",
            "source",
            "external_id",
            "custom",
            "version",
        )


# --- campaigns, pipelines, custom fields ----------------------------------------------


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    """A campaign."""

    custom = serializers.DictField(read_only=True)

    class Meta:
        model = Campaign
        fields = ("id", "name", "source", "external_id", *_COMMON)
        read_only_fields = fields


class CampaignBody(RecordBody):
    """What may be written of a campaign."""

    class Meta:
        model = Campaign
        fields = ("name", "source", "external_id", "custom", "version")


class CampaignMemberSerializer(serializers.ModelSerializer[CampaignMember]):
    """A lead in a campaign, since `created_at`."""

    lead_id = _shown_id()
    campaign_id = _shown_id()
    custom = serializers.DictField(read_only=True)

    class Meta:
        model = CampaignMember
        fields = ("id", "lead_id", "campaign_id", "status", *_COMMON)
        read_only_fields = fields


class CampaignMemberBody(RecordBody):
    """What may be written of a membership; of which two it is stays."""

    lead_id = _id("lead")
    campaign_id = _id("campaign")

    class Meta:
        model = CampaignMember
        fields = ("lead_id", "campaign_id", "status", "custom", "version")


class StageSerializer(serializers.ModelSerializer[Stage]):
    """A step of a pipeline."""

    class Meta:
        model = Stage
        fields = ("id", "name", "position", "outcome")
        read_only_fields = fields


class PipelineSerializer(serializers.ModelSerializer[Pipeline]):
    """A pipeline with its stages in order."""

    stages = StageSerializer(many=True, read_only=True)

    class Meta:
        model = Pipeline
        fields = ("id", "name", "is_default", "stages")
        read_only_fields = fields


class OptionSerializer(serializers.Serializer[object]):
    """One choice of a list field."""

    value = serializers.CharField(max_length=100)
    label = serializers.CharField(  # type: ignore[assignment]
        max_length=100, required=False, allow_blank=True
    )


class CustomFieldSerializer(serializers.ModelSerializer[CustomField]):
    """A field the workspace defined."""

    options = OptionSerializer(many=True, read_only=True)

    class Meta:
        model = CustomField
        fields = (
            "id",
            "record_type",
            "name",
            "label",
            "type",
            "options",
            "description",
            "archived",
        )
        read_only_fields = fields


class CustomFieldBody(StrictSerializer, serializers.ModelSerializer[CustomField]):
    """A field to be defined."""

    options = OptionSerializer(many=True, required=False)

    class Meta:
        model = CustomField
        fields = ("record_type", "name", "label", "type", "options", "description")


class CustomFieldChange(StrictSerializer, serializers.ModelSerializer[CustomField]):
    """What may change of a field: its values stay readable."""

    label = serializers.CharField(  # type: ignore[assignment]
        required=False, max_length=100
    )
    options = OptionSerializer(many=True, required=False)
    archived = serializers.BooleanField(required=False)

    class Meta:
        model = CustomField
        fields = ("label", "options", "description", "archived")
