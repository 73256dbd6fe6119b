"""What freshness looks like in the API: how far behind each side of a sync may be."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crmsync.core.models import Channel
from integrations.connectors.daily import Forecast
from integrations.freshness import Freshness, Hold, MappingFreshness
from integrations.outcomes import Drift


class BudgetSerializer(serializers.Serializer[Forecast]):
    """A CRM's budget of calls a day. `runs_out_at`: null where it will do."""

    used = serializers.IntegerField()
    limit = serializers.IntegerField()
    share = serializers.FloatField()
    batch_stops = serializers.BooleanField()
    runs_out_at = serializers.DateTimeField(allow_null=True)


class HoldSerializer(serializers.Serializer[Hold]):
    """Why nothing, or only the urgent, leaves just now."""

    text = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class DriftSerializer(serializers.Serializer[Drift]):
    """What the last audit found. `needs_person`: too much to be mended unasked."""

    checked = serializers.IntegerField()
    drifted = serializers.IntegerField()
    needs_person = serializers.BooleanField()


class MappingFreshnessSerializer(serializers.Serializer[MappingFreshness]):
    """One mapping. `put_aside`: changes that wait for a batch, or to be asked for."""

    mapping_id = serializers.IntegerField(source="mapping.pk")
    waiting = serializers.IntegerField(source="waiting.count")
    put_aside = serializers.IntegerField(source="waiting.aside")
    oldest_unsynced_at = serializers.DateTimeField(
        source="waiting.oldest_at", allow_null=True
    )
    last_pull_at = serializers.DateTimeField(source="read_at", allow_null=True)
    next_pull_at = serializers.DateTimeField(source="next_read_at", allow_null=True)
    last_compared_at = serializers.DateTimeField(source="swept_at", allow_null=True)
    drift = DriftSerializer(allow_null=True)


class FreshnessSerializer(serializers.Serializer[Freshness]):
    """How far behind a connection is.

    `oldest_unsynced_s`: the age of the oldest change that should have left, null where
    none waits; `last_pull_at`: of the mapping that was read longest ago;
    `hidden_records`: linked records that the CRM neither shows us nor names as deleted.
    """

    oldest_unsynced_at = serializers.DateTimeField(source="oldest_at", allow_null=True)
    oldest_unsynced_s = serializers.SerializerMethodField()
    last_pull_at = serializers.DateTimeField(source="read_at", allow_null=True)
    open_conflicts = serializers.IntegerField(source="conflicts")
    hidden_records = serializers.IntegerField(source="hidden")
    runs = serializers.SerializerMethodField()
    breaker = serializers.SerializerMethodField()
    breaker_until = serializers.SerializerMethodField()
    budget = BudgetSerializer(allow_null=True)
    hold = HoldSerializer(allow_null=True)
    mappings = MappingFreshnessSerializer(many=True)

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_oldest_unsynced_s(self, fresh: Freshness) -> float | None:
        """Return the age of the oldest change that waits."""
        if fresh.oldest_at is None:
            return None
        return max((timezone.now() - fresh.oldest_at).total_seconds(), 0.0)

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_runs(self, fresh: Freshness) -> list[int]:
        """Return the ids of the runs that are not over, the newest first."""
        return [run.pk for run in fresh.runs]

    @extend_schema_field(serializers.ChoiceField(choices=Channel.Breaker.choices))
    def get_breaker(self, fresh: Freshness) -> str:
        """Return whether calls are made at all."""
        channel = fresh.connection.channel
        return channel.breaker if channel else Channel.Breaker.CLOSED

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_breaker_until(self, fresh: Freshness) -> object:
        """Return when one call is tried again, null while the breaker is closed."""
        channel = fresh.connection.channel
        return channel.breaker_until if channel else None
