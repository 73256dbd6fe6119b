"""What conflicts look like in the API, and how they are decided."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from crmsync.core.api.base import StrictSerializer
from integrations.models import Conflict, FieldMapping
from leads.models import RecordType
from leads.services.values import MAX_ID

# More than these are decided in several goes.
AT_ONCE = 500


class ConflictSerializer(serializers.ModelSerializer[Conflict]):
    """One field that both sides changed.

    `base_value`, `hub_value` and `crm_value` are each as the CRM writes it, null where
    there was none; `crm_as_ours` is the CRM's value as it would stand here.
    """

    mapping_id = serializers.IntegerField(read_only=True)
    connection_id = serializers.IntegerField(read_only=True)
    link_id = serializers.IntegerField(read_only=True)
    resolved_by_id = serializers.IntegerField(read_only=True, allow_null=True)
    rule = serializers.ChoiceField(choices=FieldMapping.Rule.choices, read_only=True)
    winner = serializers.ChoiceField(
        choices=[*Conflict.Winner.choices, ("", "Nobody yet")],
        allow_blank=True,
        read_only=True,
    )

    class Meta:
        model = Conflict
        fields = (
            "id",
            "mapping_id",
            "connection_id",
            "link_id",
            "record_type",
            "record_id",
            "field",
            "remote_field",
            "base_value",
            "hub_value",
            "crm_value",
            "crm_as_ours",
            "hub_at",
            "crm_at",
            "hub_by",
            "crm_by",
            "rule",
            "reason",
            "state",
            "winner",
            "resolved_by_id",
            "resolved_at",
            "created_at",
        )
        read_only_fields = fields


class DecisionBody(StrictSerializer):
    """Whose value counts; `always`: from now on for this field, which is a rule."""

    winner = serializers.ChoiceField(choices=Conflict.Winner.choices)
    always = serializers.BooleanField(required=False)


class DecisionsBody(StrictSerializer):
    """Whose value counts for `ids`, or for all that all of the filters leave."""

    winner = serializers.ChoiceField(choices=Conflict.Winner.choices)
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        required=False,
        max_length=AT_ONCE,
    )
    connection_id = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_ID
    )
    mapping_id = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    remote_field = serializers.CharField(required=False, max_length=100)
    record_type = serializers.ChoiceField(choices=RecordType.choices, required=False)
    record_id = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    all = serializers.BooleanField(
        required=False, help_text="Everything that is open, where nothing else is said."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse an empty choice: nobody decides everything by accident."""
        chosen = {name for name, value in attrs.items() if value is not False}
        if chosen == {"winner"}:
            raise serializers.ValidationError("Give ids, a filter, or all.")
        return attrs


class NotDecidedSerializer(serializers.Serializer[object]):
    """One conflict that stays open, and why."""

    id = serializers.IntegerField()
    detail = serializers.CharField()


class DecidedSerializer(serializers.Serializer[object]):
    """How many were settled, which were not, and how many are left for another go."""

    resolved = serializers.IntegerField()
    refused = NotDecidedSerializer(many=True)
    left = serializers.IntegerField()
