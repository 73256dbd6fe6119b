"""Which records a manual sync is about: what to choose by depends on their type."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms

from crmsync.core.models import User
from integrations.models import ObjectMapping
from leads.models import Activity
from leads.naming import choices_of
from leads.services.fields import MODELS

SELECT = {"class": "form-select"}
SOURCES_SHOWN = 50


class ChosenForm(forms.Form):
    """A filter over the records of a mapping; an empty one means all of them."""

    status = forms.ChoiceField(
        label="Status", required=False, widget=forms.Select(attrs=SELECT)
    )
    kind = forms.ChoiceField(
        label="Kind",
        required=False,
        choices=[("", "Any kind"), *Activity.Kind.choices],
        widget=forms.Select(attrs=SELECT),
    )
    source = forms.ChoiceField(
        label="Source", required=False, widget=forms.Select(attrs=SELECT)
    )
    owner_id = forms.ChoiceField(
        label="Owner", required=False, widget=forms.Select(attrs=SELECT)
    )
    since = forms.DateField(
        label="Created since",
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}),
    )

    prefix = "chosen"

    def __init__(self, *args: Any, mapping: ObjectMapping, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mapping = mapping
        for name in list(self.fields):
            if name != "since" and not self._has(name.removesuffix("_id")):
                del self.fields[name]
        if "status" in self.fields:
            its = choices_of(mapping.record_type, "status")
            self._offer("status", "Any status", list(its.items()))
        if "source" in self.fields:
            self._offer("source", "Any source", self._sources())
        if "owner_id" in self.fields:
            self._offer("owner_id", "Any owner", self._owners())

    def _has(self, name: str) -> bool:
        return hasattr(MODELS[self.mapping.record_type], name)

    def _offer(self, name: str, anything: str, options: list[tuple[str, str]]) -> None:
        self.fields[name].choices = [("", anything), *options]  # type: ignore[attr-defined]

    def _sources(self) -> list[tuple[str, str]]:
        rows = MODELS[self.mapping.record_type].objects.exclude(source="")
        names = rows.order_by("source").values_list("source", flat=True).distinct()
        return [(name, name) for name in names[:SOURCES_SHOWN]]

    def _owners(self) -> list[tuple[str, str]]:
        members = User.objects.filter(memberships__workspace=self.mapping.workspace)
        return [(str(one.pk), str(one)) for one in members.order_by("email")]

    def options(self) -> dict[str, object]:
        """Return what a run takes; see `integrations.sync.backfill.FILTERS`."""
        given = self.cleaned_data
        wanted: dict[str, object] = {
            name: value for name, value in given.items() if value and name != "since"
        }
        if owner := wanted.get("owner_id"):
            wanted["owner_id"] = int(str(owner))
        if since := given.get("since"):
            day = datetime.combine(since, time(), self._zone())
            wanted["created_at__gte"] = day.isoformat()
        return {"filter": wanted} if wanted else {}

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.mapping.workspace.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")
