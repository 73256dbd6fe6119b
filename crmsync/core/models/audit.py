"""The audit trail: who changed which setting, when, from what to what."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models.workspace import Workspace


class AuditEntry(models.Model):
    """One action of a person or a key; written, never changed. Holds no secret."""

    workspace = models.ForeignKey(
        Workspace,
        on_delete=models.CASCADE,
        related_name="audit_entries",
        db_index=False,
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL
    )
    api_key = models.ForeignKey("core.ApiKey", null=True, on_delete=models.SET_NULL)
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=200)
    details = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceManager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["workspace", "-at"], name="audit_newest")]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
