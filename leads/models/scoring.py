"""The score and its ledger: a lead's score is the sum of its entries."""

from __future__ import annotations

from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from leads.models.lead import Lead


class ScoreRule(models.Model):
    """So many points for a kind of engagement."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="score_rules", db_index=False
    )
    event = models.CharField(max_length=40)
    label = models.CharField(max_length=100)
    points = models.SmallIntegerField()
    # At most so many points from this rule per lead; empty means no limit.
    cap = models.PositiveSmallIntegerField(null=True, blank=True)
    active = models.BooleanField(default=True)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "event"], name="one_score_rule_per_event"
            )
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.points:+d}"


class ScoreEntry(models.Model):
    """Points a lead got, why and when."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    lead = models.ForeignKey(
        Lead, on_delete=models.CASCADE, related_name="score_entries", db_index=False
    )
    rule = models.ForeignKey(ScoreRule, null=True, on_delete=models.SET_NULL)
    points = models.SmallIntegerField()
    reason = models.CharField(max_length=200)
    trace_id = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    class Meta:
        verbose_name_plural = "score entries"
        indexes = [models.Index(fields=["lead", "rule"], name="score_of_lead")]

    def __str__(self) -> str:
        return f"{self.points:+d} {self.reason}"
