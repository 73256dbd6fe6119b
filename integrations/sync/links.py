"""Links: which record is which remote record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from crmsync.core.models import Workspace
from integrations.models import Connection, Link


def hub_key(workspace: Workspace, record_type: str, record_id: int) -> str:
    """Return the key we keep in the CRM: stable for the record's life, unguessable.

    Its proof holds the workspace's time of birth, so that two hubs that write to the
    same account do not take each other's records for their own.
    """
    born = workspace.created_at.isoformat()
    text = f"{workspace.pk}|{born}|{record_type}|{record_id}"
    return f"{record_id}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def record_of_key(workspace: Workspace, record_type: str, key: str) -> int | None:
    """Return whose key it is, None when it is not one that we gave."""
    number, _, _ = key.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    record_id = int(number)
    return record_id if hub_key(workspace, record_type, record_id) == key else None


def links_of(
    connection: Connection, record_type: str, remote_object: str, ids: Iterable[int]
) -> dict[int, Link]:
    """Return record id -> its link, one query."""
    rows = Link.objects.filter(
        connection=connection,
        record_type=record_type,
        remote_object=remote_object,
        record_id__in=list(ids),
    )
    return {link.record_id: link for link in rows}


def owners_of(
    connection: Connection, remote_object: str, remote_ids: Sequence[str]
) -> dict[str, int]:
    """Return remote id -> id of the record it is linked to already."""
    rows = Link.objects.filter(
        connection=connection, remote_object=remote_object, remote_id__in=remote_ids
    )
    return dict(rows.values_list("remote_id", "record_id"))
