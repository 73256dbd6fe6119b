"""Workspaces, people, work items and the audit trail."""

from crmsync.core.models.audit import AuditEntry
from crmsync.core.models.user import User
from crmsync.core.models.work import Channel, WorkItem
from crmsync.core.models.workspace import ApiKey, Membership, Workspace

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Channel",
    "Membership",
    "User",
    "WorkItem",
    "Workspace",
]
