"""What a form is: the definition of a new one, and what it asks of a submission.

HubSpot forms v3: the contract's forms.json, and
https://developers.hubspot.com/docs/api-reference/legacy/marketing/forms/get-forms,
read 2026-11.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from integrations.simulators.hubspot.values import iso
from integrations.simulators.wire import Json

TYPES = frozenset({"hubspot", "captured", "flow", "blog_comment"})
THANKS = "Thanks for submitting the form."
# Required of a create, by the contract's FormDefinitionCreateRequestBase.
REQUIRED = (
    "formType",
    "name",
    "createdAt",
    "updatedAt",
    "archived",
    "fieldGroups",
    "configuration",
    "displayOptions",
    "legalConsentOptions",
)
_CONFIGURATION: Json = {
    "language": "en",
    "cloneable": True,
    "editable": True,
    "archivable": True,
    "recaptchaEnabled": False,
    "createNewContactForNewEmail": False,
    "prePopulateKnownValues": True,
    "allowLinkToResetKnownValues": False,
    "notifyContactOwner": False,
    "notifyRecipients": [],
    "postSubmitAction": {"type": "thank_you", "value": THANKS},
    "lifecycleStages": [],
}
_STYLE = {
    "fontFamily": "sans-serif",
    "backgroundWidth": "100%",
    "labelTextColor": "#222222",
    "labelTextSize": "14px",
    "helpTextColor": "#555555",
    "helpTextSize": "12px",
    "legalConsentTextColor": "#222222",
    "legalConsentTextSize": "12px",
    "submitColor": "#224466",
    "submitAlignment": "left",
    "submitFontColor": "#ffffff",
    "submitSize": "14px",
}
_DISPLAY: Json = {
    "renderRawHtml": False,
    "theme": "default_style",
    "submitButtonText": "Submit",
    "style": _STYLE,
}


def form_of(given: Json, *, at: int) -> Json:
    """Return a whole definition. given: its parts, all optional; at: epoch ms."""
    archived = bool(given.get("archived", False))
    form: Json = {
        "id": str(given.get("id") or uuid4()).lower(),
        "name": str(given.get("name") or "Form"),
        "formType": given.get("formType") or "hubspot",
        "createdAt": given.get("createdAt") or iso(at),
        "updatedAt": given.get("updatedAt") or iso(at),
        "archived": archived,
        "fieldGroups": given.get("fieldGroups") or [],
        "configuration": _CONFIGURATION | (given.get("configuration") or {}),
        "displayOptions": _DISPLAY | (given.get("displayOptions") or {}),
        "legalConsentOptions": given.get("legalConsentOptions") or {"type": "none"},
    }
    return form | {"archivedAt": iso(at)} if archived else form


def groups_of(names: list[str]) -> list[Json]:
    """Return field groups, one for each contact property; an e-mail is required."""
    return [
        {
            "groupType": "default_group",
            "richTextType": "text",
            "fields": [_field(name)],
        }
        for name in names
    ]


def _field(name: str) -> Json:
    is_email = name == "email"
    field: Json = {
        "objectTypeId": "0-1",
        "name": name,
        "label": name,
        "required": is_email,
        "hidden": False,
        "fieldType": "email" if is_email else "single_line_text",
        "dependentFields": [],
    }
    if is_email:
        blocked: Json = {"blockedEmailDomains": [], "useDefaultBlockList": False}
        field["validation"] = blocked
    return field


def problem_of(groups: Any) -> str:
    """Return what is wrong with field groups, empty when nothing is."""
    if not isinstance(groups, list) or not all(isinstance(g, dict) for g in groups):
        return "fieldGroups is a list of objects"
    for group in groups:
        fields = group.get("fields")
        if not isinstance(fields, list) or not all(map(_is_field, fields)):
            return "fields is a list of objects with a name"
    return ""


def _is_field(raw: Any) -> bool:
    return isinstance(raw, dict) and isinstance(raw.get("name"), str)


def refusal(form: Json, values: dict[str, str], *, listed: bool) -> tuple[str, str]:
    """Return (error type, message) for what a form does not take, or two empty.

    values: field -> what was sent; listed: every field must be in the definition, as
    where a submission carries no token:
    https://legacydocs.hubspot.com/docs/methods/forms/submit_form, read 2026-11. That
    page's words on a field which is not are UNCONFIRMED, and so is its error type.
    """
    fields = {field["name"]: field for field in _fields(form)}
    for name, field in fields.items():
        if field.get("required") and not values.get(name):
            return "REQUIRED_FIELD", f"Required field '{name}' is missing"
    unknown = sorted(set(values) - set(fields))
    if listed and unknown:
        return (
            "FIELD_NOT_IN_FORM_DEFINITION",
            f"Field '{unknown[0]}' is not in the form definition",
        )
    return "", ""


def _fields(form: Json) -> Iterator[Json]:
    for group in form["fieldGroups"]:
        yield from group["fields"]


def answer_of(form: Json) -> Json:
    """Return what a submission is answered: {redirectUri} or {inlineMessage}."""
    action = form["configuration"]["postSubmitAction"]
    name = "redirectUri" if action["type"] == "redirect_url" else "inlineMessage"
    return {name: action["value"]}
