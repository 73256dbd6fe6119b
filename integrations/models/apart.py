"""Records that look like remote ones and are not: a person said so."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from integrations.models.connection import Connection
from leads.models import RecordType


class KeptApart(models.Model):
    """This record is not that remote record: neither is sent to the other.

    Mappings whose records have such rows say so themselves (`keeps_apart`), so that
    nobody else pays for looking.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="kept_apart", db_index=False
    )
    record_type = models.CharField(max_length=20, choices=RecordType.choices)
    record_id = models.BigIntegerField()
    remote_object = models.CharField(max_length=60)
    remote_id = models.CharField(max_length=100)
    # The remote field that both have the same value of, and a digest of the value: what
    # the record is not sent with. "" where it is not known what they share.
    field = models.CharField(max_length=100, blank=True)
    digest = models.CharField(max_length=32, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    class Meta:
        verbose_name_plural = "kept apart"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "connection",
                    "record_type",
                    "record_id",
                    "remote_object",
                    "remote_id",
                ],
                name="one_kept_apart_per_pair",
            )
        ]
        indexes = [
            models.Index(
                fields=["connection", "remote_object", "remote_id"],
                name="kept_apart_of_remote",
            )
        ]

    def __str__(self) -> str:
        ours = f"{self.record_type} {self.record_id}"
        return f"{ours} is not {self.remote_object} {self.remote_id}"
