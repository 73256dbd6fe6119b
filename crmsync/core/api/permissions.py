"""What a role may do through the API: the same table as for pages and admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from crmsync.core.roles import Can, allows

if TYPE_CHECKING:  # settings name this module: importing views would be a circle
    from rest_framework.views import APIView


class RolePermission(BasePermission):
    """Ask the role for `view.needs[action]`, else `view.reads` or `view.writes`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether the caller's role allows the action."""
        if getattr(request, "workspace", None) is None:
            if request.user and request.user.is_authenticated:
                return False
            raise NotAuthenticated
        return allows(getattr(request, "role", None), needed(request, view))


def needed(request: Request, view: APIView) -> Can:
    """Return what the view's current action needs."""
    by_action: dict[str, Can] = getattr(view, "needs", {})
    action = getattr(view, "action", None) or ""
    if action in by_action:
        return by_action[action]
    if request.method in SAFE_METHODS:
        return getattr(view, "reads", Can.VIEW_RECORDS)
    return getattr(view, "writes", Can.MANAGE_WORKSPACE)
