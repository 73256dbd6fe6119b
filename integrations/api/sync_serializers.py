"""What outbox rows, the journal and a lead's story look like in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from crmsync.core.api.base import StrictSerializer
from crmsync.core.models.work import State
from integrations import sentences
from integrations.lookalikes import Side
from integrations.models import KeptApart, SyncEntry
from integrations.selectors import Row
from leads.models import RecordType


class RowSerializer(serializers.Serializer[Row]):
    """One outbox row: a record that must reach a connection, and how that stands."""

    id = serializers.IntegerField(source="item.pk")
    kind = serializers.CharField(source="item.kind")
    state = serializers.ChoiceField(source="item.state", choices=State.choices)
    record_type = serializers.ChoiceField(
        choices=[*RecordType.choices, ("", "None")], allow_blank=True
    )
    record_id = serializers.IntegerField(allow_null=True)
    record = serializers.CharField(source="record_label")
    remote_id = serializers.CharField()
    connection_id = serializers.IntegerField(source="connection.pk", default=None)
    mapping_id = serializers.IntegerField(source="mapping.pk", default=None)
    run_id = serializers.IntegerField(source="item.run", allow_null=True)
    attempts = serializers.IntegerField(source="item.attempts")
    next_try_at = serializers.DateTimeField(source="item.not_before")
    waits_for = serializers.CharField(source="item.waits_for")
    error_class = serializers.CharField(source="item.error_class")
    error_code = serializers.CharField(source="item.error_code")
    error_field = serializers.CharField(source="item.error_field")
    error = serializers.CharField(source="item.error")
    failed_at = serializers.DateTimeField(source="item.failed_at", allow_null=True)
    trace_id = serializers.CharField(source="item.trace_id")
    created_at = serializers.DateTimeField(source="item.created_at")
    updated_at = serializers.DateTimeField(source="item.updated_at")
    finished_at = serializers.DateTimeField(source="item.finished_at", allow_null=True)


class FactSerializer(serializers.Serializer[object]):
    """One value; `same` where the record it is compared with has it, too."""

    name = serializers.CharField(source="label")
    value = serializers.CharField()
    same = serializers.BooleanField()


class SideSerializer(serializers.Serializer[object]):
    """One record of a comparison; `trouble` says why its values are not known."""

    name = serializers.CharField(source="label")
    place = serializers.CharField()
    url = serializers.CharField()
    remote_url = serializers.CharField()
    linked = serializers.CharField()
    trouble = serializers.CharField()
    facts = FactSerializer(many=True)


class CandidateSerializer(SideSerializer):
    """A record it may be; `key` names it in a decision, `can` says which there are."""

    key = serializers.CharField(source="candidate.key")
    record_id = serializers.IntegerField(source="candidate.record_id", allow_null=True)
    remote_object = serializers.CharField(source="candidate.remote_object")
    remote_id = serializers.CharField(source="candidate.remote_id")
    can = serializers.SerializerMethodField()

    def get_can(self, side: Side) -> list[str]:
        """Return the decisions there are about it."""
        return sorted(side.candidate.can) if side.candidate else []


class ComparisonSerializer(serializers.Serializer[object]):
    """A held record beside those it may be."""

    subject = SideSerializer()
    candidates = CandidateSerializer(source="others", many=True)


class PairingBody(StrictSerializer):
    """Who it is: `link` or `merge` with a candidate, or `apart` from all of them."""

    choice = serializers.ChoiceField(choices=["link", "merge", "apart"])
    candidate = serializers.CharField(required=False, max_length=200)


class AwaitedSerializer(serializers.Serializer[object]):
    """The record a row waits for; `state` says how it stands, in words."""

    mapping_id = serializers.IntegerField(source="mapping.pk")
    record_type = serializers.CharField(source="mapping.record_type")
    record_id = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.CharField()
    can_create = serializers.BooleanField()
    row_id = serializers.IntegerField(source="item.pk", default=None)


class KeptApartSerializer(serializers.ModelSerializer[KeptApart]):
    """A record and a remote one that look alike and are two: a person said so."""

    connection_id = serializers.IntegerField(read_only=True)
    decided_by_id = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = KeptApart
        fields: tuple[str, ...] = (
            "id",
            "connection_id",
            "record_type",
            "record_id",
            "remote_object",
            "remote_id",
            "field",
            "decided_by_id",
            "at",
        )
        read_only_fields = fields


class RetryBody(StrictSerializer):
    """Which rows to try again: `ids`, or what all of the filters leave."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        max_length=1000,
    )
    connection_id = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1
    )
    mapping_id = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1
    )
    run_id = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    error_class = serializers.CharField(required=False, max_length=20)
    all = serializers.BooleanField(
        required=False, help_text="Everything that failed, where nothing else is said."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse an empty choice: nobody retries everything by accident."""
        if not attrs or attrs == {"all": False}:
            raise serializers.ValidationError("Give ids, a filter, or all.")
        return attrs


class SendBody(StrictSerializer):
    """Which record is to be sent."""

    record_type = serializers.ChoiceField(choices=RecordType.choices)
    record_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class SentSerializer(serializers.Serializer[object]):
    """Under how many mappings the record is being sent."""

    mappings = serializers.IntegerField()


class RetriedSerializer(serializers.Serializer[object]):
    """How many rows were asked for again."""

    retried = serializers.IntegerField()


class SyncEntrySerializer(serializers.ModelSerializer[SyncEntry]):
    """One try of one record, and how it ended."""

    connection_id = serializers.IntegerField(read_only=True)
    mapping_id = serializers.IntegerField(read_only=True, allow_null=True)
    run_id = serializers.IntegerField(read_only=True, allow_null=True)
    fields_sent = serializers.ListField(
        source="fields", child=serializers.CharField(), read_only=True
    )
    message = serializers.SerializerMethodField()
    answer = serializers.SerializerMethodField(
        help_text="What the CRM said, word for word."
    )

    class Meta:
        model = SyncEntry
        fields: tuple[str, ...] = (
            "id",
            "connection_id",
            "mapping_id",
            "run_id",
            "record_type",
            "record_id",
            "remote_object",
            "remote_id",
            "direction",
            "outcome",
            "fields_sent",
            "error_class",
            "message",
            "answer",
            "trace_id",
            "at",
        )
        read_only_fields = fields

    def get_message(self, entry: SyncEntry) -> str:
        """Return what happened, in words."""
        return sentences.plain(entry.message).sentence

    def get_answer(self, entry: SyncEntry) -> str:
        """Return the raw answer behind it, "" where there was no more."""
        return sentences.plain(entry.message).answer


class TimelineEntrySerializer(serializers.Serializer[object]):
    """One thing that happened with a lead, newest first."""

    at = serializers.DateTimeField()
    kind = serializers.CharField()
    title = serializers.CharField()
    detail = serializers.CharField()
    url = serializers.CharField()
    actor = serializers.CharField()
    status = serializers.CharField()
    record_type = serializers.CharField()
    record_id = serializers.IntegerField(allow_null=True)
    trace_id = serializers.CharField()
    answer = serializers.CharField()
