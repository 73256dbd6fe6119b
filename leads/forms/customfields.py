"""Forms of the workspace's own fields."""

from __future__ import annotations

import re

from django import forms

from leads.models import CustomField, RecordType
from leads.services.errors import InvalidFields


class CustomFieldForm(forms.Form):
    """What may be changed of a field later on."""

    label = forms.CharField(label="Label", max_length=100)
    description = forms.CharField(label="Help text", max_length=300, required=False)
    options = forms.CharField(
        label="Options",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Only for the two list types. One per line: value = label.",
    )

    def chosen(self) -> list[dict[str, str]]:
        """Return the options as the services take them."""
        found = []
        for line in self.cleaned_data["options"].splitlines():
            value, _, label = line.partition("=")
            if line.strip():
                found.append({"value": value.strip(), "label": label.strip()})
        return found

    def take(self, error: InvalidFields) -> None:
        """Show the services' refusal at the fields it is about."""
        for name, told in error.fields.items():
            self.add_error(name if name in self.fields else None, list(told))


class NewCustomFieldForm(CustomFieldForm):
    """A new field; its name and type stay for good."""

    record_type = forms.ChoiceField(label="Of", choices=RecordType.choices)
    type = forms.ChoiceField(label="Type", choices=CustomField.Type.choices)
    name = forms.CharField(
        label="Name for programs",
        max_length=60,
        required=False,
        help_text="Empty: made from the label. It cannot be changed later.",
    )
    field_order = ("record_type", "label", "type", "options", "name", "description")

    def clean(self) -> dict[str, object]:
        """Make the name where none is given."""
        given = super().clean() or {}
        if not given.get("name"):
            plain = re.sub(r"[^a-z0-9]+", "_", str(given.get("label", "")).lower())
            given["name"] = plain.strip("_")[:60]
        return given


def lines_of(field: CustomField) -> str:
    """Return a field's options as they are typed."""
    return "\n".join(f"{one['value']} = {one['label']}" for one in field.options)
