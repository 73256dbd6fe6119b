"""Reading and making properties: the set-up of an account."""

from collections.abc import Sequence
from dataclasses import replace

from integrations.connectors.hubspot import answers, values
from integrations.connectors.hubspot.calls import Calls
from integrations.connectors.hubspot.errors import VENDOR
from integrations.connectors.hubspot.spec import SPEC, object_facts
from integrations.errors import (
    DuplicateFound,
    Misconfigured,
    RecordRejected,
    Unsupported,
)
from integrations.records import RemoteField


def describe(calls: Calls, object_type: str) -> tuple[RemoteField, ...]:
    """List the fields of an object, hidden ones left out."""
    shown = [e for e in _properties(calls, object_type) if not e.get("hidden")]
    required = object_facts(object_type).required
    fields = (values.remote_field(entry, required) for entry in shown)
    return tuple(field for field in fields if field.name)


def ensure(
    calls: Calls, object_type: str, fields: Sequence[RemoteField]
) -> tuple[RemoteField, ...]:
    """Make the fields that are missing; return each as it now is.

    One call each: a refusal then names its field, and this is set-up, not sync.
    """
    there = _by_name(calls, object_type)
    missing = [field for field in fields if field.name not in there]
    for group in dict.fromkeys(_group(field) for field in missing):
        _ensure_group(calls, object_type, group)
    made = {field.name: _make(calls, object_type, field) for field in missing}
    return tuple(
        made.get(field.name) or _serving(field, there[field.name]) for field in fields
    )


def _properties(calls: Calls, object_type: str) -> list[answers.Json]:
    return answers.entries(calls.get(calls.path("properties", object_type)))


def _by_name(calls: Calls, object_type: str) -> dict[str, RemoteField]:
    fields = (values.remote_field(e) for e in _properties(calls, object_type))
    return {field.name: field for field in fields}


def _group(field: RemoteField) -> str:
    return field.group or SPEC.own_key.group


def _ensure_group(calls: Calls, object_type: str, group: str) -> None:
    label = SPEC.own_key.group_label if group == SPEC.own_key.group else group
    body = {"name": group, "label": label, "displayOrder": -1}
    path = calls.path("properties", object_type, "groups")
    try:
        calls.post(path, body, object_type=object_type)
    except (DuplicateFound, RecordRejected):
        # Already there; if it is not, making the field says so.
        return


def _make(calls: Calls, object_type: str, field: RemoteField) -> RemoteField:
    path = calls.path("properties", object_type)
    try:
        body = values.new_property(field, _group(field))
        made = calls.post(path, body, object_type=object_type)
    except KeyError:
        kind = Unsupported(f"HubSpot has no {field.type} field", field=field.name)
        return replace(field, refusal=kind)
    except DuplicateFound as error:
        # Somebody made it in the same moment; or it lies in the archive.
        there = _by_name(calls, object_type).get(field.name)
        return _serving(field, there) if there else replace(field, refusal=error)
    except (RecordRejected, Misconfigured) as error:
        return replace(field, refusal=error)
    return _serving(field, values.remote_field(made))


def _serving(wanted: RemoteField, there: RemoteField) -> RemoteField:
    """Return the field that is there, with a refusal when it does not serve."""
    problem = ""
    if wanted.unique and not there.unique:
        # Uniqueness cannot be switched on later.
        problem = "exists, but its values are not unique"
    elif wanted.type != there.type:
        problem = f"exists as {there.type}, not {wanted.type}"
    if not problem:
        return there
    message = f"{there.name} {problem}"
    return replace(
        there, refusal=Misconfigured(message, vendor=VENDOR, field=there.name)
    )
