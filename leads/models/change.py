"""History: what changed in a record, when, and because of what."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from leads.models.base import RecordType


class Change(models.Model):
    """One change of one record; all fields that changed together are one row."""

    class Action(models.TextChoices):
        """What was done to the record."""

        CREATED = "created", "Created"
        UPDATED = "updated", "Changed"
        DELETED = "deleted", "Deleted"
        MERGED = "merged", "Merged into another"
        # What the record itself never had: over in a CRM before it was read there.
        PASSED = "passed", "Changed in a CRM for a while"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    record_type = models.CharField(max_length=20, choices=RecordType.choices)
    record_id = models.BigIntegerField()
    action = models.CharField(max_length=10, choices=Action.choices)
    # field -> [old, new], as JSON values
    fields = models.JSONField(default=dict)
    origin_kind = models.CharField(max_length=20)
    origin_id = models.CharField(max_length=60, blank=True)
    origin_label = models.CharField(max_length=120, blank=True)
    trace_id = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)
    # When it was entered where it came from, as that system says, on our clock.
    said_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = WorkspaceManager()

    class Meta:
        indexes = [
            models.Index(
                fields=["workspace", "record_type", "record_id", "-id"],
                name="change_of_record",
            ),
            models.Index(fields=["workspace", "-at"], name="change_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.record_type} {self.record_id} {self.action}"
