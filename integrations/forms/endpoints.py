"""Forms of webhook endpoints."""

from __future__ import annotations

from typing import Any

from django import forms

from integrations.models import Connection
from integrations.webhooks.base import Source
from integrations.webhooks.sources import SOURCES
from leads.models import Stage


class EndpointForm(forms.Form):
    """A name and where the deals of replies start."""

    name = forms.CharField(
        label="Name", max_length=100, help_text="Only people of this workspace see it."
    )
    deal_stage_id = forms.TypedChoiceField(
        label="A reply’s deal starts in",
        required=False,
        coerce=int,
        empty_value=None,
    )
    secrets = forms.CharField(
        label="Signing secrets",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="One per line, the newest first. Only for sources that sign.",
    )

    def __init__(self, *args: Any, source: Source | None = None, **kwargs: Any) -> None:
        """Leave out what makes no sense for the source, None when it may be any."""
        super().__init__(*args, **kwargs)
        stages = Stage.objects.select_related("pipeline")
        self.fields["deal_stage_id"].choices = [  # type: ignore[attr-defined]
            ("", "The first stage of the default pipeline"),
            *(
                (one.pk, f"{one.pipeline} · {one}")
                for one in stages.order_by("pipeline__name", "position")
            ),
        ]
        if source and not (source.signs or source.vendor):
            del self.fields["secrets"]
        if source and source.vendor:
            del self.fields["deal_stage_id"]

    def values(self) -> dict[str, object]:
        """Return what the services take; secrets left empty stay as they are."""
        given: dict[str, object] = dict(self.cleaned_data)
        lines = str(given.pop("secrets", "")).splitlines()
        secrets = [line.strip() for line in lines if line.strip()]
        return {**given, "secrets": secrets} if secrets else given


class NewEndpointForm(EndpointForm):
    """A new endpoint also says what posts to it."""

    source = forms.ChoiceField(label="Where the events come from")
    connection_id = forms.TypedChoiceField(
        label="Which account it tells about",
        required=False,
        coerce=int,
        empty_value=None,
        help_text="Only for a CRM that tells what changes in it.",
    )
    field_order = ("source", "connection_id", "name", "deal_stage_id", "secrets")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = [  # type: ignore[attr-defined]
            (name, source.label) for name, source in SOURCES.items()
        ]
        vendors = [one.vendor for one in SOURCES.values() if one.vendor]
        gone = Connection.Status.DISCONNECTED
        known = Connection.objects.filter(vendor__in=vendors).exclude(status=gone)
        self.fields["connection_id"].choices = [  # type: ignore[attr-defined]
            ("", "None"),
            *(
                (one.pk, f"{SOURCES[one.vendor].label} · {one}")
                for one in known.order_by("vendor", "name")
            ),
        ]
