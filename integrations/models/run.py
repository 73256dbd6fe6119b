"""Runs: one batch, backfill, pull or comparison, with counts, progress and an end."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from crmsync.core.managers import ViaMapping, WorkspaceManager
from crmsync.core.models import Workspace
from integrations.models.connection import Connection
from integrations.models.mapping import ObjectMapping


class Run(models.Model):
    """Work on many records of one mapping. Counters only ever rise."""

    class Kind(models.TextChoices):
        """What it does."""

        BATCH = "batch", "Batch"
        BACKFILL = "backfill", "Backfill"
        MANUAL = "manual", "Manual sync"
        PULL = "pull", "Pull"
        RECONCILE = "reconcile", "Full comparison"
        AUDIT = "audit", "Drift audit"
        DRY = "dry", "Dry run"
        REVERT = "revert", "Revert"

    class State(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", "Waiting to start"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        STOPPED = "stopped", "Stopped for approval"
        DONE = "done", "Done"
        DONE_WITH_ERRORS = "errors", "Done, with errors"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class MassChange(models.TextChoices):
        """What is not done to many records without a person's word."""

        DELETES = "deletes", "Deletions"
        CLEARS = "clears", "Emptied records"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="runs"
    )
    mapping = models.ForeignKey(
        ObjectMapping, on_delete=models.CASCADE, related_name="runs", db_index=False
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    direction = models.CharField(max_length=5, default="push")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    # What was asked for: {"ids": [...]}, {"filter": {...}}, {"run": id to revert} ...
    options = models.JSONField(default=dict, blank=True)
    # Where it goes on after a stop; its own business.
    cursor = models.JSONField(default=dict, blank=True)
    # Records it is about, None while unknown; how many are settled one way or another.
    total = models.PositiveIntegerField(null=True, blank=True)
    settled = models.PositiveIntegerField(default=0)
    # What was done in the CRM, and what was done here.
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    cleared = models.PositiveIntegerField(default=0)
    created_here = models.PositiveIntegerField(default=0)
    updated_here = models.PositiveIntegerField(default=0)
    cleared_here = models.PositiveIntegerField(default=0)
    linked = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    excluded = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    # For a dry run: up to 20 records with their values before and after; for a stopped
    # one: what it was about to do.
    samples = models.JSONField(default=list, blank=True)
    message = models.CharField(max_length=500, blank=True)
    # What it was stopped before, and to how many records; kept when it was approved.
    mass_change = models.CharField(
        max_length=7, choices=MassChange.choices, blank=True, default=""
    )
    mass_count = models.PositiveIntegerField(null=True, blank=True)
    approved = models.BooleanField(default=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    progress_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = WorkspaceManager()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-id"], name="run_newest"),
            models.Index(fields=["mapping", "-id"], name="run_of_mapping"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def counts_pushes(self) -> bool:
        """Tell whether what it makes go out is part of it; a poll does not wait."""
        return self.kind != self.Kind.PULL

    def get_absolute_url(self) -> str:
        """Return the page of the run."""
        return reverse("run", args=[self.pk])


class Cursor(models.Model):
    """How far the remote object of a mapping has been read. Times: the CRM's clock."""

    mapping = models.OneToOneField(
        ObjectMapping, on_delete=models.CASCADE, primary_key=True, related_name="cursor"
    )
    # Everything stamped before this has been read, and what vanished before that.
    read_up_to = models.DateTimeField(null=True, blank=True)
    gone_up_to = models.DateTimeField(null=True, blank=True)
    # The window being read, so that a killed run goes on at its page.
    window_since = models.DateTimeField(null=True, blank=True)
    window_until = models.DateTimeField(null=True, blank=True)
    page = models.CharField(max_length=500, blank=True)
    run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Our clock: when it was last read to the end, and when all was last compared.
    read_at = models.DateTimeField(null=True, blank=True)
    swept_at = models.DateTimeField(null=True, blank=True)

    objects = ViaMapping()

    def __str__(self) -> str:
        return f"{self.mapping_id} up to {self.read_up_to}"
