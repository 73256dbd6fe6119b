"""How a record type and a remote object correspond, field by field."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from crmsync.core.managers import ViaMapping, WorkspaceManager
from crmsync.core.models import Workspace
from integrations.models.connection import Connection
from leads.models import RecordType


class ObjectMapping(models.Model):
    """One record type to one remote object of one connection."""

    class Direction(models.TextChoices):
        """Which way records go."""

        PUSH = "push", "Only to the CRM"
        PULL = "pull", "Only from the CRM"
        BOTH = "both", "Both ways"

    class Mode(models.TextChoices):
        """When they go."""

        REALTIME = "realtime", "At once"
        BATCH = "batch", "In batches"
        MANUAL = "manual", "When asked"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="mappings"
    )
    record_type = models.CharField(max_length=20, choices=RecordType.choices)
    remote_object = models.CharField(max_length=60)
    direction = models.CharField(
        max_length=5, choices=Direction.choices, default=Direction.PUSH
    )
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.REALTIME)
    active = models.BooleanField(default=False)
    # The remote field that finds a record which is not linked yet, e.g. "email".
    match_field = models.CharField(max_length=60, blank=True)
    # Leads nobody has spoken with stay out of the CRM.
    engaged_only = models.BooleanField(default=False)
    # Activities only: the kinds that go to this object; empty means all.
    only_kinds = models.JSONField(default=list, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "record_type", "remote_object"],
                name="one_mapping_per_object",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_record_type_display()} → {self.remote_object}"

    def get_absolute_url(self) -> str:
        """Return the mapping's page."""
        return reverse("mapping", args=[self.pk])


class FieldMapping(models.Model):
    """One row: a field of ours, a field of theirs, and what happens on the way."""

    mapping = models.ForeignKey(
        ObjectMapping, on_delete=models.CASCADE, related_name="rows"
    )
    position = models.PositiveSmallIntegerField(default=0)
    # Ours: a field of the record, or "custom.<name>".
    source = models.CharField(max_length=80)
    # Theirs: the vendor's own name of it.
    destination = models.CharField(max_length=100)
    transform = models.CharField(max_length=20, blank=True)
    # our value -> their value, for lists of options
    values = models.JSONField(default=dict, blank=True)
    # Sent when a record is made and ours is blank; never over something.
    default = models.CharField(max_length=200, blank=True)
    clear_blanks = models.BooleanField(default=False)
    active = models.BooleanField(default=True)

    objects = ViaMapping()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["mapping", "destination"], name="one_row_per_destination"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} → {self.destination}"
