"""Conflicts as they are looked through: with names, both values, and who wrote them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet
from django.http import QueryDict

from integrations import selectors
from integrations.models import Conflict, Connection, ObjectMapping, RemoteSchema
from integrations.runlists import number_in
from integrations.services.mappings import our_fields
from leads.browse import Choice
from leads.models import RecordType

FIELDS_SHOWN = 6
State, Winner = Conflict.State, Conflict.Winner


@dataclass(frozen=True, slots=True)
class Side:
    """One side's value. at None: it is not known when."""

    name: str
    value: str
    by: str
    at: datetime | None
    won: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One conflict as people see it."""

    conflict: Conflict
    label: str
    url: str
    field: str
    ours: Side
    theirs: Side
    base: str

    @property
    def lost(self) -> Side:
        """Return the side whose value was not kept."""
        return self.theirs if self.ours.won else self.ours

    @property
    def kept(self) -> Side:
        """Return the side whose value was kept."""
        return self.ours if self.ours.won else self.theirs


@dataclass(frozen=True, slots=True)
class FieldCount:
    """How many conflicts one field has, and the filter that leaves only those."""

    label: str
    connection: str
    count: int
    query: str
    chosen: bool


def filtered(query: QueryDict) -> QuerySet[Conflict]:
    """Return the conflicts an address asks for; an unknown filter is none."""
    rows = Conflict.objects.select_related("mapping", "connection", "resolved_by")
    is_open = query.get("tab") != "settled"
    rows = rows.filter(state=State.OPEN) if is_open else rows.exclude(state=State.OPEN)
    if (wanted := number_in(query.get("connection", ""))) is not None:
        rows = rows.filter(connection=wanted)
    mapping, _, name = query.get("field", "").replace("\x00", "").partition(":")
    if name and (mapping_id := number_in(mapping)) is not None:
        rows = rows.filter(mapping=mapping_id, remote_field=name)
    kind, _, record = query.get("record", "").partition(":")
    if kind in RecordType.values and (record_id := number_in(record)) is not None:
        rows = rows.filter(record_type=kind, record_id=record_id)
    return rows


def choices(query: QueryDict) -> list[Choice]:
    """Return the filters over the list."""
    named = Connection.objects.order_by("name").values_list("pk", "name")
    options = [("", "Any connection"), *((str(pk), name) for pk, name in named)]
    return [Choice("connection", "Connection", query.get("connection", ""), options)]


def by_field(query: QueryDict) -> list[FieldCount]:
    """Return the fields with the most open conflicts."""
    rows = Conflict.objects.filter(state=State.OPEN).order_by()
    counted = rows.values("mapping", "remote_field", "field").annotate(n=Count("id"))
    found = list(counted.order_by("-n", "remote_field")[:FIELDS_SHOWN])
    mappings = ObjectMapping.objects.select_related("connection").in_bulk(
        {one["mapping"] for one in found}
    )
    chosen = query.get("field", "")
    told = []
    for one in found:
        mapping = mappings[one["mapping"]]
        name = f"{mapping.pk}:{one['remote_field']}"
        params = QueryDict(mutable=True)
        params["field"] = name
        label = our_fields(mapping.record_type).get(one["field"], one["field"])
        there = str(mapping.connection)
        told.append(
            FieldCount(label, there, one["n"], params.urlencode(), name == chosen)
        )
    return told


def cards_of(rows: Iterable[Conflict]) -> list[Card]:
    """Join conflicts with their records and the names people know, a query per type."""
    rows = list(rows)
    wanted: dict[str, set[int]] = defaultdict(set)
    for one in rows:
        wanted[one.record_type].add(one.record_id)
    records = {kind: selectors.records_by_id(kind, ids) for kind, ids in wanted.items()}
    ours = {kind: our_fields(kind) for kind in wanted}
    names = _value_names(rows)
    return [
        _card(one, records[one.record_type].get(one.record_id), ours, names)
        for one in rows
    ]


# (connection, object, field) -> value as the CRM writes it -> what people call it
Names = Mapping[tuple[int, str, str], Mapping[str, str]]


def _value_names(rows: Sequence[Conflict]) -> Names:
    wanted = {(r.connection_id, r.mapping.remote_object, r.remote_field) for r in rows}
    schemas = RemoteSchema.objects.filter(
        connection__in={one[0] for one in wanted},
        object_type__in={one[1] for one in wanted},
    ).select_related("connection")
    found: dict[tuple[int, str, str], dict[str, str]] = {}
    for schema in schemas:
        for field in schema.fields:
            key = (schema.connection_id, schema.object_type, field["name"])
            if key in wanted:
                found[key] = _named(schema.connection, field)
    return found


def _named(connection: Connection, field: Mapping[str, object]) -> dict[str, str]:
    if field.get("type") == "owner":
        return {one["id"]: one.get("name") or one["email"] for one in connection.owners}
    options = field.get("options")
    if not isinstance(options, list):
        return {}
    return {one["value"]: one.get("label") or one["value"] for one in options}


def _card(
    one: Conflict,
    record: object | None,
    ours: Mapping[str, Mapping[str, str]],
    names: Names,
) -> Card:
    known = names.get((one.connection_id, one.mapping.remote_object, one.remote_field))

    def shown(value: str | None) -> str:
        return (known or {}).get(value or "", value or "")

    gone = f"{one.get_record_type_display()} {one.record_id} (gone)"
    there = str(one.connection)
    hub_by = one.hub_by or "crmsync"
    hub_won = one.winner == Winner.HUB
    crm_won = one.winner == Winner.CRM
    return Card(
        conflict=one,
        label=str(record) if record is not None else gone,
        url=selectors.url_of(record),
        field=ours[one.record_type].get(one.field, one.field),
        ours=Side("crmsync", shown(one.hub_value), hub_by, one.hub_at, hub_won),
        theirs=Side(there, shown(one.crm_value), there, one.crm_at, crm_won),
        base=shown(one.base_value),
    )
