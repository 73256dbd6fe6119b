"""One workspace's account at one vendor: its credentials, health and calls."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from crmsync.core.crypto import EncryptedTextField
from crmsync.core.managers import ViaConnection, WorkspaceManager
from crmsync.core.models import Channel, Workspace


class Connection(models.Model):
    """A connected CRM account. What may leave it is decided by its channel."""

    class Auth(models.TextChoices):
        """How we sign in."""

        OAUTH = "oauth", "OAuth"
        TOKEN = "token", "Private app token"

    class Status(models.TextChoices):
        """Whether it works."""

        SETTING_UP = "setting_up", "Setting up"
        ACTIVE = "active", "Connected"
        NEEDS_REAUTH = "needs_reauth", "Reconnect"
        DISCONNECTED = "disconnected", "Disconnected"

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="connections"
    )
    vendor = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    auth = models.CharField(max_length=10, choices=Auth.choices)
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.SETTING_UP
    )
    status_detail = models.CharField(max_length=500, blank=True)
    channel = models.OneToOneField(
        Channel, null=True, on_delete=models.PROTECT, related_name="connection"
    )
    # The vendor's id of the account: a reconnect to another one is refused.
    account_id = models.CharField(max_length=60, blank=True)
    account_name = models.CharField(max_length=200, blank=True)
    # The account's own API host, where the vendor gives each its own; else "".
    api_url = models.CharField(max_length=200, blank=True)
    # The vendor's user that our calls act as, to know our own writes by.
    user_id = models.CharField(max_length=100, blank=True)
    # What all amounts of the account are in; "" where it has several, or is not known.
    currency = models.CharField(max_length=3, blank=True)
    # Their clock minus ours, from the Date headers; None until known.
    clock_offset_s = models.FloatField(null=True, blank=True)
    scopes = models.JSONField(default=list, blank=True)
    # remote object -> name of the unique property that holds our key, "" if refused
    key_fields = models.JSONField(default=dict, blank=True)
    # [{"id": ..., "label": ..., "stages": [{"id", "label", "closed", "probability"}]}]
    pipelines = models.JSONField(default=list, blank=True)
    # [{"id": ..., "email": ..., "name": ...}]
    owners = models.JSONField(default=list, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "vendor", "account_id"],
                condition=~models.Q(account_id=""),
                name="one_connection_per_account",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the page of the connection."""
        return reverse("connection", args=[self.pk])


class OAuthToken(models.Model):
    """The secrets of a connection; a private app's token has no refresh and no end."""

    connection = models.OneToOneField(
        Connection, on_delete=models.CASCADE, primary_key=True, related_name="token"
    )
    access = EncryptedTextField()
    refresh = EncryptedTextField(blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    # Life of the access token when it was given, for "refresh at 80 %".
    lifetime_s = models.PositiveIntegerField(default=0)
    # Rises with each refresh: who waited for one sees that it has happened.
    generation = models.PositiveIntegerField(default=1)
    refreshing_until = models.DateTimeField(null=True, blank=True)
    refused = models.PositiveSmallIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ViaConnection()

    def __str__(self) -> str:
        return f"token of {self.connection_id}"


class OAuthState(models.Model):
    """One sign-in under way: single use, ten minutes, bound to who began it."""

    digest = models.CharField(max_length=64, unique=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    vendor = models.CharField(max_length=20)
    session_key = models.CharField(max_length=64)
    code_verifier = EncryptedTextField(blank=True)
    redirect_uri = models.CharField(max_length=300)
    # Set when an existing connection signs in again.
    connection = models.ForeignKey(Connection, null=True, on_delete=models.CASCADE)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = WorkspaceManager()

    def __str__(self) -> str:
        return f"{self.vendor} sign-in of {self.user_id}"


class RemoteSchema(models.Model):
    """What the vendor says an object's fields are, as last described."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="schemas", db_index=False
    )
    object_type = models.CharField(max_length=60)
    # [{"name", "label", "type", "options", "required", "read_only", "unique", ...}]
    fields = models.JSONField(default=list)
    described_at = models.DateTimeField(auto_now=True)

    objects = ViaConnection()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "object_type"], name="one_schema_per_object"
            )
        ]

    def __str__(self) -> str:
        return f"{self.object_type} of {self.connection_id}"


class ApiCall(models.Model):
    """One call to a vendor: what for, how it ended. Holds no body and no secret."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="calls", db_index=False
    )
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    status = models.PositiveSmallIntegerField(null=True)
    outcome = models.CharField(max_length=20)
    inputs = models.PositiveIntegerField(default=1)
    duration_ms = models.PositiveIntegerField()
    request_id = models.CharField(max_length=100, blank=True)
    trace_id = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = ViaConnection()

    class Meta:
        verbose_name = "API call"
        indexes = [models.Index(fields=["connection", "-id"], name="call_newest")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.status or self.outcome}"
