"""Forms of records: what people type, in the words the services take.

The services check and clean; a form only shapes, and shows their answer at the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from crmsync.core.models import Workspace
from leads import browse
from leads.models import CustomField, Lead, Stage
from leads.services.errors import InvalidFields, Stale
from leads.services.fields import AnyRecord

OWN = "custom."
LOCAL_TIME = "%Y-%m-%dT%H:%M"


class RecordForm(forms.Form):
    """Base of the forms of records, with the workspace's own fields at the end."""

    record_type = ""
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        workspace: Workspace,
        record: AnyRecord | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(workspace.time_zone)
        self.record = record
        rows = CustomField.objects.filter(record_type=self.record_type, archived=False)
        self.own = {f"{OWN}{row.name}": row for row in rows}
        for name, row in self.own.items():
            self.fields[name] = _own_field(row)
        self._fill_choices(workspace)
        if record is not None:
            self._show(record)

    def _fill_choices(self, workspace: Workspace) -> None:
        """Give the selects of the form their options."""

    def _show(self, record: AnyRecord) -> None:
        for name in self.fields:
            if name in self.own:
                value = record.custom.get(name.removeprefix(OWN))
                self.initial[name] = self._shown(self.own[name], value)
            else:
                self.initial[name] = getattr(record, name, None)

    def _shown(self, field: CustomField, value: Any) -> object:
        if field.type == CustomField.Type.BOOL and value is not None:
            return "yes" if value else "no"
        if field.type == CustomField.Type.DATETIME and value:
            at = datetime.fromisoformat(value).astimezone(self.zone)
            return at.strftime(LOCAL_TIME)
        return value

    def values(self) -> dict[str, object]:
        """Return what the services take: field -> value, None = clear."""
        given: dict[str, object] = {}
        own: dict[str, object] = {}
        for name, value in self.cleaned_data.items():
            if name == "version":
                continue
            if name in self.own:
                own[name.removeprefix(OWN)] = self._own_value(self.own[name], value)
            else:
                given[name] = None if value in ("", None) else value
        return {**given, "custom": own} if own else given

    def _own_value(self, field: CustomField, value: Any) -> object:
        if value in ("", None, []):
            return None
        if field.type == CustomField.Type.BOOL:
            return value == "yes"
        if field.type == CustomField.Type.DATETIME:
            return local_time(value, self.zone)
        return value

    def take(self, error: InvalidFields | Stale) -> None:
        """Show the services' refusal at the fields it is about."""
        told: Mapping[str, tuple[str, ...]] = {"": (str(error),)}
        if isinstance(error, InvalidFields):
            told = error.fields
        for name, messages in told.items():
            for message in messages:
                self.add_error(name if name in self.fields else None, message)


def local_time(text: str, zone: ZoneInfo) -> object:
    """Return the moment of a `datetime-local` control; text that is none stays."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        return text


def _own_field(row: CustomField) -> forms.Field:
    options = [(one["value"], one["label"]) for one in row.options]
    common: dict[str, Any] = {
        "label": row.label,
        "help_text": row.description,
        "required": False,
    }
    kinds = CustomField.Type
    if row.type == kinds.ENUM:
        return forms.ChoiceField(choices=[("", "–"), *options], **common)
    if row.type == kinds.MULTI_ENUM:
        boxes = forms.CheckboxSelectMultiple
        return forms.MultipleChoiceField(choices=options, widget=boxes, **common)
    if row.type == kinds.BOOL:
        answers = [("", "–"), ("yes", "Yes"), ("no", "No")]
        return forms.ChoiceField(choices=answers, **common)
    inputs: dict[str, str] = {
        kinds.DATE: "date",
        kinds.DATETIME: "datetime-local",
        kinds.EMAIL: "email",
        kinds.PHONE: "tel",
        kinds.URL: "url",
    }
    widget = forms.TextInput(attrs={"type": inputs.get(row.type, "text")})
    return forms.CharField(widget=widget, **common)


def _text(label: str, length: int, **given: Any) -> forms.CharField:
    kind = given.pop("type", "text")
    widget = forms.TextInput(attrs={"type": kind, "autocomplete": "off"})
    return forms.CharField(
        label=label, max_length=length, required=False, widget=widget, **given
    )


def _choice(label: str, **given: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, required=False, coerce=int, empty_value=None, **given
    )


class LeadForm(RecordForm):
    """A person."""

    record_type = "lead"
    first_name = _text("First name", 100)
    last_name = _text("Last name", 100)
    email = _text("E-mail", 254, type="email")
    phone = _text("Phone", 60, type="tel")
    linkedin_id = _text(
        "LinkedIn", 500, help_text="The profile’s address, or the name at its end."
    )
    job_title = _text("Job title", 200)
    company_name = _text("Company", 200)
    city = _text("City", 100)
    country = _text("Country", 100)
    status = forms.ChoiceField(label="Status", choices=Lead.Status.choices)
    owner_id = _choice("Owner")

    def _fill_choices(self, workspace: Workspace) -> None:
        if self.record is None:
            self.initial["status"] = Lead.Status.NEW
        _set_choices(self, "owner_id", browse.people_of(workspace))


class CompanyForm(RecordForm):
    """An organisation."""

    record_type = "company"
    name = _text("Name", 200)
    domain = _text("Domain", 500, help_text="Like example.com; one company has it.")
    phone = _text("Phone", 60, type="tel")
    industry = _text("Industry", 100)
    city = _text("City", 100)
    country = _text("Country", 100)
    employees = _text("Employees", 20)


class DealForm(RecordForm):
    """A possible sale."""

    record_type = "deal"
    name = _text("Name", 200)
    stage_id = _choice("Stage")
    amount = _text("Amount", 30)
    currency = _text("Currency", 3, help_text="Three letters, like EUR.")
    close_date = forms.DateField(
        label="Expected to close",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    owner_id = _choice("Owner")

    def _fill_choices(self, workspace: Workspace) -> None:
        _set_choices(self, "owner_id", browse.people_of(workspace))
        stages = Stage.objects.select_related("pipeline")
        ordered = stages.order_by("pipeline__name", "position")
        several = len({one.pipeline_id for one in ordered}) > 1
        self.fields["stage_id"].choices = [  # type: ignore[attr-defined]
            (one.pk, f"{one.pipeline} · {one}" if several else str(one))
            for one in ordered
        ]


def _set_choices(form: RecordForm, name: str, options: list[tuple[str, str]]) -> None:
    form.fields[name].choices = [("", "Nobody"), *options]  # type: ignore[attr-defined]
