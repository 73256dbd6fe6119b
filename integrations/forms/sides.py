"""Both sides of a mapping: which fields there are here, and which there.

The forms choose among them, so that what cannot be sent cannot be chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.models import ObjectMapping, RemoteSchema
from integrations.sync.terms import writable
from leads.models import CustomField, Stage
from leads.naming import choices_of
from leads.snapshots import FIELDS


@dataclass(frozen=True, slots=True)
class Ours:
    """A field of ours. options: its values when it is a list, as (value, label).

    writable: it takes values from outside; else it is computed here.
    """

    name: str
    label: str
    type: str
    options: tuple[tuple[str, str], ...] = ()
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Theirs:
    """A field of theirs."""

    name: str
    label: str
    type: str
    read_only: bool = False
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sides:
    """What can be mapped to what: name -> field, on both sides."""

    ours: Mapping[str, Ours] = field(default_factory=dict)
    theirs: Mapping[str, Theirs] = field(default_factory=dict)


def sides_of(mapping: ObjectMapping) -> Sides:
    """Return both sides of a mapping."""
    schema = RemoteSchema.objects.filter(
        connection=mapping.connection, object_type=mapping.remote_object
    ).first()
    theirs = [_theirs(one) for one in (schema.fields if schema else [])]
    return Sides(
        _ours(mapping.record_type),
        {one.name: one for one in sorted(theirs, key=lambda one: one.label.casefold())},
    )


def _ours(record_type: str) -> dict[str, Ours]:
    own = CustomField.objects.filter(record_type=record_type, archived=False)
    infos = {one.name: one for one in FIELDS.get(record_type, ())}
    plain = [
        Ours(
            one.name,
            one.label,
            one.type,
            _known_options(record_type, one.name),
            writable(record_type, one.name, infos),
        )
        for one in infos.values()
    ]
    custom = [
        Ours(
            f"custom.{one.name}",
            one.label,
            one.type,
            tuple((option["value"], option["label"]) for option in one.options),
        )
        for one in own
    ]
    return {one.name: one for one in [*plain, *custom]}


def _known_options(record_type: str, name: str) -> tuple[tuple[str, str], ...]:
    if name == "status":
        return tuple(choices_of(record_type, name).items())
    if (record_type, name) == ("activity", "task_status"):
        return (("open", "Open"), ("done", "Done"))
    if (record_type, name) == ("deal", "stage_id"):
        stages = Stage.objects.select_related("pipeline")
        ordered = stages.order_by("pipeline__name", "position")
        return tuple((str(one.pk), f"{one.pipeline} · {one}") for one in ordered)
    return ()


def _theirs(entry: Mapping[str, Any]) -> Theirs:
    options = [one for one in entry.get("options") or [] if not one.get("hidden")]
    return Theirs(
        name=entry["name"],
        label=entry.get("label") or entry["name"],
        type=entry.get("type", "text"),
        read_only=bool(entry.get("read_only")),
        required=bool(entry.get("required")),
        options=tuple(
            (one["value"], one.get("label") or one["value"]) for one in options
        ),
    )
