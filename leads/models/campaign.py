"""A campaign and who is in it."""

from __future__ import annotations

from django.db import models

from crmsync.core.models import Workspace
from leads.models.base import Record
from leads.models.lead import Lead


class Campaign(Record):
    """An outreach or marketing effort, by its name within a source."""

    name = models.CharField(max_length=200)
    source = models.CharField(max_length=60, blank=True)
    external_id = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "source", "name"], name="one_campaign_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class CampaignMember(Record):
    """A lead in a campaign, since `created_at`; a lead is in a campaign once."""

    class Status(models.TextChoices):
        """How far it came, in this order."""

        CONTACTED = "contacted", "Contacted"
        RESPONDED = "responded", "Responded"

    # Nothing else begins with it.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="members", db_index=False
    )
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="campaigns")
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.CONTACTED
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "lead"], name="one_membership_per_campaign"
            )
        ]

    def __str__(self) -> str:
        return f"{self.lead} in {self.campaign}"
