"""What every record has: its workspace, its own fields, a version, its times."""

from __future__ import annotations

from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace


class RecordType(models.TextChoices):
    """The kinds of record the hub keeps."""

    LEAD = "lead", "Lead"
    COMPANY = "company", "Company"
    DEAL = "deal", "Deal"
    ACTIVITY = "activity", "Activity"
    CAMPAIGN = "campaign", "Campaign"
    CAMPAIGN_MEMBER = "campaign_member", "Campaign member"


class Record(models.Model):
    """Base of all records. `version` rises with every change."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    # Values of the workspace's own fields: name -> JSON value.
    custom = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceManager()

    class Meta:
        abstract = True
