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

    class Deletes(models.TextChoices):
        """What follows when a record is deleted on one side."""

        UNLINK = "unlink", "Unlink and flag"
        PROPAGATE = "propagate", "Delete on the other side, after 7 days"
        RECREATE = "recreate", "Make it again"
        IGNORE = "ignore", "Do nothing"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="mappings", db_index=False
    )
    record_type = models.CharField(max_length=20, choices=RecordType.choices)
    remote_object = models.CharField(max_length=60)
    direction = models.CharField(
        max_length=5, choices=Direction.choices, default=Direction.PUSH
    )
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.REALTIME)
    # For batches: "hourly", "daily 06:30" (in the workspace's zone) or a cron line.
    schedule = models.CharField(max_length=100, default="hourly", blank=True)
    next_batch_at = models.DateTimeField(null=True, blank=True)
    active = models.BooleanField(default=False)
    # Off: records are matched and updated, and never made there.
    creates = models.BooleanField(default=True)
    deletes = models.CharField(
        max_length=10, choices=Deletes.choices, default=Deletes.UNLINK
    )
    # What a record belongs to is emptied where it was taken away on the other side.
    clear_ties = models.BooleanField(default=False)
    # How often the CRM is asked for changes, and how often everything is compared.
    pull_every_s = models.PositiveIntegerField(default=300)
    # How far a poll reads back: rows there can become visible after their time.
    overlap_s = models.PositiveIntegerField(default=600)
    reconcile_every_h = models.PositiveIntegerField(default=24)
    # While the CRM's own notices do not come: ask every minute until then.
    fast_pull_until = models.DateTimeField(null=True, blank=True)
    # The remote field that finds a record which is not linked yet, e.g. "email".
    match_field = models.CharField(max_length=60, blank=True)
    # Some of its records are kept apart from others there: see `KeptApart`.
    keeps_apart = models.BooleanField(default=False, editable=False)
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

    class Direction(models.TextChoices):
        """Which way this field goes, within what the object mapping allows."""

        BOTH = "both", "Both ways"
        PUSH = "push", "Only to the CRM"
        PULL = "pull", "Only from the CRM"

    class Rule(models.TextChoices):
        """Who wins when both sides changed the field."""

        CRM = "crm", "The CRM wins"
        HUB = "hub", "crmsync wins"
        LATEST = "latest", "Most recent wins"
        BLANK = "blank", "Fill only if empty"
        ASK = "ask", "Ask me"
        RESTRICTIVE = "restrictive", "Most restrictive wins"
        FORWARD = "forward", "Only forward"
        UNION = "union", "Keep the choices of both"

    class First(models.TextChoices):
        """What happens when two records with different values meet first."""

        FILL = "fill", "Fill blanks, keep what differs"
        CRM = "crm", "Take the CRM's value"
        HUB = "hub", "Send our value"

    mapping = models.ForeignKey(
        ObjectMapping, on_delete=models.CASCADE, related_name="rows", db_index=False
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
    direction = models.CharField(
        max_length=5, choices=Direction.choices, default=Direction.BOTH
    )
    rule = models.CharField(max_length=12, choices=Rule.choices, default=Rule.LATEST)
    first = models.CharField(max_length=5, choices=First.choices, default=First.FILL)
    # Who wins where time does not decide: Rule.CRM or Rule.HUB.
    tie = models.CharField(max_length=5, default="crm")
    # Their values in order: the later one wins for "forward", for "restrictive" too.
    order = models.JSONField(default=list, blank=True)
    # Theirs only moves forward by itself: it may be put back all the same.
    backward = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    # Set while the CRM does not have the field, or not in this form.
    suspended_because = models.CharField(max_length=300, blank=True)

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
