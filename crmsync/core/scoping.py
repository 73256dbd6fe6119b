"""The workspace of this request or work item; a query outside one raises."""

from __future__ import annotations

from contextlib import AbstractContextManager

from django_scopes import scope, scopes_disabled

from crmsync.core.models import Channel, Membership, User, Workspace

SESSION_KEY = "workspace"


def in_workspace(workspace: Workspace) -> AbstractContextManager[None]:
    """Limit every query inside to what the workspace owns."""
    return scope(workspace=workspace)


def workspace_channel(workspace_id: int) -> Channel:
    """Return the channel for work that belongs to no connection.

    Its cap of one keeps deliveries of a workspace in order.
    """
    name = f"workspace:{workspace_id}"
    found, _ = Channel.objects.get_or_create(name=name, defaults={"cap": 1})
    return found


def memberships_of(user: User) -> list[Membership]:
    """Return what a person belongs to, by workspace name."""
    with scopes_disabled():
        mine = Membership.objects.filter(user=user).select_related("workspace", "user")
        return list(mine.order_by("workspace__name"))


def choose_membership(user: User, wanted_id: object) -> Membership | None:
    """Return the membership of the wanted workspace, or of the first one."""
    mine = memberships_of(user)
    chosen = [one for one in mine if one.workspace_id == wanted_id]
    return next(iter(chosen or mine), None)
