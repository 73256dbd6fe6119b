"""Which record is which remote record, what both agreed on, and what was sent."""

from __future__ import annotations

from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from integrations.models.connection import Connection
from integrations.models.mapping import ObjectMapping
from leads.models import RecordType


class LinkManager(WorkspaceManager["Link"]):
    """Finds links by what they are links of."""

    def of(self, mapping: ObjectMapping) -> models.QuerySet[Link]:
        """Return the links of what a mapping keeps in step, whatever their state."""
        return self.filter(
            connection=mapping.connection_id,
            record_type=mapping.record_type,
            remote_object=mapping.remote_object,
        )


class Link(models.Model):
    """This record is that remote record."""

    class State(models.TextChoices):
        """Whether the pair still stands."""

        LINKED = "linked", "Linked"
        MISSING = "missing", "Not found in the last sweep"
        DELETED = "deleted", "Deleted in the CRM"
        FORBIDDEN = "forbidden", "No longer visible to us"
        UNLINKED = "unlinked", "Unlinked by hand"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="links", db_index=False
    )
    record_type = models.CharField(max_length=20, choices=RecordType.choices)
    record_id = models.BigIntegerField()
    remote_object = models.CharField(max_length=60)
    remote_id = models.CharField(max_length=100)
    state = models.CharField(max_length=10, choices=State.choices, default=State.LINKED)
    # The remote record was there before we wrote to it.
    found = models.BooleanField(default=False)
    # remote field -> the value both last agreed on, as the CRM writes it; or [theirs,
    # ours] where the two were left to differ
    base = models.JSONField(default=dict, blank=True)
    # remote field -> [[a value of ours, when a newer one replaced it (epoch s)]]: an
    # old echo of it must not pass for a person's change.
    written = models.JSONField(default=dict, blank=True)
    # Their stamp of the newest state we have seen or made; older ones are stale.
    remote_version = models.DateTimeField(null=True, blank=True)
    # remote field -> [[value it came in as, when (epoch s)]] of the last minutes
    turns = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    pushed_at = models.DateTimeField(null=True, blank=True)
    pulled_at = models.DateTimeField(null=True, blank=True)
    # The last full comparison that saw it.
    seen_in = models.BigIntegerField(null=True, blank=True)
    # Since when it is not found, or waits to be deleted on the other side as well.
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = LinkManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "record_type", "record_id", "remote_object"],
                name="one_link_per_record",
            ),
            models.UniqueConstraint(
                fields=["connection", "remote_object", "remote_id"],
                name="one_link_per_remote_record",
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "record_type", "record_id"], name="link_of_record"
            ),
            models.Index(
                fields=["connection"],
                name="link_hidden",
                condition=models.Q(state="forbidden"),
            ),
            models.Index(
                fields=["connection", "gone_at"],
                name="link_deleted",
                condition=models.Q(state="deleted"),
            ),
        ]

    def __str__(self) -> str:
        ours = f"{self.record_type} {self.record_id}"
        return f"{ours} = {self.remote_object} {self.remote_id}"


class LinkAlias(models.Model):
    """A remote id that a linked record had before: converted or merged since."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, db_index=False)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="aliases")
    remote_object = models.CharField(max_length=60)
    remote_id = models.CharField(max_length=100)
    reason = models.CharField(max_length=20)
    at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    class Meta:
        verbose_name_plural = "link aliases"
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "remote_object", "remote_id"],
                name="one_alias_per_remote_record",
            )
        ]

    def __str__(self) -> str:
        return f"{self.remote_object} {self.remote_id} ({self.reason})"


class SyncEntry(models.Model):
    """The journal: one record, one try, how it ended.

    Values are kept only for what a run changed, in `undo`, so that it can be reverted.
    """

    class Outcome(models.TextChoices):
        """How it ended."""

        CREATED = "created", "Created"
        UPDATED = "updated", "Updated"
        LINKED = "linked", "Found and linked"
        UNCHANGED = "unchanged", "Nothing to send"
        EXCLUDED = "excluded", "Not sent by the mapping"
        HELD = "held", "Held for a decision"
        DELETED = "deleted", "Deleted or unlinked"
        RETRYING = "retrying", "Will be tried again"
        FAILED = "failed", "Failed"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, db_index=False)
    mapping = models.ForeignKey(ObjectMapping, null=True, on_delete=models.SET_NULL)
    record_type = models.CharField(max_length=20, choices=RecordType.choices)
    record_id = models.BigIntegerField()
    remote_object = models.CharField(max_length=60)
    remote_id = models.CharField(max_length=100, blank=True)
    direction = models.CharField(max_length=5, default="push")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    # names of the remote fields that were sent
    fields = models.JSONField(default=list, blank=True)
    error_class = models.CharField(max_length=20, blank=True)
    message = models.TextField(blank=True)
    trace_id = models.CharField(max_length=40, blank=True)
    run = models.ForeignKey(
        "integrations.Run",
        null=True,
        on_delete=models.CASCADE,
        related_name="entries",
        db_index=False,
    )
    # field -> [value before, value after] of what a run changed on the side it wrote to
    undo = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    class Meta:
        verbose_name_plural = "sync entries"
        indexes = [
            models.Index(
                fields=["run", "id"],
                name="sync_of_run",
                condition=models.Q(run__isnull=False),
            ),
            models.Index(
                fields=["workspace", "record_type", "record_id", "-id"],
                name="sync_of_record",
            ),
            models.Index(fields=["workspace", "-id"], name="sync_newest"),
            models.Index(fields=["connection", "-id"], name="sync_of_connection"),
        ]

    def __str__(self) -> str:
        return f"{self.record_type} {self.record_id}: {self.outcome}"
