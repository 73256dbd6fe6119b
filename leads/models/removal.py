"""What is kept of records that are gone: a trace, and how to take a merge back."""

from __future__ import annotations

from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from leads.models.base import RecordType


class Tombstone(models.Model):
    """A record that was deleted or merged away; holds no personal data."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    record_type = models.CharField(max_length=20, choices=RecordType.choices)
    record_id = models.BigIntegerField()
    # What it was known by, hashed: it can be recognised, not read.
    keys = models.JSONField(default=list, blank=True)
    # The record that took its place.
    merged_into = models.BigIntegerField(null=True, blank=True)
    origin_kind = models.CharField(max_length=20)
    origin_id = models.CharField(max_length=60, blank=True)
    origin_label = models.CharField(max_length=120, blank=True)
    trace_id = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "record_type", "record_id"],
                name="one_tombstone_per_record",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_record_type_display()} {self.record_id}"


class Merge(models.Model):
    """Two records that became one, with what it takes to part them again."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    record_type = models.CharField(max_length=20, choices=RecordType.choices)
    winner_id = models.BigIntegerField()
    loser_id = models.BigIntegerField()
    # {"loser": column -> value, "winner": field -> [old, new], "moved": table -> ids,
    # "memberships": [column -> value]}; emptied when it can no longer be undone.
    kept = models.JSONField(default=dict, blank=True)
    origin_kind = models.CharField(max_length=20)
    origin_id = models.CharField(max_length=60, blank=True)
    origin_label = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = WorkspaceManager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["workspace", "record_type", "winner_id"], name="merge_of_winner"
            )
        ]

    def __str__(self) -> str:
        what = self.get_record_type_display()
        return f"{what} {self.loser_id} into {self.winner_id}"
