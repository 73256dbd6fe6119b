"""What holds for a whole mapping: the way, when it goes, which records."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.forms.utils import ErrorDict
from django.utils import timezone

from integrations.forms import rules
from integrations.forms.ground import REDRAWS, SELECT, set_choices
from integrations.forms.sides import Sides
from integrations.models import ObjectMapping
from integrations.sync import ties
from integrations.sync.schedule import BadSchedule, next_slot
from leads.models import Activity

# Left as they are where the form was sent without them.
_NUMBERS = ("pull_every_s", "overlap_s", "reconcile_every_h")
_KEPT = ("direction", "mode", "deletes", *_NUMBERS)


class MappingForm(forms.Form):
    """The settings of a mapping; what does not concern its way is left out."""

    direction = forms.ChoiceField(
        label="Which way", required=False, widget=forms.RadioSelect(attrs=REDRAWS)
    )
    mode = forms.ChoiceField(
        label="When ours are sent",
        required=False,
        widget=forms.RadioSelect(attrs=REDRAWS),
    )
    schedule = forms.CharField(
        label="Batches",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs=REDRAWS),
        help_text="hourly, daily 06:30, or a cron line like 30 6 * * mon-fri.",
    )
    pull_every_s = forms.ChoiceField(
        label="Ask for changes", required=False, widget=forms.Select(attrs=SELECT)
    )
    overlap_s = forms.ChoiceField(
        label="Look back", required=False, widget=forms.Select(attrs=SELECT)
    )
    reconcile_every_h = forms.ChoiceField(
        label="Compare everything", required=False, widget=forms.Select(attrs=SELECT)
    )
    deletes = forms.ChoiceField(
        label="When a record is deleted on one side",
        required=False,
        widget=forms.Select(attrs=SELECT),
        help_text="More than 20 deletions at once, and more than 2 %, always wait for "
        "a person.",
    )
    clear_ties = forms.BooleanField(
        label="When one side takes a record off its company, the other does, too",
        required=False,
        help_text="Off: the other side keeps what it belonged to.",
    )
    match_field = forms.ChoiceField(
        label="Find existing records by",
        required=False,
        help_text="A record that is not linked yet is looked for by this field, so "
        "that none is made twice.",
    )
    creates = forms.BooleanField(
        label="Make records there that are not found", required=False
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
        names = [name for name in self.base_fields if name != "version"]
        stored = {name: getattr(mapping, name) for name in names}
        kwargs["initial"] = {**stored, "version": mapping.version}
        super().__init__(*args, **kwargs)
        self.mapping = mapping
        if mapping.record_type != "activity":
            del self.fields["only_kinds"]
        if mapping.record_type not in {"lead", "deal"}:
            del self.fields["clear_ties"]
        if mapping.record_type != "lead":
            del self.fields["engaged_only"]
        self._offer_times()
        if ties.only_goes_out(mapping.record_type):
            del self.fields["match_field"]
        else:
            self._offer_match(sides)

    def _offer_times(self) -> None:
        mapping, there = self.mapping, str(self.mapping.connection)
        ways = rules.named(rules.WAYS, there)
        if ties.only_goes_out(mapping.record_type):
            ways = [one for one in ways if one[0] == ObjectMapping.Direction.PUSH]
        set_choices(self, "direction", ways)
        set_choices(self, "mode", rules.named(rules.MODES, there))
        set_choices(self, "deletes", rules.named(rules.DELETES, there))
        pulls = rules.spans(rules.PULLS, mapping.pull_every_s, "seconds")
        set_choices(self, "pull_every_s", pulls)
        overlaps = rules.spans(rules.OVERLAPS, mapping.overlap_s, "seconds")
        set_choices(self, "overlap_s", overlaps)
        sweeps = rules.spans(rules.SWEEPS, mapping.reconcile_every_h, "hours")
        set_choices(self, "reconcile_every_h", sweeps)

    def _offer_match(self, sides: Sides) -> None:
        options = [(one.name, one.label) for one in sides.theirs.values()]
        stored = self.mapping.match_field
        if stored and stored not in sides.theirs:
            options.append((stored, f"{stored} (not in the CRM)"))
        set_choices(self, "match_field", [("", "Never look, always make"), *options])

    def now(self, name: str) -> str:
        """Return what a field holds, typed or stored."""
        typed = str(self.data.get(name, "")) if self.is_bound else ""
        return typed or str(self.initial.get(name, ""))

    def unjudged(self) -> None:
        """Show what was typed without judging it."""
        self._errors = ErrorDict()

    @property
    def sends(self) -> bool:
        """Tell whether anything of ours is sent."""
        return self.now("direction") != ObjectMapping.Direction.PULL

    @property
    def takes(self) -> bool:
        """Tell whether anything is taken in."""
        return self.now("direction") != ObjectMapping.Direction.PUSH

    @property
    def in_batches(self) -> bool:
        """Tell whether ours are sent in batches."""
        return self.now("mode") == ObjectMapping.Mode.BATCH

    @property
    def next_slot(self) -> datetime | None:
        """Return when the next batch is due by what is typed; None: at no time."""
        try:
            zone = ZoneInfo(self.mapping.workspace.time_zone)
            return next_slot(self.now("schedule"), timezone.now(), zone)
        except (BadSchedule, ZoneInfoNotFoundError, ValueError):
            return None

    def values(self) -> dict[str, object]:
        """Return what the services take."""
        given: dict[str, object] = {
            name: value
            for name, value in self.cleaned_data.items()
            if name != "version" and (value or name not in _KEPT)
        }
        for name in _NUMBERS:
            if name in given:
                given[name] = int(str(given[name]))
        if not given.get("schedule"):
            given.pop("schedule", None)
        return given
