"""A deal, the pipeline and stage it stands in, and how it got there."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from leads.models.base import Record
from leads.models.company import Company
from leads.models.lead import Lead


class Pipeline(models.Model):
    """A way deals go, as a row of stages."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="pipelines", db_index=False
    )
    name = models.CharField(max_length=100)
    is_default = models.BooleanField(default=False)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"], name="one_pipeline_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    """One step of a pipeline."""

    class Outcome(models.TextChoices):
        """Whether a deal in this stage is still open."""

        OPEN = "open", "Open"
        WON = "won", "Won"
        LOST = "lost", "Lost"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    pipeline = models.ForeignKey(
        Pipeline, on_delete=models.CASCADE, related_name="stages", db_index=False
    )
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField()
    outcome = models.CharField(
        max_length=5, choices=Outcome.choices, default=Outcome.OPEN
    )

    objects = WorkspaceManager()

    class Meta:
        ordering = ["pipeline", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "name"], name="one_stage_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Deal(Record):
    """A possible sale to a lead."""

    name = models.CharField(max_length=200)
    lead = models.ForeignKey(
        Lead,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="deals",
        db_index=False,
    )
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="deals"
    )
    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT)
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT)
    amount = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    close_date = models.DateField(null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="deals",
    )
    source = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-id"], name="deal_newest"),
            models.Index(fields=["lead", "pipeline"], name="deal_of_lead"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the page of the deal."""
        return reverse("deal", args=[self.pk])


class StageChange(models.Model):
    """A deal entered a stage."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    deal = models.ForeignKey(
        Deal, on_delete=models.CASCADE, related_name="stage_changes"
    )
    from_stage = models.ForeignKey(
        Stage, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    to_stage = models.ForeignKey(
        Stage, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    origin = models.CharField(max_length=60)
    at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.from_stage or '–'} to {self.to_stage}"
