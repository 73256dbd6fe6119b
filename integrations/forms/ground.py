"""What the small forms of a mapping stand on, and how their choices are offered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms

from integrations.forms.sides import Sides
from integrations.models import ObjectMapping

SELECT = {"class": "form-select"}
# A change of these draws the rows anew; where to is said by their container.
REDRAWS = {"hx-post": "", "hx-trigger": "change"}


@dataclass(frozen=True, slots=True)
class Ground:
    """What a row stands on: both sides, the mapping's way, the CRM's name.

    suspended: field of theirs -> why its row is set aside; forward_only: fields of
    theirs that only move forward by themselves.
    """

    sides: Sides = field(default_factory=Sides)
    way: str = ObjectMapping.Direction.PUSH
    there: str = "the CRM"
    suspended: Mapping[str, str] = field(default_factory=dict)
    forward_only: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Badge:
    """Whether a value map can be read backwards. text: what collides, named."""

    tone: str
    label: str
    text: str = ""


class TheirSelect(forms.Select):
    """A select in which fields that cannot be written cannot be chosen to send to."""

    sides = Sides()
    only_sends = True

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        """Disable the option of a read-only field."""
        option = super().create_option(name, value, *args, **kwargs)
        field_there = self.sides.theirs.get(str(value))
        if self.only_sends and field_there is not None and field_there.read_only:
            option["attrs"]["disabled"] = True
        return option


def set_choices(
    form: forms.Form, name: str, options: Sequence[tuple[str, str]]
) -> None:
    """Offer these choices in a field of a form."""
    form.fields[name].choices = list(options)  # type: ignore[attr-defined]
