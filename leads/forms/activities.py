"""Forms of notes and tasks written on a lead's page."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from crmsync.core.models import Workspace
from leads.forms.records import local_time


class NoteForm(forms.Form):
    """A note about a lead."""

    prefix = "note"
    body = forms.CharField(
        label="Note",
        max_length=20_000,
        widget=forms.Textarea(
            attrs={"rows": 3, "placeholder": "What should the next person know?"}
        ),
    )

    def values(self) -> dict[str, object]:
        """Return the activity as the services take it."""
        return {"kind": "note", "body": self.cleaned_data["body"]}


class TaskForm(forms.Form):
    """Something to do about a lead."""

    prefix = "task"
    subject = forms.CharField(label="Task", max_length=300)
    due_at = forms.CharField(
        label="Due",
        required=False,
        widget=forms.TextInput(attrs={"type": "datetime-local"}),
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(workspace.time_zone)

    def values(self) -> dict[str, object]:
        """Return the activity as the services take it."""
        due = self.cleaned_data["due_at"]
        return {
            "kind": "task",
            "subject": self.cleaned_data["subject"],
            "due_at": local_time(due, self.zone) if due else None,
        }
