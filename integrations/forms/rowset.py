"""All rows of a mapping together: no field of theirs is mapped twice."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.forms.formsets import DELETION_FIELD_NAME

from integrations.forms.rows import RowForm
from integrations.models import FieldMapping
from integrations.services.mappings import MAX_ROWS, RowValues


def _is_deleted(form: forms.Form) -> bool:
    return bool(form.cleaned_data.get(DELETION_FIELD_NAME))


class BaseRows(BaseFormSet):
    """All rows; no field of theirs is mapped twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        back = {form.now("source"): form for form in self.forms if form.is_on}
        for form in self.forms:
            form.comes_back = back.get(form.now("source"), form) is form

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
        "backward": row.backward,
        "active": row.active,
        "direction": row.direction,
        "rule": row.rule,
        "first": row.first,
        "tie": row.tie,
        "order": "\n".join(str(one) for one in row.order),
        "values": "\n".join(lines),
        "value_map": row.values,
    }
