"""Links: which record is which remote record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef, QuerySet

from crmsync.core.models import Workspace
from integrations.models import Connection, Link, ObjectMapping
from leads.models import Deal, Stage


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


def links_of(mapping: ObjectMapping, ids: Iterable[int]) -> dict[int, Link]:
    """Return record id -> its link, one query."""
    rows = Link.objects.of(mapping).filter(record_id__in=list(ids))
    return {link.record_id: link for link in rows}


def owners_of(
    connection: Connection, remote_object: str, remote_ids: Sequence[str]
) -> dict[str, int]:
    """Return remote id -> id of the record it is linked to already."""
    rows = Link.objects.filter(
        connection=connection, remote_object=remote_object, remote_id__in=remote_ids
    )
    return dict(rows.values_list("remote_id", "record_id"))


def link_if_free(mapping: ObjectMapping, record_id: int, remote_id: str) -> None:
    """Link a record that has no link to a remote record that has none; else nothing.

    They meet as strangers: what they have is compared when one of them is next.
    """
    taken = Link.objects.filter(
        connection=mapping.connection, remote_object=mapping.remote_object
    )
    if taken.filter(remote_id=remote_id).exists():
        return
    Link.objects.get_or_create(
        connection=mapping.connection,
        record_type=mapping.record_type,
        record_id=record_id,
        remote_object=mapping.remote_object,
        defaults={
            "workspace_id": mapping.workspace_id,
            "remote_id": remote_id,
            "found": True,
        },
    )


def forget(mapping: ObjectMapping, remote_ids: Sequence[str]) -> None:
    """Forget whose these were; to be called in the transaction that links them anew."""
    if remote_ids:
        Link.objects.filter(
            connection=mapping.connection,
            remote_object=mapping.remote_object,
            remote_id__in=remote_ids,
        ).delete()


def unsent_deals(mapping: ObjectMapping, leads: Iterable[int]) -> QuerySet[Deal]:
    """Return the open deals of these leads that a mapping has still to make there."""
    sends = mapping.active and mapping.direction != ObjectMapping.Direction.PULL
    if not (sends and mapping.creates):
        return Deal.objects.none()
    link = Link.objects.filter(
        connection=mapping.connection,
        record_type="deal",
        record_id=OuterRef("pk"),
        remote_object=mapping.remote_object,
    )
    deals = Deal.objects.filter(lead__in=list(leads), stage__outcome=Stage.Outcome.OPEN)
    return deals.filter(~Exists(link)).order_by("pk")
