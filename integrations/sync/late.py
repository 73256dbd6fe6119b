"""Deletions that are due under mappings that only send: a poll follows those of others.

Such a mapping has a turn like a poll's, of which it reads nothing, and only while there
is something to do in it.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from crmsync.core import queue
from integrations.connectors.base import Connector
from integrations.models import Link, ObjectMapping
from integrations.sync import gone


def only_sends(mapping: ObjectMapping) -> bool:
    """Tell whether nothing is ever read of a mapping by a poll."""
    return mapping.direction == ObjectMapping.Direction.PUSH


def is_due() -> Q:
    """Return the condition of mappings that only send and have deletions due.

    It is a part of the query for mappings, so that the clock asks for all at once.
    """
    deleted = Link.objects.filter(
        connection=OuterRef("connection"),
        record_type=OuterRef("record_type"),
        remote_object=OuterRef("remote_object"),
        state=Link.State.DELETED,
    )
    over = deleted.filter(gone_at__lte=queue.now() - gone.QUARANTINE)
    policy = ObjectMapping.Deletes
    return Q(direction=ObjectMapping.Direction.PUSH) & (
        Q(deletes=policy.PROPAGATE) & Exists(over)
        | ~Q(deletes=policy.IGNORE) & Exists(deleted.filter(gone_at=None))
    )


def follow(mapping: ObjectMapping, connector: Connector) -> bool:
    """Follow what is due; return whether something must be looked at once more.

    Raises SyncError where the CRM could not be asked.
    """
    gone.follow_approved(mapping)
    gone.follow_met(mapping, connector)
    gone.carry_over_deletes(mapping, connector, now=queue.now())
    return ObjectMapping.objects.filter(is_due(), pk=mapping.pk).exists()
