"""What lists of connections, deliveries and syncs can be filtered by."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters

from crmsync.core.api.filters import IdFilter, MomentFilter
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.models import Connection, Delivery, ObjectMapping, SyncEntry
from integrations.selectors import FETCH, PULL, PUSH, failing_items
from leads.models import RecordType

_NONE: tuple[str, ...] = ()


def of_mapping(mapping_id: object) -> Q:
    """Return what the work of one object mapping is: out, in, and its polls."""
    records = Q(kind__in=[PUSH, FETCH], group=str(mapping_id))
    return records | Q(kind=PULL, key=str(mapping_id))


class ConnectionFilters(filters.FilterSet):
    """Filters of connections."""

    vendor = filters.CharFilter("vendor")
    status = filters.ChoiceFilter(choices=Connection.Status.choices)

    class Meta:
        model = Connection
        fields = _NONE


class MappingFilters(filters.FilterSet):
    """Filters of mappings."""

    connection_id = IdFilter("connection_id")
    record_type = filters.ChoiceFilter(choices=RecordType.choices)
    active = filters.BooleanFilter("active")

    class Meta:
        model = ObjectMapping
        fields = _NONE


class DeliveryFilters(filters.FilterSet):
    """Filters of deliveries."""

    endpoint_id = IdFilter("endpoint_id")
    state = filters.ChoiceFilter(choices=Delivery.State.choices)
    trace_id = filters.CharFilter("trace_id")
    received_after = MomentFilter("received_at", "gte")
    received_before = MomentFilter("received_at", "lt")

    class Meta:
        model = Delivery
        fields = _NONE


class RowFilters(filters.FilterSet):
    """Filters of outbox rows."""

    state = filters.ChoiceFilter(choices=State.choices)
    kind = filters.CharFilter("kind")
    failing = filters.BooleanFilter(method="is_failing")
    connection_id = IdFilter("channel__connection")
    mapping_id = IdFilter(method="of_mapping")
    run_id = IdFilter("run")
    error_class = filters.CharFilter("error_class")
    trace_id = filters.CharFilter("trace_id")

    class Meta:
        model = WorkItem
        fields = _NONE

    def is_failing(
        self, rows: QuerySet[Any], name: str, value: object
    ) -> QuerySet[Any]:
        """Keep what failed and is not done, or the rest."""
        failing = Q(pk__in=failing_items().order_by().values("pk"))
        return rows.filter(failing if value else ~failing)

    def of_mapping(
        self, rows: QuerySet[Any], name: str, value: object
    ) -> QuerySet[Any]:
        """Keep the rows of one object mapping."""
        return rows.filter(of_mapping(value))


class EntryFilters(filters.FilterSet):
    """Filters of the journal."""

    connection_id = IdFilter("connection_id")
    mapping_id = IdFilter("mapping_id")
    run_id = IdFilter("run_id")
    record_type = filters.ChoiceFilter(choices=RecordType.choices)
    record_id = IdFilter("record_id")
    direction = filters.ChoiceFilter(choices=[("push", "Out"), ("pull", "In")])
    outcome = filters.ChoiceFilter(choices=SyncEntry.Outcome.choices)
    trace_id = filters.CharFilter("trace_id")
    after = MomentFilter("at", "gte")
    before = MomentFilter("at", "lt")

    class Meta:
        model = SyncEntry
        fields = _NONE
