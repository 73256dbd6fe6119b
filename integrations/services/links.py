"""Parting a record from its remote record by hand, and joining the two again."""

from __future__ import annotations

from django.db import transaction

from crmsync.core import queue
from crmsync.core.services import Actor, Refused, audit
from integrations.models import Conflict, Link, ObjectMapping
from integrations.sync import failures_in, outbox, pull
from leads.services.fields import MODELS


def unlink(link: Link, actor: Actor) -> Link:
    """Let a pair go its own ways: nothing is sent and nothing taken in any more.

    What waits to be deleted on this side stays. Raises Refused when it is unlinked.
    """
    with transaction.atomic():
        link = _locked(link)
        if link.state == Link.State.UNLINKED:
            raise Refused("state", "The two are not linked any more.")
        link.state, link.gone_at = Link.State.UNLINKED, queue.now()
        link.save(update_fields=["state", "gone_at"])
        # There is nothing left to decide; a relink finds what differs then.
        Conflict.objects.filter(link=link, state=Conflict.State.OPEN).delete()
        audit(link.workspace, actor, "link.unlinked", target=link)
    return link


def relink(link: Link, actor: Actor) -> Link:
    """Join an unlinked pair again and bring it in step.

    What both last agreed on still holds, so that a change on either side since is
    known for one. Raises Refused. The caller wakes the workers.
    """
    with transaction.atomic():
        link = _locked(link)
        if link.state != Link.State.UNLINKED:
            raise Refused("state", "The two are not unlinked.")
        if not MODELS[link.record_type].objects.filter(pk=link.record_id).exists():
            raise Refused("record_id", "The record no longer exists here.")
        link.state, link.gone_at, link.remote_version = Link.State.LINKED, None, None
        link.save(update_fields=["state", "gone_at", "remote_version"])
        _bring_in_step(link)
        audit(link.workspace, actor, "link.relinked", target=link)
    return link


def _locked(link: Link) -> Link:
    rows = Link.objects.select_for_update(of=("self",))
    return rows.select_related("connection", "workspace").get(pk=link.pk)


def _bring_in_step(link: Link) -> None:
    """Read theirs first where that is taken in: then it is known who changed what."""
    mapping = ObjectMapping.objects.select_related("connection").filter(
        connection=link.connection,
        record_type=link.record_type,
        remote_object=link.remote_object,
        active=True,
    )
    for one in mapping:
        if pull.pulls(one):
            queue.ask(failures_in.asks(one, [link.remote_id]))
        else:
            outbox.queue_records(link.workspace, one, [link.record_id])
