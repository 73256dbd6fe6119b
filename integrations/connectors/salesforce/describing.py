"""Reading descriptions of fields, and shaping new ones.

PURE. describe: REST resources_sobject_describe; new fields: metadata CustomField.
"""

import re
from collections.abc import Mapping
from typing import Any

from integrations.connectors.salesforce.errors import VENDOR
from integrations.connectors.salesforce.spec import (
    BEHIND,
    MAX_TEXT,
    OWN_KEY,
    OWN_KEY_LENGTH,
)
from integrations.connectors.salesforce.values import TYPES, clean
from integrations.errors import Misconfigured, SyncError, Unsupported
from integrations.records import FieldType, RemoteField, RemoteOption

Json = Mapping[str, Any]
# A name of a custom field: letters, digits, single underscores, 40 characters.
_CUSTOM = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9]){0,39}__c")
_LISTS = frozenset({"enum", "multi_enum"})
_LONG_TEXT = 32_768

# Our word -> theirs, with what they insist on.
_NEW_TYPES: Mapping[FieldType, Mapping[str, object]] = {
    "text": {"type": "Text", "length": MAX_TEXT},
    "html": {"type": "Html", "length": _LONG_TEXT, "visibleLines": 25},
    "phone": {"type": "Phone"},
    "number": {"type": "Number", "precision": 18, "scale": 2},
    "bool": {"type": "Checkbox", "defaultValue": "false"},
    "date": {"type": "Date"},
    "datetime": {"type": "DateTime"},
    "enum": {"type": "Picklist"},
    "multi_enum": {"type": "MultiselectPicklist", "visibleLines": 4},
}


def remote_field(entry: Json) -> RemoteField:
    """Read one entry of a describe; missing keys take safe values."""
    name = clean(entry.get("name")) or ""
    kind = field_type(entry)
    takes_both = bool(entry.get("createable")) and bool(entry.get("updateable"))
    length, scale = entry.get("length"), entry.get("scale")
    return RemoteField(
        name=name,
        label=clean(entry.get("label")) or name,
        type=kind,
        options=_options(entry) if kind in _LISTS else (),
        required=is_required(entry),
        read_only=not takes_both,
        unique=bool(entry.get("unique")),
        max_length=length if _has_length(kind, length) else None,
        calculated=bool(entry.get("calculated")),
        description=clean(entry.get("inlineHelpText")) or "",
        restricted=bool(entry.get("restrictedPicklist")),
        scale=scale if isinstance(scale, int) and _is_scaled(entry) else None,
        # FACTS section 16: on some objects; comparing in lower case fits all.
        lower=clean(entry.get("type")) == "email",
    )


def field_type(entry: Json) -> FieldType:
    """Return our word for a field's type."""
    kind = clean(entry.get("type")) or ""
    targets = entry.get("referenceTo")
    if kind == "reference" and isinstance(targets, list) and "User" in targets:
        return "owner"
    if entry.get("extraTypeInfo") == "richtextarea":
        return "html"
    return TYPES.get(kind, "text")


def is_required(entry: Json) -> bool:
    """Tell whether a create must name the field."""
    return bool(entry.get("createable")) and not (
        entry.get("nillable") or entry.get("defaultedOnCreate")
    )


def custom_name(name: str) -> str:
    """Return the name a field of ours has there: custom ones end in __c."""
    return name if name.endswith("__c") else f"{name}__c"


def full_name(object_type: str, name: str) -> str:
    """Return the field's name in metadata, e.g. Lead.Crmsync_Id__c."""
    return f"{BEHIND.get(object_type, object_type)}.{name}"


def new_field(field: RemoteField) -> dict[str, object]:
    """Return a new field's metadata. Raises Misconfigured where there is none."""
    name = custom_name(field.name)
    if not _CUSTOM.fullmatch(name):
        told = f"{field.name!r} cannot be the name of a field"
        raise Misconfigured(told, vendor=VENDOR, field=field.name)
    if field.type not in _NEW_TYPES:
        told = f"Salesforce has no {field.type} field that could be made"
        raise Unsupported(told, vendor=VENDOR, field=field.name)
    made: dict[str, object] = {"label": field.label[:40], **_NEW_TYPES[field.type]}
    if field.description:
        made["description"] = field.description
    if field.type == "text":
        made["length"] = _length(field, name)
    if field.unique:
        made |= {"externalId": True, "unique": True, "caseSensitive": False}
    if field.type in _LISTS:
        made["valueSet"] = _value_set(field)
    return made


def serving(wanted: RemoteField, there: RemoteField) -> RemoteField | SyncError:
    """Return the field that is there, or why it does not serve."""
    problem = ""
    if wanted.unique and not there.unique:
        problem = "exists, but its values are not unique"
    elif wanted.type != there.type:
        problem = f"exists as {there.type}, not {wanted.type}"
    elif wanted.name == OWN_KEY and there.read_only:
        problem = "exists, but we may not write it"
    if not problem:
        return there
    told = f"{there.name} {problem}"
    return Misconfigured(told, vendor=VENDOR, field=there.name)


def _length(field: RemoteField, name: str) -> int:
    usual = OWN_KEY_LENGTH if name == OWN_KEY else MAX_TEXT
    return min(field.max_length or usual, MAX_TEXT)


def _has_length(kind: FieldType, length: object) -> bool:
    counted = kind in ("text", "html", "phone")
    return counted and isinstance(length, int) and length > 0


def _is_scaled(entry: Json) -> bool:
    """Tell whether a number is rounded there; a whole number field refuses instead."""
    return clean(entry.get("type")) in {"double", "currency", "percent"}


def _options(entry: Json) -> tuple[RemoteOption, ...]:
    listed = entry.get("picklistValues")
    return tuple(
        RemoteOption(
            value=clean(one.get("value")) or "",
            label=clean(one.get("label")) or clean(one.get("value")) or "",
            hidden=one.get("active") is False,
        )
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, Mapping)
    )


def _value_set(field: RemoteField) -> dict[str, object]:
    values = [
        {"fullName": one.value, "label": one.label, "default": False}
        for one in field.options
    ]
    return {
        "restricted": True,
        "valueSetDefinition": {"sorted": False, "value": values},
    }
