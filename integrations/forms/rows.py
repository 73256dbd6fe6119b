"""One small form per field mapping: both fields, the way, the rule, the values.

It knows both sides, so that what cannot be sent or taken in cannot be chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.utils import ErrorDict

from integrations.forms import rules
from integrations.forms.ground import (
    REDRAWS,
    SELECT,
    Badge,
    Ground,
    TheirSelect,
    set_choices,
)
from integrations.mapping.inverse import Collision, collisions
from integrations.mapping.transforms import LABELS
from integrations.models import FieldMapping
from integrations.services.mappings import RowValues

VALUE = "value_"
Way, Rule, First = FieldMapping.Direction, FieldMapping.Rule, FieldMapping.First


class RowForm(forms.Form):
    """One field mapping; the value map is a select per value where both are lists."""

    source = forms.ChoiceField(
        label="Our field", widget=forms.Select(attrs=SELECT | REDRAWS)
    )
    destination = forms.ChoiceField(
        label="Their field", widget=TheirSelect(attrs=SELECT | REDRAWS)
    )
    direction = forms.ChoiceField(
        label="Way", required=False, widget=forms.RadioSelect(attrs=REDRAWS)
    )
    rule = forms.ChoiceField(
        label="If both sides changed it",
        required=False,
        widget=forms.Select(attrs=SELECT),
    )
    first = forms.ChoiceField(
        label="When two records meet first",
        required=False,
        widget=forms.Select(attrs=SELECT),
    )
    tie = forms.ChoiceField(
        label="When time does not tell",
        required=False,
        widget=forms.Select(attrs=SELECT),
    )
    order = forms.CharField(
        label="Order of values, the last one wins",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="Their values, one per line; * stands for every other value. For "
        "“Only forward” and “Most restrictive wins”.",
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
        label="Emptying one side empties the other", required=False
    )
    backward = forms.BooleanField(
        label="It may be put back",
        required=False,
        help_text="This stage only moves forward there by itself. To put it back, it "
        "is emptied first.",
    )
    values = forms.CharField(
        label="Values",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One per line: ours = theirs.",
    )
    active = forms.BooleanField(label="Active", required=False, initial=True)

    def __init__(self, *args: Any, ground: Ground, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ground, self.sides = ground, ground.sides
        self.ours = self.sides.ours.get(self.now("source"))
        self.theirs = self.sides.theirs.get(self.now("destination"))
        # Another row of the same field of ours may be the one that is read back.
        self.comes_back = True
        self._offer_rules()
        self._offer_ours()
        self._offer_theirs()
        self._offer_default()
        self.pairs = self._offer_pairs()

    def now(self, name: str) -> str:
        """Return what a field holds, typed or stored."""
        if self.is_bound:
            return str(self.data.get(self.add_prefix(name), ""))
        return str(self.initial.get(name, ""))

    def _offer_rules(self) -> None:
        there = self.ground.there
        type_there = self.theirs.type if self.theirs else ""
        set_choices(self, "direction", rules.named(rules.WAYS, there))
        options = rules.rules_for(type_there, self.now("rule"), there, way=self.way)
        set_choices(self, "rule", options)
        if self.way == Way.PUSH:
            self.fields["rule"].label = "When theirs is another"
        set_choices(self, "first", rules.named(rules.FIRSTS, there))
        set_choices(self, "tie", rules.named(rules.TIES, there))
        for name, value in DEFAULTS.items():
            self.fields[name].initial = value

    def _offer_ours(self) -> None:
        options = [(one.name, one.label) for one in self.sides.ours.values()]
        stored = self.now("source")
        if stored and self.ours is None:
            options.append((stored, f"{stored} (no longer exists)"))
        set_choices(self, "source", [("", "Choose a field"), *options])

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
        widget.only_sends = self.ground.way == Way.PUSH
        set_choices(self, "destination", [("", "Choose a field"), *options])

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
    def is_on(self) -> bool:
        """Tell whether the row takes part, typed or stored."""
        return self.now("active") not in {"", "False"}

    @property
    def way(self) -> str:
        """Return which way the field goes in the end: push, pull or both."""
        if self.ground.way != Way.BOTH:
            return self.ground.way
        if self.ours is not None and not self.ours.writable:
            return Way.PUSH
        return self.now("direction") or Way.BOTH

    @property
    def only_forward(self) -> bool:
        """Tell whether their field only moves forward by itself."""
        return self.now("destination") in self.ground.forward_only

    @property
    def has_choice(self) -> bool:
        """Tell whether the way can be chosen."""
        computed = self.ours is not None and not self.ours.writable
        return self.ground.way == Way.BOTH and not computed

    @property
    def rule_label(self) -> str:
        """Return the rule in words, or which way the field goes where none decides."""
        if self.way != Way.BOTH:
            words = dict(rules.named(rules.WAYS, self.ground.there))
            way, rule = words.get(self.way, self.way), self.now("rule")
            weighs = self.way == Way.PUSH and rule in rules.RULES_OUT
            if not weighs or rule == Rule.LATEST:
                return way
            return rules.RULES_OUT[rule]
        chosen = self.now("rule") or Rule.LATEST
        return dict(rules.named(rules.RULES, self.ground.there)).get(chosen, chosen)

    @property
    def needs_order(self) -> bool:
        """Tell whether the rule goes by an order of values."""
        return self.now("rule") in rules.ORDERED

    @property
    def suspended(self) -> str:
        """Return why the row is set aside, "" when it is not."""
        return self.ground.suspended.get(self.now("destination"), "")

    @property
    def values_now(self) -> dict[str, str]:
        """Return the value map as it stands in the form."""
        if self.pairs:
            return {ours: str(self[n].value() or "") for n, ours in self.pairs}
        return _lines(self.now("values"))

    @property
    def badge(self) -> Badge | None:
        """Return whether the value map can be read backwards; None without one."""
        mapped = {ours: theirs for ours, theirs in self.values_now.items() if theirs}
        if not mapped:
            return None
        found = collisions(mapped)
        if not found:
            return Badge("ok", "Safe both ways")
        if self.way == Way.PUSH or not self.comes_back:
            return Badge("idle", "One way only")
        told = [self._collision(one) for one in found]
        count = sum(len(one.ours) for one in found)
        return Badge("bad", f"{count} values collide", "; ".join(told))

    def _collision(self, one: Collision) -> str:
        ours = dict(self.ours.options) if self.ours else {}
        theirs = dict(self.theirs.options) if self.theirs else {}
        names = [ours.get(name, name) for name in one.ours]
        return f"{' and '.join(names)} → {theirs.get(one.theirs, one.theirs)}"

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
        if self._writes_read_only():
            return "The CRM does not let anyone write this field."
        return ""

    def _writes_read_only(self) -> bool:
        read_only = self.theirs is not None and self.theirs.read_only
        return read_only and self.way != Way.PULL

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
        if self._writes_read_only():
            told = "This field is read-only in the CRM."
            if self.has_choice:
                told += " It can only come from there: choose ←."
            raise forms.ValidationError(told)
        return name

    def clean_values(self) -> dict[str, str]:
        """Return the value map that was typed as lines."""
        found = self._typed(str(self.cleaned_data["values"]))
        allowed = dict(self.theirs.options) if self.theirs else {}
        unknown = [one for one in found.values() if allowed and one not in allowed]
        if unknown:
            raise forms.ValidationError(f"The CRM has no value {unknown[0]}.")
        return found

    def _typed(self, text: str) -> dict[str, str]:
        for line in text.splitlines():
            ours, equals, theirs = line.partition("=")
            if line.strip() and not (equals and ours.strip() and theirs.strip()):
                raise forms.ValidationError(f"“{line.strip()}” is not ours = theirs.")
        return _lines(text)

    def clean_order(self) -> list[str]:
        """Return the order of values that was typed as lines."""
        lines = str(self.cleaned_data["order"]).splitlines()
        return [line.strip() for line in lines if line.strip()]

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
            backward=given["backward"] and self.only_forward,
            active=given["active"],
            direction=self._stored_way(),
            rule=given["rule"] or DEFAULTS["rule"],
            first=given["first"] or DEFAULTS["first"],
            tie=given["tie"] or DEFAULTS["tie"],
            order=given["order"],
        )

    def _stored_way(self) -> str:
        """Return the row's own way; what can only be read is only taken in."""
        if self.theirs is not None and self.theirs.read_only:
            return Way.PULL
        return str(self.cleaned_data["direction"] or DEFAULTS["direction"])


DEFAULTS: Mapping[str, str] = {
    "direction": Way.BOTH,
    "rule": Rule.LATEST,
    "first": First.FILL,
    "tie": "crm",
}


def _lines(text: str) -> dict[str, str]:
    found = (line.partition("=") for line in text.splitlines())
    return {ours.strip(): theirs.strip() for ours, _, theirs in found if ours.strip()}
