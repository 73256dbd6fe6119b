"""What each role may do, as data; pages, API and admin ask `allows`."""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    """The roles a person or a key can have in a workspace."""

    ADMIN = "admin", "Admin"
    SALES_OPS = "sales_ops", "Sales ops"
    REP = "rep", "Rep"
    VIEWER = "viewer", "Viewer"


class Can(models.TextChoices):
    """One thing that may be allowed."""

    VIEW_RECORDS = "view_records", "See leads, companies, deals and activities"
    EDIT_RECORDS = "edit_records", "Create and change records"
    DELETE_RECORDS = "delete_records", "Delete and merge records"
    VIEW_SYNC = "view_sync", "See connections, mappings, errors and deliveries"
    EDIT_MAPPINGS = "edit_mappings", "Change mappings and custom fields"
    RETRY_SYNC = "retry_sync", "Retry failed syncs and deliveries"
    MANAGE_CONNECTIONS = "manage_connections", "Connect and disconnect CRMs"
    MANAGE_WORKSPACE = "manage_workspace", "Manage people, keys and endpoints"
    USE_ADMIN = "use_admin", "Use the admin console"


_VIEWER = frozenset({Can.VIEW_RECORDS})
_REP = _VIEWER | {Can.EDIT_RECORDS}
_SALES_OPS = _REP | {
    Can.DELETE_RECORDS,
    Can.VIEW_SYNC,
    Can.EDIT_MAPPINGS,
    Can.RETRY_SYNC,
}
_ADMIN = _SALES_OPS | {Can.MANAGE_CONNECTIONS, Can.MANAGE_WORKSPACE, Can.USE_ADMIN}

ALLOWED: dict[str, frozenset[Can]] = {
    Role.VIEWER: _VIEWER,
    Role.REP: frozenset(_REP),
    Role.SALES_OPS: frozenset(_SALES_OPS),
    Role.ADMIN: frozenset(_ADMIN),
}


def allows(role: str | None, what: Can) -> bool:
    """Tell whether a role may do something; no role may do nothing.

    >>> allows(Role.REP, Can.EDIT_RECORDS), allows(Role.REP, Can.RETRY_SYNC)
    (True, False)
    """
    return what in ALLOWED.get(role or "", frozenset())
