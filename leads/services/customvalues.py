"""Values of a workspace's own fields: checked by type, kept as JSON values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crmsync.core.models import Workspace
from leads.models import CustomField
from leads.services import values
from leads.services.values import Cleaner, Wrong

MAX_TEXT = 5000
_PLAIN: Mapping[str, Cleaner] = {
    CustomField.Type.TEXT: values.text(MAX_TEXT),
    CustomField.Type.NUMBER: values.number,
    CustomField.Type.BOOL: values.boolean,
    CustomField.Type.DATE: lambda value: values.day(value).isoformat(),
    CustomField.Type.DATETIME: lambda value: values.moment(value).isoformat(),
    CustomField.Type.EMAIL: values.email,
    CustomField.Type.URL: values.web_address,
}
_LISTED: Mapping[str, Callable[[list[str]], Cleaner]] = {
    CustomField.Type.ENUM: values.choice,
    CustomField.Type.MULTI_ENUM: values.several,
}


def cleaner(field: CustomField, workspace: Workspace) -> Cleaner:
    """Return what checks a value of the field; an empty text or list clears it."""
    clean = _clean_of(field, workspace)

    def clean_or_clear(value: object) -> object:
        if value in ("", []):
            return None
        cleaned = clean(value)
        return None if cleaned in ("", []) else cleaned

    return clean_or_clear


def _clean_of(field: CustomField, workspace: Workspace) -> Cleaner:
    if field.type in _LISTED:
        return _LISTED[field.type]([option["value"] for option in field.options])
    if field.type == CustomField.Type.PHONE:
        return values.phone(workspace.phone_region)
    return _PLAIN[field.type]


def clean_options(field_type: str, options: object) -> list[dict[str, str]]:
    """Return the options of a field in the form they are stored in.

    Raises Wrong when a list type has none, when another type has some, or when two
    have the same value.
    """
    listed = field_type in _LISTED
    if not listed:
        if options:
            raise Wrong("Only the two list types have options.")
        return []
    if not isinstance(options, list) or not options:
        raise Wrong("A list needs at least one option.")
    found = [_option(option) for option in options]
    names = [option["value"] for option in found]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise Wrong(f"Given twice: {', '.join(doubled)}.")
    return found


def _option(option: object) -> dict[str, str]:
    if not isinstance(option, Mapping) or set(option) - {"value", "label"}:
        raise Wrong('Each option is {"value": "...", "label": "..."}.')
    clean = values.text(100)
    value = clean(option.get("value"))
    if not value:
        raise Wrong("An option needs a value.")
    return {"value": value, "label": clean(option.get("label", "")) or value}
