"""What mappings and their rows look like in the API, and what may be changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crmsync.core.api.base import StrictSerializer
from integrations.models import Conflict, Cursor, FieldMapping, ObjectMapping
from integrations.services.mappings import MOST_OVERLAP_S, SOONEST_PULL_S
from leads.models import Activity

_WEEK_S, _YEAR_H = 7 * 24 * 3600, 366 * 24


class FieldMappingSerializer(serializers.ModelSerializer[FieldMapping]):
    """One row: our field, theirs, what happens on the way, and who wins.

    `suspended_because`: why it is left out for now, "" while it is not.
    """

    values = serializers.DictField(child=serializers.CharField(), read_only=True)
    order = serializers.ListField(child=serializers.CharField(), read_only=True)
    tie = serializers.ChoiceField(choices=Conflict.Winner.choices, read_only=True)

    class Meta:
        model = FieldMapping
        fields = (
            "source",
            "destination",
            "transform",
            "values",
            "default",
            "clear_blanks",
            "backward",
            "direction",
            "rule",
            "first",
            "tie",
            "order",
            "active",
            "suspended_because",
        )
        read_only_fields = fields


class MappingSerializer(serializers.ModelSerializer[ObjectMapping]):
    """How a record type and a remote object correspond."""

    connection_id = serializers.IntegerField(read_only=True)
    only_kinds = serializers.ListField(child=serializers.CharField(), read_only=True)
    rows = FieldMappingSerializer(many=True, read_only=True)
    last_pull_at = serializers.SerializerMethodField()
    last_compared_at = serializers.SerializerMethodField()

    class Meta:
        model = ObjectMapping
        fields = (
            "id",
            "connection_id",
            "record_type",
            "remote_object",
            "direction",
            "mode",
            "schedule",
            "next_batch_at",
            "active",
            "creates",
            "deletes",
            "clear_ties",
            "pull_every_s",
            "overlap_s",
            "fast_pull_until",
            "last_pull_at",
            "reconcile_every_h",
            "last_compared_at",
            "match_field",
            "engaged_only",
            "only_kinds",
            "version",
            "rows",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_last_pull_at(self, mapping: ObjectMapping) -> datetime | None:
        """Return when changes were last read to the end, null before the first time."""
        cursor = _cursor(mapping)
        return cursor.read_at if cursor else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_last_compared_at(self, mapping: ObjectMapping) -> datetime | None:
        """Return when everything was last compared, null before the first time."""
        cursor = _cursor(mapping)
        return cursor.swept_at if cursor else None


def _cursor(mapping: ObjectMapping) -> Cursor | None:
    return getattr(mapping, "cursor", None)


class RowBody(StrictSerializer):
    """A field mapping as it should be; what is left out stays as it was.

    `first`: what happens when two records with different values meet first; `tie`: who
    wins where time does not decide; `order`: the CRM's values, the later one wins, for
    the rules "forward" and "restrictive".
    """

    source = serializers.CharField(max_length=80)  # type: ignore[assignment]
    destination = serializers.CharField(max_length=100)
    transform = serializers.CharField(max_length=20, required=False, allow_blank=True)
    values = serializers.DictField(
        child=serializers.CharField(max_length=200), required=False
    )
    default = serializers.CharField(max_length=200, required=False, allow_blank=True)
    clear_blanks = serializers.BooleanField(required=False)
    backward = serializers.BooleanField(
        required=False,
        help_text="Put a stage back that only moves forward there by itself.",
    )
    direction = serializers.ChoiceField(
        choices=FieldMapping.Direction.choices, required=False
    )
    rule = serializers.ChoiceField(choices=FieldMapping.Rule.choices, required=False)
    first = serializers.ChoiceField(choices=FieldMapping.First.choices, required=False)
    tie = serializers.ChoiceField(choices=Conflict.Winner.choices, required=False)
    order = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=500
    )
    active = serializers.BooleanField(required=False)
    suspended_because = serializers.CharField(read_only=True)


class MappingBody(StrictSerializer):
    """What may change of a mapping; `rows` replaces all rows."""

    direction = serializers.ChoiceField(
        choices=ObjectMapping.Direction.choices, required=False
    )
    mode = serializers.ChoiceField(choices=ObjectMapping.Mode.choices, required=False)
    schedule = serializers.CharField(
        max_length=100,
        required=False,
        help_text="For batches: hourly, daily 06:30 (in the workspace's zone), or a "
        "cron line.",
    )
    creates = serializers.BooleanField(
        required=False, help_text="Off: records are matched and never made there."
    )
    deletes = serializers.ChoiceField(
        choices=ObjectMapping.Deletes.choices, required=False
    )
    clear_ties = serializers.BooleanField(
        required=False,
        help_text="What a lead or deal belongs to is emptied where it was taken away "
        "on the other side.",
    )
    pull_every_s = serializers.IntegerField(
        required=False, min_value=SOONEST_PULL_S, max_value=_WEEK_S
    )
    overlap_s = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_OVERLAP_S,
        help_text="How far a poll reads back, for what becomes visible late there.",
    )
    reconcile_every_h = serializers.IntegerField(
        required=False, min_value=1, max_value=_YEAR_H
    )
    match_field = serializers.CharField(max_length=60, required=False, allow_blank=True)
    engaged_only = serializers.BooleanField(required=False)
    only_kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=Activity.Kind.choices), required=False
    )
    rows = RowBody(many=True, required=False)
    version = serializers.IntegerField(required=False, min_value=1)


class LimitSerializer(serializers.Serializer[Any]):
    """A setting that leaves records out, and how many."""

    text = serializers.CharField()
    count = serializers.IntegerField()


class HereSerializer(serializers.Serializer[Any]):
    """Our records of the type."""

    total = serializers.IntegerField()
    selected = serializers.IntegerField(help_text="What the mapping would send.")
    linked = serializers.IntegerField(help_text="What is in the CRM already.")
    limits = LimitSerializer(many=True)


class ThereSerializer(serializers.Serializer[Any]):
    """The CRM's records of the object."""

    count = serializers.IntegerField(
        allow_null=True, help_text="null where the CRM does not tell."
    )
    trouble = serializers.CharField(help_text="Why it could not be asked.")


class CountSerializer(serializers.Serializer[Any]):
    """How many records there are on both sides of a mapping."""

    here = HereSerializer()
    there = ThereSerializer()
