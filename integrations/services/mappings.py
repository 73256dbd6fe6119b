"""Changing how a record type and a remote object correspond."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import transaction

from crmsync.core import queue
from crmsync.core.services import Actor, Refused, audit
from integrations.mapping.inverse import collisions
from integrations.mapping.transforms import TRANSFORMS
from integrations.models import FieldMapping, ObjectMapping, RemoteSchema
from integrations.sync import pull, ties
from integrations.sync.schedule import BadSchedule, next_slot
from leads.models import CustomField
from leads.snapshots import FIELDS

MAX_ROWS = 500
_PLAIN = (
    "direction",
    "mode",
    "schedule",
    "match_field",
    "engaged_only",
    "only_kinds",
    "creates",
    "deletes",
    "clear_ties",
    "pull_every_s",
    "overlap_s",
    "reconcile_every_h",
)
SOONEST_PULL_S = 30
MOST_OVERLAP_S = 7 * 24 * 3600


class StaleMapping(Exception):
    """Somebody else changed the mapping since the caller read it."""


@dataclass(frozen=True, slots=True)
class RowValues:
    """One field mapping as it should be; see `integrations.models.FieldMapping`."""

    source: str
    destination: str
    transform: str = ""
    values: Mapping[str, str] | None = None
    default: str = ""
    clear_blanks: bool = False
    backward: bool = False
    active: bool = True
    direction: str = FieldMapping.Direction.BOTH
    rule: str = FieldMapping.Rule.LATEST
    first: str = FieldMapping.First.FILL
    tie: str = "crm"
    order: Sequence[str] = ()


@transaction.atomic
def change_mapping(
    mapping: ObjectMapping,
    actor: Actor,
    values: Mapping[str, object],
    *,
    rows: Sequence[RowValues] | None = None,
    version: int | None = None,
) -> ObjectMapping:
    """Change a mapping and, with `rows`, replace all of its field mappings.

    values: any of _PLAIN. What was sent stays sent; records follow the new mapping from
    their next push on. Raises Refused, and StaleMapping when `version` is not the
    current one.
    """
    _lock(mapping, version)
    for name in _PLAIN:
        if name in values:
            setattr(mapping, name, values[name])
    _check_way(mapping)
    _check_times(mapping)
    remote = _remote_fields(mapping)
    if mapping.match_field and mapping.match_field not in remote:
        raise Refused("match_field", _unknown(mapping.match_field, mapping))
    if rows is not None:
        _replace_rows(mapping, rows, remote)
    elif mapping.direction == ObjectMapping.Direction.BOTH:
        _check_round_trips([row_values(row) for row in mapping.rows.all()])
    return _saved(mapping, actor, "mapping.changed", sorted(values))


@transaction.atomic
def set_active(mapping: ObjectMapping, actor: Actor, *, active: bool) -> ObjectMapping:
    """Switch a mapping on or off. Raises Refused when nothing would be sent."""
    _lock(mapping, None)
    if active and not mapping.rows.filter(active=True).exists():
        raise Refused("rows", "Map at least one field first.")
    mapping.active = active
    if active and mapping.direction != ObjectMapping.Direction.PUSH:
        pull.ask_pull(mapping)
    action = "mapping.activated" if active else "mapping.deactivated"
    return _saved(mapping, actor, action, [])


def _lock(mapping: ObjectMapping, version: int | None) -> None:
    row = ObjectMapping.objects.select_for_update().get(pk=mapping.pk)
    mapping.version, mapping.keeps_apart = row.version, row.keeps_apart
    if version is not None and version != row.version:
        raise StaleMapping(
            f"This was changed meanwhile: you have version {version}, "
            f"it is at version {row.version}. Load it again."
        )


def _saved(
    mapping: ObjectMapping, actor: Actor, action: str, fields: list[str]
) -> ObjectMapping:
    mapping.version += 1
    mapping.save()
    details = {"fields": fields, "version": mapping.version}
    audit(mapping.workspace, actor, action, target=mapping, details=details)
    mapping.refresh_from_db()
    return mapping


def _remote_fields(mapping: ObjectMapping) -> dict[str, Mapping[str, object]]:
    """Return the remote object's fields as last described: name -> facts."""
    schema = RemoteSchema.objects.filter(
        connection=mapping.connection, object_type=mapping.remote_object
    ).first()
    return {one["name"]: one for one in schema.fields} if schema else {}


def _replace_rows(
    mapping: ObjectMapping,
    rows: Sequence[RowValues],
    remote: Mapping[str, Mapping[str, object]],
) -> None:
    if len(rows) > MAX_ROWS:
        raise Refused("rows", f"At most {MAX_ROWS} rows.")
    _check_rows(mapping, rows, remote)
    if mapping.direction == ObjectMapping.Direction.BOTH:
        _check_round_trips(rows)
    suspended = dict(mapping.rows.values_list("destination", "suspended_because"))
    mapping.rows.all().delete()
    FieldMapping.objects.bulk_create(
        FieldMapping(
            mapping=mapping,
            position=place,
            source=row.source,
            destination=row.destination,
            transform=row.transform,
            values=dict(row.values or {}),
            default=row.default,
            clear_blanks=row.clear_blanks,
            backward=row.backward,
            active=row.active,
            direction=row.direction,
            rule=row.rule,
            first=row.first,
            tie=row.tie,
            order=list(row.order),
            # Only the CRM's own description lifts what it refused.
            suspended_because=suspended.get(row.destination, ""),
        )
        for place, row in enumerate(rows)
    )


def row_values(row: FieldMapping) -> RowValues:
    """Return a stored row as the services take it."""
    return RowValues(
        source=row.source,
        destination=row.destination,
        transform=row.transform,
        values=row.values,
        default=row.default,
        clear_blanks=row.clear_blanks,
        backward=row.backward,
        active=row.active,
        direction=row.direction,
        rule=row.rule,
        first=row.first,
        tie=row.tie,
        order=row.order,
    )


def _check_way(mapping: ObjectMapping) -> None:
    only_out = ties.only_goes_out(mapping.record_type)
    if only_out and mapping.direction != ObjectMapping.Direction.PUSH:
        called = mapping.get_record_type_display().lower()
        raise Refused("direction", f"Records of this type, {called}, only go out.")


def _check_times(mapping: ObjectMapping) -> None:
    if mapping.mode == ObjectMapping.Mode.BATCH:
        try:
            zone = ZoneInfo(mapping.workspace.time_zone)
            mapping.next_batch_at = next_slot(mapping.schedule, queue.now(), zone)
        except BadSchedule as error:
            raise Refused("schedule", str(error)) from error
    else:
        mapping.next_batch_at = None
    if mapping.pull_every_s < SOONEST_PULL_S:
        raise Refused("pull_every_s", f"At least {SOONEST_PULL_S} seconds.")
    if mapping.overlap_s > MOST_OVERLAP_S:
        raise Refused("overlap_s", "At most a week.")


def _check_round_trips(rows: Sequence[RowValues]) -> None:
    """Refuse a value map that could not bring a value back where it came from.

    A row that only goes out may join values of ours; of several rows of one field of
    ours only the last is read back.
    """
    back = {row.source: row.destination for row in rows if row.active}
    for row in rows:
        one_way = row.direction == FieldMapping.Direction.PUSH
        if one_way or not row.active or back[row.source] != row.destination:
            continue
        for one in collisions(row.values or {}):
            raise Refused(
                "rows",
                f"{row.source} ⇄ {row.destination} cannot go both ways: "
                f"{' and '.join(one.ours)} would both be {one.theirs}. Give each its "
                "own value, or let the field go only to the CRM.",
            )


def _check_rows(
    mapping: ObjectMapping,
    rows: Sequence[RowValues],
    remote: Mapping[str, Mapping[str, object]],
) -> None:
    ours = our_fields(mapping.record_type)
    times = Counter(row.destination for row in rows)
    for row in rows:
        if row.source not in ours:
            raise Refused("rows", f"A {mapping.record_type} has no field {row.source}.")
        if row.destination not in remote:
            raise Refused("rows", _unknown(row.destination, mapping))
        only_read = row.direction == FieldMapping.Direction.PULL
        if remote[row.destination].get("read_only") and not only_read:
            raise Refused("rows", f"{row.destination} cannot be written there.")
        _check_choices(row)
        if times[row.destination] > 1:
            raise Refused("rows", f"{row.destination} is mapped twice.")
        if row.transform and row.transform not in TRANSFORMS:
            raise Refused("rows", f"There is no transform {row.transform}.")


def _check_choices(row: RowValues) -> None:
    known = {
        "direction": FieldMapping.Direction.values,
        "rule": FieldMapping.Rule.values,
        "first": FieldMapping.First.values,
        "tie": ["crm", "hub"],
    }
    for name, allowed in known.items():
        if getattr(row, name) not in allowed:
            raise Refused("rows", f"{name} must be one of: {', '.join(allowed)}.")


def _unknown(name: str, mapping: ObjectMapping) -> str:
    return f"{mapping.connection} has no field {name} on {mapping.remote_object}."


def our_fields(record_type: str) -> dict[str, str]:
    """Return what a mapping of the record type can read: name -> label."""
    own = CustomField.objects.filter(record_type=record_type, archived=False)
    plain = {field.name: field.label for field in FIELDS.get(record_type, ())}
    return plain | {f"custom.{one.name}": one.label for one in own}
