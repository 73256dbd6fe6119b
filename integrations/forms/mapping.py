"""The form of a mapping: its own settings and one small form per field mapping.

It knows both sides, so that what cannot be sent cannot be chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.forms.formsets import DELETION_FIELD_NAME
from django.forms.utils import ErrorDict

from integrations.forms.sides import Sides
from integrations.mapping.transforms import LABELS
from integrations.models import FieldMapping, ObjectMapping
from integrations.services.mappings import MAX_ROWS, RowValues
from leads.models import Activity

VALUE = "value_"
SELECT = {"class": "form-select"}


class TheirSelect(forms.Select):
    """A select in which fields that cannot be written cannot be chosen."""

    sides = Sides()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Disable the option of a read-only field."""
        option = super().create_option(name, value, *args, **kwargs)
        field_there = self.sides.theirs.get(str(value))
        if field_there is not None and field_there.read_only:
            option["attrs"]["disabled"] = True
        return option


class RowForm(forms.Form):
    """One field mapping; the value map is a select per value where both are lists."""

    source = forms.ChoiceField(label="Our field", widget=forms.Select(attrs=SELECT))
    destination = forms.ChoiceField(
        label="Their field", widget=TheirSelect(attrs=SELECT)
    )
    transform = forms.ChoiceField(
        label="Change on the way",
        required=False,
        choices=list(LABELS.items()),
        widget=forms.Select(attrs=SELECT),
    )
    default = forms.CharField(
        label="When ours is empty", required=False, max_length=200
    )
    clear_blanks = forms.BooleanField(
        label="Empty theirs when ours is emptied", required=False
    )
    values = forms.CharField(
        label="Values",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One per line: ours = theirs.",
    )
    active = forms.BooleanField(label="Active", required=False, initial=True)

    def __init__(self, *args: Any, sides: Sides, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sides = sides
        self.ours = sides.ours.get(self.now("source"))
        self.theirs = sides.theirs.get(self.now("destination"))
        self._offer_ours()
        self._offer_theirs()
        self._offer_default()
        self.pairs = self._offer_pairs()

    def now(self, name: str) -> str:
        """Return what a field holds, typed or stored."""
        if self.is_bound:
            return str(self.data.get(self.add_prefix(name), ""))
        return str(self.initial.get(name, ""))

    def _offer_ours(self) -> None:
        options = [(one.name, one.label) for one in self.sides.ours.values()]
        stored = self.now("source")
        if stored and self.ours is None:
            options.append((stored, f"{stored} (no longer exists)"))
        _choices(self, "source", [("", "Choose a field"), *options])

    def _offer_theirs(self) -> None:
        options = [
            (one.name, one.label + (" (read-only)" if one.read_only else ""))
            for one in self.sides.theirs.values()
        ]
        stored = self.now("destination")
        if stored and self.theirs is None:
            options.append((stored, f"{stored} (not in the CRM)"))
        widget = self.fields["destination"].widget
        assert isinstance(widget, TheirSelect)
        widget.sides = self.sides
        _choices(self, "destination", [("", "Choose a field"), *options])

    def _offer_default(self) -> None:
        if self.theirs is not None and self.theirs.options:
            options = [("", "Send nothing"), *self.theirs.options]
            stored = self.now("default")
            if stored and stored not in dict(options):
                options.append((stored, f"{stored} (not in the CRM)"))
            self.fields["default"] = forms.ChoiceField(
                label="When ours is empty", required=False, choices=options
            )

    def _offer_pairs(self) -> list[tuple[str, str]]:
        """Add a select per value of ours; return (field name, label)."""
        if not self.ours or not self.theirs:
            return []
        if not self.ours.options or not self.theirs.options:
            return []
        del self.fields["values"]
        stored: Mapping[str, str] = self.initial.get("value_map") or {}
        same = {label.casefold(): value for value, label in self.theirs.options}
        pairs = []
        known = dict(self.ours.options)
        extra = [(one, f"{one} (no longer ours)") for one in stored if one not in known]
        for place, (value, label) in enumerate([*self.ours.options, *extra]):
            name = f"{VALUE}{place}"
            guess = stored.get(value, "" if stored else same.get(label.casefold(), ""))
            options = [("", "Hold the record"), *self.theirs.options]
            if guess and guess not in dict(options):
                options.append((guess, f"{guess} (not in the CRM)"))
            self.fields[name] = forms.ChoiceField(
                label=label,
                required=False,
                choices=options,
                initial=guess,
                widget=forms.Select(attrs=SELECT),
            )
            pairs.append((name, value))
        return pairs

    @property
    def pair_fields(self) -> list[forms.BoundField]:
        """Return the bound fields of the value map."""
        return [self[name] for name, _ in self.pairs]

    @property
    def mapped_count(self) -> int:
        """Return how many of our values have one of theirs."""
        return sum(1 for one in self.pair_fields if one.value())

    def unjudged(self) -> None:
        """Show what was typed without judging it."""
        self._errors = ErrorDict()

    @property
    def problem(self) -> str:
        """Return what is wrong with the row as it is stored, "" for nothing."""
        if self.now("source") and self.ours is None:
            return "Our field no longer exists."
        if self.now("destination") and self.theirs is None:
            return "The CRM has no such field."
        if self.theirs is not None and self.theirs.read_only:
            return "The CRM does not let anyone write this field."
        return ""

    def clean_source(self) -> str:
        """Refuse a field of ours that is gone."""
        name = str(self.cleaned_data["source"])
        if name not in self.sides.ours:
            raise forms.ValidationError("This field no longer exists. Choose another.")
        return name

    def clean_destination(self) -> str:
        """Refuse what is not there or cannot be written."""
        name = str(self.cleaned_data["destination"])
        if name not in self.sides.theirs:
            raise forms.ValidationError("The CRM has no such field. Choose another.")
        if self.sides.theirs[name].read_only:
            raise forms.ValidationError("This field is read-only in the CRM.")
        return name

    def clean_values(self) -> dict[str, str]:
        """Return the value map that was typed as lines."""
        found: dict[str, str] = {}
        for line in str(self.cleaned_data["values"]).splitlines():
            ours, equals, theirs = line.partition("=")
            if not line.strip():
                continue
            if not equals or not ours.strip() or not theirs.strip():
                raise forms.ValidationError(f"“{line.strip()}” is not ours = theirs.")
            found[ours.strip()] = theirs.strip()
        allowed = dict(self.theirs.options) if self.theirs else {}
        unknown = [one for one in found.values() if allowed and one not in allowed]
        if unknown:
            raise forms.ValidationError(f"The CRM has no value {unknown[0]}.")
        return found

    def row(self) -> RowValues:
        """Return the row as the services take it."""
        given = self.cleaned_data
        values = {
            ours: given[name] for name, ours in self.pairs if given.get(name)
        } or given.get("values", {})
        return RowValues(
            source=given["source"],
            destination=given["destination"],
            transform=given["transform"],
            values=values,
            default=given["default"],
            clear_blanks=given["clear_blanks"],
            active=given["active"],
        )


def _choices(form: forms.Form, name: str, options: Sequence[tuple[str, str]]) -> None:
    form.fields[name].choices = list(options)  # type: ignore[attr-defined]


def _is_deleted(form: forms.Form) -> bool:
    return bool(form.cleaned_data.get(DELETION_FIELD_NAME))


class BaseRows(BaseFormSet):
    """All rows; no field of theirs is written twice."""

    def clean(self) -> None:
        """Put an error at each row whose field of theirs is mapped twice."""
        names = [
            form.cleaned_data.get("destination")
            for form in self.forms
            if form.is_valid() and not _is_deleted(form)
        ]
        twice = {name for name, times in Counter(names).items() if times > 1 and name}
        for form in self.forms:
            if getattr(form, "cleaned_data", {}).get("destination") in twice:
                form.add_error("destination", "This field is mapped twice.")
        if twice:
            raise forms.ValidationError("One field of theirs is mapped twice.")

    def rows(self) -> list[RowValues]:
        """Return the rows that stay."""
        return [form.row() for form in self.forms if not _is_deleted(form)]


Rows = cast(
    type[BaseRows],
    formset_factory(
        RowForm, formset=BaseRows, extra=0, can_delete=True, max_num=MAX_ROWS
    ),
)


def initial_of(row: FieldMapping) -> dict[str, object]:
    """Return a stored row as a form shows it."""
    lines = [f"{ours} = {theirs}" for ours, theirs in row.values.items()]
    return {
        "source": row.source,
        "destination": row.destination,
        "transform": row.transform,
        "default": row.default,
        "clear_blanks": row.clear_blanks,
        "active": row.active,
        "values": "\n".join(lines),
        "value_map": row.values,
    }


class MappingForm(forms.Form):
    """What holds for the whole mapping."""

    match_field = forms.ChoiceField(
        label="Find existing records by",
        required=False,
        help_text="A record that is not linked yet is looked for by this field, so "
        "that none is made twice.",
    )
    engaged_only = forms.BooleanField(
        label="Only people someone has spoken with",
        required=False,
        help_text="People from outreach stay out of the CRM until they reply.",
    )
    only_kinds = forms.MultipleChoiceField(
        label="Kinds of activity",
        required=False,
        choices=list(Activity.Kind.choices),
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all of them.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, mapping: ObjectMapping, sides: Sides, **kwargs: Any
    ) -> None:
        kwargs["initial"] = {
            "match_field": mapping.match_field,
            "engaged_only": mapping.engaged_only,
            "only_kinds": mapping.only_kinds,
            "version": mapping.version,
        }
        super().__init__(*args, **kwargs)
        if mapping.record_type != "activity":
            del self.fields["only_kinds"]
        if mapping.record_type != "lead":
            del self.fields["engaged_only"]
        options = [(one.name, one.label) for one in sides.theirs.values()]
        stored = mapping.match_field
        if stored and stored not in sides.theirs:
            options.append((stored, f"{stored} (not in the CRM)"))
        _choices(self, "match_field", [("", "Never look, always make"), *options])

    def values(self) -> dict[str, object]:
        """Return what the services take."""
        return {k: v for k, v in self.cleaned_data.items() if k != "version"}
