"""What runs look like in the API, and how one is asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crmsync.core.api.base import StrictSerializer
from integrations import progress
from integrations.api.sync_serializers import SyncEntrySerializer
from integrations.models import Run, SyncEntry
from integrations.services.runs import ASKABLE
from leads.models import Activity, Lead
from leads.services.values import MAX_ID

COUNTERS = (
    "created",
    "updated",
    "cleared",
    "created_here",
    "updated_here",
    "cleared_here",
    "linked",
    "unchanged",
    "excluded",
    "held",
    "deleted",
    "failed",
)


class MassChangeSerializer(StrictSerializer):
    """A change of very many records, and of how many."""

    change = serializers.ChoiceField(choices=Run.MassChange.choices)
    count = serializers.IntegerField()


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run: how far it is, how fast, how long still, and what it did.

    `counts` ending in `_here` are about our records, the others about the CRM's. A dry
    run counts what it would do; audits and reverts have counts of their own.
    """

    mapping_id = serializers.IntegerField(read_only=True)
    connection_id = serializers.IntegerField(read_only=True)
    asked_by_id = serializers.IntegerField(read_only=True, allow_null=True)
    phase = serializers.SerializerMethodField()
    settled = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField()
    rate_per_s = serializers.SerializerMethodField()
    seconds_left = serializers.SerializerMethodField()
    needs_person = serializers.SerializerMethodField()
    to_approve = serializers.SerializerMethodField()
    steps = serializers.SerializerMethodField()
    revertible = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields: tuple[str, ...] = (
            "id",
            "mapping_id",
            "connection_id",
            "kind",
            "direction",
            "state",
            "phase",
            "settled",
            "total",
            "counts",
            "rate_per_s",
            "seconds_left",
            "message",
            "needs_person",
            "to_approve",
            "approved",
            "steps",
            "revertible",
            "asked_by_id",
            "created_at",
            "started_at",
            "progress_at",
            "finished_at",
        )
        read_only_fields = fields

    def get_phase(self, run: Run) -> str:
        """Return what it is at, in words; "" once it is over."""
        return progress.phase_of(run)

    def get_settled(self, run: Run) -> int:
        """Return how many records are settled one way or another."""
        return _progress(run).done

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_total(self, run: Run) -> int | None:
        """Return how many records it is about, null while that is unknown."""
        return _progress(run).total

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_counts(self, run: Run) -> dict[str, int]:
        """Return what it did, or a dry run would do."""
        columns = {name: getattr(run, name) for name in COUNTERS}
        return {**columns, **progress.counted(run)}

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_rate_per_s(self, run: Run) -> float | None:
        """Return how many records it settles a second, null while none is."""
        return _progress(run).rate_per_s

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_seconds_left(self, run: Run) -> float | None:
        """Return how long it still takes at this rate, null where nobody knows."""
        return _progress(run).left_s

    def get_needs_person(self, run: Run) -> bool:
        """Tell whether an audit found more than is mended unasked."""
        return bool(run.cursor.get("needs_person"))

    @extend_schema_field(MassChangeSerializer(allow_null=True))
    def get_to_approve(self, run: Run) -> dict[str, object] | None:
        """Return the change it was stopped before, null unless it waits for a word."""
        if run.state != Run.State.STOPPED or run.mass_count is None:
            return None
        return {"change": run.mass_change, "count": run.mass_count}

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_steps(self, run: Run) -> list[str]:
        """Return how it can be steered now: pause, resume, approve, cancel."""
        return progress.steps_of(run)

    def get_revertible(self, run: Run) -> bool:
        """Tell whether it is of a kind, and at a point, that can be taken back."""
        return progress.is_revertible(run)


def _progress(run: Run, now: datetime | None = None) -> progress.Progress:
    return progress.progress_of(run, now or timezone.now())


class RunDetailSerializer(RunSerializer):
    """A run with what was asked for and its samples.

    A sample of a dry run says what would change `there` (in the CRM) and `here`, field
    by field as [before, after]; of an audit, what each side has; of a stopped run, what
    it was about to do.
    """

    samples = serializers.ListField(child=serializers.DictField(), read_only=True)
    options = serializers.DictField(read_only=True)

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "options", "samples")
        read_only_fields = fields


class RunEntrySerializer(SyncEntrySerializer):
    """One record of a run. `changed`: field -> [before, after] on the side written."""

    changed = serializers.DictField(
        source="undo", child=serializers.ListField(), read_only=True
    )

    class Meta(SyncEntrySerializer.Meta):
        model = SyncEntry
        fields = (*SyncEntrySerializer.Meta.fields, "changed")
        read_only_fields = fields


# --- asking for one -------------------------------------------------------------------


class FilterBody(StrictSerializer):
    """Which records a manual sync is about; all of what is given must fit."""

    status = serializers.ChoiceField(choices=Lead.Status.choices, required=False)
    kind = serializers.ChoiceField(choices=Activity.Kind.choices, required=False)
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=60, required=False
    )
    owner_id = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)
    created_since = serializers.DateTimeField(required=False)


class StartBody(StrictSerializer):
    """A run to be started; only a manual sync takes `ids` or a `filter`."""

    mapping_id = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    kind = serializers.ChoiceField(choices=[(one.value, one.label) for one in ASKABLE])
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID),
        required=False,
        allow_empty=False,
    )
    filter = FilterBody(required=False, help_text="Empty: all records of the type.")
    run_id = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_ID, help_text="The run to revert."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what does not go with the kind: nobody sends all by accident."""
        given = [name for name in ("ids", "filter") if name in attrs]
        if attrs["kind"] == Run.Kind.MANUAL:
            if len(given) != 1:
                told = "Give ids, or a filter; an empty filter means all records."
                raise serializers.ValidationError({"ids": [told]})
        elif given:
            told = "Only a manual sync is about chosen records."
            raise serializers.ValidationError({given[0]: [told]})
        if ("run_id" in attrs) != (attrs["kind"] == Run.Kind.REVERT):
            told = "Say which run to revert, and only for a revert."
            raise serializers.ValidationError({"run_id": [told]})
        return attrs
