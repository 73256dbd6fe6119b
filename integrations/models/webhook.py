"""The inbox: where webhooks are posted, each request as it came, what was in it."""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.urls import reverse

from crmsync.core.crypto import EncryptedTextField
from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from integrations.models.connection import Connection
from leads.models import Stage


class Endpoint(models.Model):
    """An address that takes one source's webhooks."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="endpoints"
    )
    source = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    # The address is the secret where a source cannot sign: found by its digest.
    token = EncryptedTextField()
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    # Secrets the source signs with, newest first, one a line while they overlap.
    secrets = EncryptedTextField(blank=True)
    # Where a reply's deal starts; empty means the default pipeline.
    deal_stage = models.ForeignKey(
        Stage, null=True, blank=True, on_delete=models.SET_NULL
    )
    # Whose changes it is told, where a CRM posts to it; it goes with the connection.
    connection = models.ForeignKey(
        Connection,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="endpoints",
    )
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_delivery_at = models.DateTimeField(null=True, blank=True)

    objects = WorkspaceManager()

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def new_token() -> str:
        """Return 192 bits for an address."""
        return secrets.token_urlsafe(24)

    @staticmethod
    def digest_of(token: str) -> str:
        """Return what an address is looked up by."""
        return hashlib.sha256(token.encode()).hexdigest()

    @property
    def url(self) -> str:
        """Return the full address to give to the source."""
        return f"{settings.PUBLIC_URL}/webhooks/{self.token}/"


class Delivery(models.Model):
    """One HTTP request, byte for byte as it arrived."""

    class State(models.TextChoices):
        """What became of it."""

        RECEIVED = "received", "Waiting"
        PROCESSED = "processed", "Processed"
        FAILED = "failed", "Failed"
        REJECTED = "rejected", "Rejected"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    received_at = models.DateTimeField()
    method = models.CharField(max_length=10)
    # name -> value; those that carry secrets are left out
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    size = models.PositiveIntegerField()
    # Same source, same key: the same delivery again. Empty for a rejected one.
    dedupe_key = models.CharField(max_length=64, null=True)
    # How often it arrived in all.
    seen = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State.choices)
    status_code = models.PositiveSmallIntegerField(default=202)
    reason = models.CharField(max_length=300, blank=True)
    traceback = models.TextField(blank=True)
    trace_id = models.CharField(max_length=40)
    processed_at = models.DateTimeField(null=True, blank=True)

    objects = WorkspaceManager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "dedupe_key"], name="one_delivery_per_key"
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "-id"], name="delivery_newest"),
            models.Index(fields=["workspace", "state", "-id"], name="delivery_state"),
            models.Index(fields=["trace_id"], name="delivery_trace"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the delivery's page."""
        return reverse("delivery", args=[self.pk])


class Event(models.Model):
    """One thing that happened in a delivery, and the records it became."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="events"
    )
    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=200)
    lead_id = models.BigIntegerField(null=True, db_index=True)
    activity_id = models.BigIntegerField(null=True)
    # recorded, repeat, ambiguous
    outcome = models.CharField(max_length=20)
    detail = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
