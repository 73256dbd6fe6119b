"""The web forms of a connected account that are taken in, and what waits of them."""

from __future__ import annotations

from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from integrations.models.connection import Connection


class FormSource(models.Model):
    """A form there whose submissions become leads here, once somebody says so."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="forms", db_index=False
    )
    remote_id = models.CharField(max_length=100)
    # As it was called when it was switched on: its campaign here goes by that.
    name = models.CharField(max_length=200)
    active = models.BooleanField(default=True)
    # A submission then opens a deal and gives points, as a reply does.
    counts_as_reply = models.BooleanField(default=False)
    # What was submitted before is not wanted.
    begins_at = models.DateTimeField()
    # Everything submitted until then is in.
    taken_until = models.DateTimeField()
    # A reading under way: up to when it counts, and the page it is at.
    window_until = models.DateTimeField(null=True, blank=True)
    page = models.CharField(max_length=500, blank=True)
    count = models.PositiveIntegerField(default=0)
    # Submissions that say nobody we could know again.
    nameless = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(null=True, blank=True)
    # Why it stopped by itself, "" when it did not.
    stopped = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "remote_id"], name="one_source_per_form"
            )
        ]

    def __str__(self) -> str:
        return self.name


class HeldSubmission(models.Model):
    """What was submitted and fits several people: kept until they are told apart."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    form = models.ForeignKey(
        FormSource, on_delete=models.CASCADE, related_name="held", db_index=False
    )
    # What its activity will be known by.
    key = models.CharField(max_length=200)
    # See `integrations.webhooks.submitted.document_of`.
    document = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["form", "key"], name="one_held_per_submission"
            )
        ]

    def __str__(self) -> str:
        return f"submission {self.key}"
