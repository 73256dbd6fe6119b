"""The settings of a workspace itself."""

from __future__ import annotations

from django.db import transaction

from crmsync.core.models import Workspace
from crmsync.core.services import Actor, audit


@transaction.atomic
def change_workspace(
    workspace: Workspace, actor: Actor, *, name: str, time_zone: str, phone_region: str
) -> Workspace:
    """Store name, time zone and phone region; the caller has checked them."""
    given = {"name": name, "time_zone": time_zone, "phone_region": phone_region}
    changed = {
        field: [getattr(workspace, field), value]
        for field, value in given.items()
        if getattr(workspace, field) != value
    }
    if not changed:
        return workspace
    for field, value in given.items():
        setattr(workspace, field, value)
    workspace.save(update_fields=list(given))
    audit(workspace, actor, "workspace.changed", target=workspace, details=changed)
    return workspace
