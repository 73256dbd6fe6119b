"""Defines the workspace's own fields; a field in use keeps its name and type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from crmsync.core.models import Workspace
from crmsync.core.services import Actor, audit
from leads.models import CustomField
from leads.services import customvalues
from leads.services.errors import InvalidFields
from leads.services.values import Wrong

MAX_FIELDS = 200


@transaction.atomic
def define(
    workspace: Workspace,
    actor: Actor,
    *,
    record_type: str,
    name: str,
    label: str,
    type: str,  # noqa: A002 - the model's word
    options: Sequence[Mapping[str, str]] = (),
    description: str = "",
) -> CustomField:
    """Store a new field. Raises InvalidFields."""
    mine = CustomField.objects.filter(record_type=record_type)
    if mine.filter(name=name).exists():
        raise InvalidFields.of(name=f"A {record_type} has a field {name} already.")
    if mine.count() >= MAX_FIELDS:
        raise InvalidFields.of(name=f"At most {MAX_FIELDS} fields per record type.")
    field = CustomField(
        workspace=workspace,
        record_type=record_type,
        name=name,
        label=label,
        type=type,
        options=_options(type, list(options)),
        description=description,
    )
    _save(field)
    audit(workspace, actor, "custom_field.defined", target=f"{record_type}.{name}")
    return field


@transaction.atomic
def change(
    field: CustomField, actor: Actor, values: Mapping[str, object]
) -> CustomField:
    """Change label, options, description or archived. Raises InvalidFields.

    Stored values of an option that is taken away stay until they are next written.
    """
    for name in ("label", "description", "archived"):
        if name in values:
            setattr(field, name, values[name])
    if "options" in values:
        field.options = _options(field.type, values["options"])
    _save(field)
    audit(
        field.workspace,
        actor,
        "custom_field.changed",
        target=f"{field.record_type}.{field.name}",
        details={"fields": sorted(values)},
    )
    return field


def _options(field_type: str, options: object) -> list[dict[str, str]]:
    try:
        return customvalues.clean_options(field_type, options)
    except Wrong as error:
        raise InvalidFields.of(options=str(error)) from error


def _save(field: CustomField) -> None:
    try:
        field.full_clean(exclude=["workspace", "options"])
    except ValidationError as error:
        messages = {name: " ".join(told) for name, told in error.message_dict.items()}
        raise InvalidFields.of(**messages) from error
    field.save()
