"""Deciding who a held record is: linked, made one with another, or kept apart.

Each decision is carried out at once and remembered; the held row then goes on by
itself. The caller wakes the workers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.services import Actor, Refused, audit
from integrations import lookalikes
from integrations.connectors.session import open_connector
from integrations.lookalikes import Candidate, Held
from integrations.mapping.engine import Problem
from integrations.models import (
    Conflict,
    KeptApart,
    Link,
    LinkAlias,
    ObjectMapping,
)
from integrations.sync import failures_in, outbox, pull
from integrations.sync.storing import Line, write_journal
from integrations.sync.subjects import digest
from integrations.sync.terms import terms_of
from leads.facts import Origin
from leads.naming import name_in, names_of
from leads.services import merging
from leads.services.errors import InvalidFields, NoSuchRecord
from leads.snapshots import snapshots

LINK, APART, MERGE = "link", "apart", "merge"


def decide(item: WorkItem, actor: Actor, choice: str, key: str = "") -> str:
    """Carry a decision out and let the row go on; return what was done, in words.

    choice: link, apart or merge; key: which candidate, of `lookalikes.Held`. Raises
    Refused, with field "state" when it is settled already.
    """
    if choice not in _DECISIONS:
        raise Refused("choice", "Choose link, apart or merge.")
    with transaction.atomic():
        held = _locked(item)
        told = _DECISIONS[choice](held, actor, key)
        queue.retry([held.item.pk])
    return told


def _locked(item: WorkItem) -> Held:
    row = WorkItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
    held = lookalikes.held_of(row)
    if held is None:
        raise Refused("state", "This has been settled already.")
    return held


def _chosen(held: Held, key: str, choice: str) -> Candidate:
    found = held.candidate(key)
    if found is None:
        raise Refused("candidate", "Choose one of the records it may be.")
    if choice not in found.can:
        told = {
            LINK: "It cannot be linked: it belongs to another record by now.",
            MERGE: "There is nothing to merge: it belongs to no other record here.",
        }
        raise Refused("candidate", told.get(choice, "It cannot be kept apart."))
    return found


def _noted(held: Held, actor: Actor, action: str, details: Mapping[str, Any]) -> None:
    key = held.item.key
    target = f"{held.mapping}: {key.partition(':')[2] or key}"
    audit(held.mapping.workspace, actor, action, target=target, details=details)


# --- linking --------------------------------------------------------------------------


def _link(held: Held, actor: Actor, key: str) -> str:
    one = _chosen(held, key, LINK)
    record_id = held.record_id or one.record_id or 0
    remote_id = held.remote_id or one.remote_id
    mapping = held.targets.get(one.remote_object)
    if mapping is None:
        raise Refused("candidate", f"No mapping links {one.remote_object} there.")
    link = _linked(mapping, record_id, remote_id, actor)
    link.base = _theirs(held, mapping, record_id, remote_id)
    link.save()
    _bring_in_step(mapping, held, link)
    name = name_in(
        names_of(mapping.record_type, [record_id]), mapping.record_type, record_id
    )
    details = {"record_id": record_id, "remote_object": mapping.remote_object}
    _noted(held, actor, "pair.linked", {**details, "remote_id": remote_id})
    line = Line(
        record_id,
        "linked",
        remote_id=remote_id,
        direction="pull" if held.record_id is None else "push",
        message=f"Linked by hand, by {actor.user or 'the API'}.",
    )
    write_journal(mapping, [line])
    return f"{name} is linked to {mapping.remote_object} {remote_id} now."


def _linked(
    mapping: ObjectMapping, record_id: int, remote_id: str, actor: Actor
) -> Link:
    """Return the link of the two, not stored yet; what stood in its way is gone."""
    pair = {"connection": mapping.connection, "remote_object": mapping.remote_object}
    ours = {**pair, "record_type": mapping.record_type, "record_id": record_id}
    there = Link.objects.filter(**pair, remote_id=remote_id).first()
    mine = Link.objects.filter(**ours).first()
    if there is not None and there != mine:
        # Who is kept apart or gone is not in the way, see `lookalikes`.
        there.delete()
    KeptApart.objects.filter(**ours, remote_id=remote_id).delete()
    LinkAlias.objects.filter(**pair, remote_id=remote_id).delete()
    if mine is None:
        mine = Link(workspace=mapping.workspace, **ours)
    elif mine.remote_id != remote_id:
        if mine.state not in {Link.State.DELETED, Link.State.UNLINKED}:
            # Or it would be asked for the very next time that one comes in.
            _keep(mapping, record_id, mine.remote_object, mine.remote_id, actor)
        Conflict.objects.filter(link=mine, state=Conflict.State.OPEN).delete()
    mine.remote_id, mine.state, mine.found = remote_id, Link.State.LINKED, True
    mine.written, mine.turns = {}, {}
    mine.gone_at = mine.remote_version = mine.pushed_at = mine.pulled_at = None
    return mine


def _theirs(
    held: Held, mapping: ObjectMapping, record_id: int, remote_id: str
) -> dict[str, object]:
    """Return what must not be overwritten: ours, where the CRM has a value already."""
    has = (held.item.error_about or {}).get("has", {}).get(remote_id, ())
    texts = _texts(mapping, record_id) if has else {}
    return {name: texts[name] for name in has if name in texts}


def _texts(mapping: ObjectMapping, record_id: int) -> dict[str, str]:
    """Return remote field -> our value in the form in which both are compared."""
    connector, _ = open_connector(mapping.connection)
    terms = terms_of(mapping, connector)
    snapshot = snapshots(mapping.record_type, [record_id]).get(record_id)
    found = terms.texts.texts(snapshot.values) if snapshot is not None else {}
    return {
        name: terms.canon[name](text)
        for name, text in found.items()
        if not isinstance(text, Problem)
    }


def _bring_in_step(mapping: ObjectMapping, held: Held, link: Link) -> None:
    """Have theirs read where that is taken in; another mapping's push is asked for."""
    if pull.pulls(mapping):
        queue.ask(failures_in.asks(mapping, [link.remote_id]))
    is_other = mapping.pk != held.mapping.pk
    if is_other and mapping.direction != ObjectMapping.Direction.PULL:
        outbox.queue_records(mapping.workspace, mapping, [link.record_id])


# --- keeping apart --------------------------------------------------------------------


def _apart(held: Held, actor: Actor, key: str) -> str:
    mapping = held.mapping
    if not held.can_keep_apart:
        raise Refused("candidate", "There is nothing left to keep apart.")
    field, shared = "", ""
    if held.record_id is not None:
        field = held.item.error_field or mapping.match_field
        shared = _texts(mapping, held.record_id).get(field, "")
    for one in held.candidates:
        record_id = held.record_id or one.record_id or 0
        remote_id = held.remote_id or one.remote_id
        name = mapping.remote_object if held.remote_id else one.remote_object
        _keep(mapping, record_id, name, remote_id, actor, field=field, value=shared)
    details = {"candidates": [one.key for one in held.candidates]}
    _noted(held, actor, "pair.kept_apart", details)
    return "They stay two. It is remembered, and you are not asked again."


def _keep(
    mapping: ObjectMapping,
    record_id: int,
    remote_object: str,
    remote_id: str,
    actor: Actor,
    *,
    field: str = "",
    value: str = "",
) -> None:
    KeptApart.objects.update_or_create(
        connection=mapping.connection,
        record_type=mapping.record_type,
        record_id=record_id,
        remote_object=remote_object,
        remote_id=remote_id,
        defaults={
            "workspace": mapping.workspace,
            "field": field if value else "",
            "digest": digest(value) if value else "",
            "decided_by": actor.user,
        },
    )
    ObjectMapping.objects.filter(
        connection=mapping.connection, record_type=mapping.record_type
    ).update(keeps_apart=True)


@transaction.atomic
def forget(kept: KeptApart, actor: Actor) -> None:
    """Take back that two are kept apart, and have them looked at again."""
    mappings = ObjectMapping.objects.filter(
        connection=kept.connection, record_type=kept.record_type, active=True
    )
    for one in mappings.select_related("connection", "workspace"):
        if one.direction != ObjectMapping.Direction.PULL:
            outbox.queue_records(one.workspace, one, [kept.record_id])
        if one.remote_object == kept.remote_object and pull.pulls(one):
            queue.ask(failures_in.asks(one, [kept.remote_id]))
    audit(kept.workspace, actor, "pair.asked_again", target=kept)
    kept.delete()


# --- making one of two ----------------------------------------------------------------


def _merge(held: Held, actor: Actor, key: str) -> str:
    """Make our two records one: the one that is linked there is left."""
    one = _chosen(held, key, MERGE)
    winner = one.record_id or 0
    losers = [held.record_id] if held.record_id else []
    if held.record_id is None:
        others = (other.record_id for other in held.candidates)
        losers = [pk for pk in others if pk is not None and pk != winner]
    mapping, user = held.mapping, actor.user
    origin = Origin(
        kind="user" if user else "api",
        id=str(user.pk) if user else "",
        label=str(user)[:120] if user else "API",
    )
    made = []
    try:
        for loser in losers:
            row = merging.merge(
                mapping.workspace,
                mapping.record_type,
                winner_id=winner,
                loser_id=loser,
                origin=origin,
            )
            made.append(row.pk)
    except (InvalidFields, NoSuchRecord) as error:
        raise Refused("state", str(error)) from error
    details = {"winner_id": winner, "loser_ids": losers, "merges": made}
    _noted(held, actor, "pair.merged", details)
    return "They are one record here now. You can take it back for 30 days."


_DECISIONS: Mapping[str, Callable[[Held, Actor, str], str]] = {
    LINK: _link,
    APART: _apart,
    MERGE: _merge,
}
