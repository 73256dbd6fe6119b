"""What CRMs told of changed fields, until the records are read."""

from __future__ import annotations

from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from integrations.models.connection import Connection


class ToldValue(models.Model):
    """A webhook's word that a field of a remote record came to have a value.

    Kept for minutes, at most a day: what a read of the record does not show any more
    is a person's edit all the same.
    """

    # Longer ones are not kept.
    MAX_LENGTH = 255

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="told_values", db_index=False
    )
    remote_object = models.CharField(max_length=60)
    remote_id = models.CharField(max_length=100)
    field = models.CharField(max_length=100)
    # As it was told, "" when the field was emptied.
    value = models.CharField(max_length=MAX_LENGTH, blank=True)
    # When it was changed, by the CRM's clock; and when we heard of it, by ours.
    at = models.DateTimeField()
    heard_at = models.DateTimeField(auto_now_add=True)
    trace_id = models.CharField(max_length=40, blank=True)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "connection",
                    "remote_object",
                    "remote_id",
                    "field",
                    "at",
                    "value",
                ],
                name="one_told_value",
            )
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.remote_object} {self.remote_id}"
