"""What every page knows: the workspace, the role, what may be done."""

from __future__ import annotations

from django.http import HttpRequest

from crmsync import __version__
from crmsync.core.roles import ALLOWED
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
    }
