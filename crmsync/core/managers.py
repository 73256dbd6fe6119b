"""The managers of what a workspace owns: outside a scope their queries raise.

The same as `django_scopes.ScopedManager`, but as classes, which a type checker can
follow to the model.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

from django.db import models
from django_scopes import get_scope
from django_scopes.manager import DisabledQuerySet

M = TypeVar("M", bound=models.Model)


class WorkspaceManager(models.Manager[M]):
    """Limits every query to the workspace of the scope."""

    # The way from the model to its workspace.
    path: ClassVar[str] = "workspace"

    def get_queryset(self) -> models.QuerySet[M]:
        """Return what the scope may see. Queries outside a scope raise ScopeError."""
        scope = get_scope()
        if not scope.get("_enabled", True):
            return super().get_queryset()
        if "workspace" not in scope:
            return DisabledQuerySet(
                self.model, using=self._db, missing_scopes={"workspace"}
            )
        return super().get_queryset().filter(**{self.path: scope["workspace"]})

    def all(self) -> models.QuerySet[M]:
        """Return a fresh query; Django's shortcut would go around the scope."""
        return self.get_queryset()


class ViaConnection(WorkspaceManager[M]):
    """For what belongs to a connection."""

    path = "connection__workspace"


class ViaMapping(WorkspaceManager[M]):
    """For what belongs to an object mapping."""

    path = "mapping__workspace"
