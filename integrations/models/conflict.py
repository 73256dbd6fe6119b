"""Conflicts: both sides changed one field; what became of each value."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from integrations.models.connection import Connection
from integrations.models.link import Link
from integrations.models.mapping import ObjectMapping
from leads.models import RecordType


class Conflict(models.Model):
    """One field that both sides changed. Settled by its rule, or by a person."""

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open", "Waiting for a decision"
        BY_RULE = "by_rule", "Settled by the rule"
        RESOLVED = "resolved", "Settled by a person"

    class Winner(models.TextChoices):
        """Whose value was kept."""

        HUB = "hub", "crmsync"
        CRM = "crm", "The CRM"

    REASON_LENGTH = 400

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE)
    mapping = models.ForeignKey(
        ObjectMapping, on_delete=models.CASCADE, related_name="conflicts"
    )
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="conflicts")
    record_type = models.CharField(max_length=20, choices=RecordType.choices)
    record_id = models.BigIntegerField()
    field = models.CharField(max_length=80)
    remote_field = models.CharField(max_length=100)
    # Each as the CRM writes it; None where there was none.
    base_value = models.TextField(null=True)
    hub_value = models.TextField(null=True)
    crm_value = models.TextField(null=True)
    # The CRM's value as the hub would store it.
    crm_as_ours = models.JSONField(null=True)
    hub_at = models.DateTimeField(null=True)
    crm_at = models.DateTimeField(null=True)
    hub_by = models.CharField(max_length=120, blank=True)
    crm_by = models.CharField(max_length=120, blank=True)
    rule = models.CharField(max_length=12)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    winner = models.CharField(max_length=5, choices=Winner.choices, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["link", "remote_field"],
                condition=models.Q(state="open"),
                name="one_open_conflict_per_field",
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "state", "-id"], name="conflict_newest"),
            models.Index(
                fields=["workspace", "record_type", "record_id"],
                name="conflict_of_record",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.record_type} {self.record_id}"
