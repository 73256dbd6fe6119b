"""What every page knows: the workspace, the role, what may be done."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest

from crmsync import __version__
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.roles import ALLOWED, Can, allows
from crmsync.core.scoping import memberships_of


def product(request: HttpRequest) -> dict[str, object]:
    """Return the context of the base layout."""
    workspace = getattr(request, "workspace", None)
    role = getattr(request, "role", None)
    mine = memberships_of(request.user) if workspace and request.user.pk else []
    return {
        "product_version": __version__,
        "workspace": workspace,
        "memberships": mine,
        "can": {what.value: True for what in ALLOWED.get(role or "", frozenset())},
        # Asked only where a page shows it, and once per page.
        "open_issue_count": cache(lambda: _open_issues(role) if workspace else 0),
    }


def _open_issues(role: str | None) -> int:
    """Return how much failed and waits for a person who may look at it."""
    if not allows(role, Can.VIEW_SYNC):
        return 0
    failed = WorkItem.objects.filter(failed_at__isnull=False, state=State.PARKED)
    return failed.count()
