"""What records look like in the API, and what may be written of them."""

from __future__ import annotations

from typing import Any

from django.db.models import Field as ModelField
from rest_framework import serializers

from crmsync.core.api.base import StrictSerializer
from leads.models import (
    Activity,
    Company,
    CustomField,
    Deal,
    Lead,
    Pipeline,
    Stage,
)

# What all records have.
COMMON = ("custom", "version", "created_at", "updated_at")


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


def id_of(what: str) -> serializers.IntegerField:
    """Return a field that takes the id of another record, null for none."""
    return serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text=f"Id of the {what}."
    )


def shown_id() -> serializers.IntegerField:
    """Return a field that shows the id of another record."""
    return serializers.IntegerField(read_only=True, allow_null=True)


# --- leads ----------------------------------------------------------------------------


class LeadSerializer(serializers.ModelSerializer[Lead]):
    """A lead."""

    company_id = shown_id()
    owner_id = shown_id()
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
            *COMMON,
        )
        read_only_fields = fields


class LeadBody(RecordBody):
    """What may be written of a lead."""

    company_id = id_of("company")
    owner_id = id_of("member's person")
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
            *COMMON,
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

    lead_id = shown_id()
    company_id = shown_id()
    pipeline_id = shown_id()
    stage_id = shown_id()
    owner_id = shown_id()
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
            *COMMON,
        )
        read_only_fields = fields


class DealBody(RecordBody):
    """What may be written of a deal; a stage decides the pipeline."""

    lead_id = id_of("lead")
    company_id = id_of("company")
    pipeline_id = id_of("pipeline")
    stage_id = id_of("stage")
    owner_id = id_of("member's person")

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

    lead_id = shown_id()
    deal_id = shown_id()
    campaign_id = shown_id()
    conversation_id = shown_id()
    owner_id = shown_id()
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
            *COMMON,
        )
        read_only_fields = fields


class ActivityBody(RecordBody):
    """What may be written of an activity; messages come from webhooks alone."""

    lead_id = id_of("lead")
    deal_id = id_of("deal")
    campaign_id = id_of("campaign")
    owner_id = id_of("member's person")

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


# --- pipelines, custom fields ----------------------------------------------


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
