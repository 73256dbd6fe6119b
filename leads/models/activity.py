"""What happened with a lead: messages, notes, tasks, calls, meetings; and threads."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from leads.models.base import Record
from leads.models.campaign import Campaign
from leads.models.deal import Deal
from leads.models.lead import Lead


class Conversation(models.Model):
    """A thread of messages with one lead, under the id its source gives it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    lead = models.ForeignKey(
        Lead, on_delete=models.CASCADE, related_name="conversations"
    )
    source = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)
    channel = models.CharField(max_length=20, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    last_message_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "source", "external_id"], name="one_thread_per_id"
            )
        ]

    def __str__(self) -> str:
        return self.subject or self.external_id


class Activity(Record):
    """One thing that happened or is to be done; never merged with another."""

    class Kind(models.TextChoices):
        """What it is."""

        NOTE = "note", "Note"
        TASK = "task", "Task"
        CALL = "call", "Call"
        EMAIL = "email", "E-mail"
        MEETING = "meeting", "Meeting"
        MESSAGE = "message", "Message"

    class Direction(models.TextChoices):
        """Who said it."""

        INBOUND = "inbound", "From them"
        OUTBOUND = "outbound", "From us"
        NONE = "", "–"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    direction = models.CharField(
        max_length=10, choices=Direction.choices, blank=True, default=Direction.NONE
    )
    lead = models.ForeignKey(
        Lead,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="activities",
        db_index=False,
    )
    deal = models.ForeignKey(
        Deal,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="activities",
    )
    conversation = models.ForeignKey(
        Conversation,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="activities",
    )
    campaign = models.ForeignKey(
        Campaign,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="activities",
    )
    channel = models.CharField(max_length=20, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    body = models.TextField(blank=True)
    occurred_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    source = models.CharField(max_length=60, blank=True)
    # The source's own id of it; what arrives twice is stored once.
    external_id = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "activities"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "source", "external_id"],
                condition=~models.Q(external_id=""),
                name="one_activity_per_source_id",
            )
        ]
        indexes = [
            models.Index(fields=["lead", "-occurred_at"], name="activity_of_lead"),
            models.Index(fields=["workspace", "-id"], name="activity_newest"),
        ]

    def __str__(self) -> str:
        return self.subject or f"{self.get_kind_display()} {self.pk}"
