"""Fields a workspace defines for itself."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from leads.models.base import RecordType


class CustomField(models.Model):
    """One field of one record type; its values stand in `Record.custom`."""

    class Type(models.TextChoices):
        """What a value may be."""

        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        BOOL = "bool", "Yes or no"
        DATE = "date", "Date"
        DATETIME = "datetime", "Date and time"
        ENUM = "enum", "One of a list"
        MULTI_ENUM = "multi_enum", "Several of a list"
        EMAIL = "email", "E-mail"
        PHONE = "phone", "Phone"
        URL = "url", "Web address"

    workspace = models.ForeignKey(
        Workspace,
        on_delete=models.CASCADE,
        related_name="custom_fields",
        db_index=False,
    )
    record_type = models.CharField(max_length=20, choices=RecordType.choices)
    name = models.CharField(
        max_length=60,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*$", "Use a-z, 0-9 and _.")],
    )
    label = models.CharField(max_length=100)
    type = models.CharField(max_length=12, choices=Type.choices)
    # [{"value": "hot", "label": "Hot"}, ...] for the two list types
    options = models.JSONField(default=list, blank=True)
    description = models.CharField(max_length=300, blank=True)
    archived = models.BooleanField(default=False)

    objects = WorkspaceManager()

    class Meta:
        ordering = ["record_type", "label"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "record_type", "name"],
                name="one_custom_field_per_name",
            )
        ]

    def __str__(self) -> str:
        return self.label
