"""Deciding conflicts: whose value counts, now and always; and taking it back."""

from __future__ import annotations

from django.db import transaction

from crmsync.core import queue
from crmsync.core.services import Actor, Refused, audit
from integrations.connectors.session import open_connector
from integrations.mapping.merge import Base
from integrations.models import Conflict, FieldMapping, Link
from integrations.sync import outbox
from integrations.sync.cases import UNSENT, stored_base
from integrations.sync.terms import terms_of
from leads.facts import Origin
from leads.services import incoming
from leads.services.incoming import Incoming


def resolve(
    conflict: Conflict, actor: Actor, winner: str, *, always: bool = False
) -> Conflict:
    """Keep one side's value on both sides. always: from now on by rule.

    Raises Refused when it is settled already, or when the value does not fit here.
    The caller wakes the workers.
    """
    if winner not in Conflict.Winner.values:
        raise Refused("winner", "Choose crm or hub.")
    with transaction.atomic():
        rows = Conflict.objects.select_for_update(of=("self",))
        conflict = rows.select_related("link", "mapping__connection").get(
            pk=conflict.pk
        )
        if conflict.state != Conflict.State.OPEN:
            raise Refused("state", "This has been settled already.")
        _carry_out(conflict, actor, winner)
        conflict.state, conflict.winner = Conflict.State.RESOLVED, winner
        conflict.resolved_by, conflict.resolved_at = actor.user, queue.now()
        conflict.save()
        if always:
            _make_rule(conflict, winner)
        details = {"winner": winner, "always": always}
        audit(
            conflict.workspace,
            actor,
            "conflict.resolved",
            target=conflict,
            details=details,
        )
    return conflict


def _carry_out(conflict: Conflict, actor: Actor, winner: str) -> None:
    link = conflict.link
    theirs = conflict.crm_value or ""
    if winner == Conflict.Winner.CRM:
        _set_ours(conflict, actor, theirs, back=False)
        base = Base(theirs, theirs)
    else:
        base = Base(theirs, UNSENT)
    link.base = {**link.base, conflict.remote_field: stored_base(base)}
    link.turns = {n: v for n, v in link.turns.items() if n != conflict.remote_field}
    link.save(update_fields=["base", "turns"])
    if winner == Conflict.Winner.HUB:
        outbox.queue_records(conflict.workspace, conflict.mapping, [conflict.record_id])


def restore(conflict: Conflict, actor: Actor) -> Conflict:
    """Bring the losing value back, on both sides. Raises Refused when none lost."""
    if conflict.state == Conflict.State.OPEN or not conflict.winner:
        raise Refused("state", "Nothing has lost here yet: decide it instead.")
    lost = conflict.hub_value if conflict.winner == "crm" else conflict.crm_value
    with transaction.atomic():
        linked = Link.objects.filter(pk=conflict.link_id, state=Link.State.LINKED)
        if not linked.exists():
            raise Refused("state", "The two records are no longer linked.")
        _set_ours(conflict, actor, lost or "", back=True)
        outbox.queue_records(conflict.workspace, conflict.mapping, [conflict.record_id])
        conflict.winner = "hub" if conflict.winner == "crm" else "crm"
        conflict.state = Conflict.State.RESOLVED
        conflict.resolved_by, conflict.resolved_at = actor.user, queue.now()
        conflict.save()
        audit(conflict.workspace, actor, "conflict.restored", target=conflict)
    return conflict


def _set_ours(conflict: Conflict, actor: Actor, text: str, *, back: bool) -> None:
    """Write a value of the CRM's form into our record.

    back: a person's own change, which goes to every CRM.
    """
    mapping = conflict.mapping
    connector, _ = open_connector(mapping.connection)
    terms = terms_of(mapping, connector)
    values, problems = terms.inverse({conflict.remote_field: text})
    if problems:
        raise Refused("value", next(iter(problems.values())).message)
    user = actor.user
    origin = Origin(
        kind="user" if user else "api",
        id=str(user.pk) if user else "",
        label=str(user) if user else "API",
        connection_id=None if back else mapping.connection_id,
    )
    row = Incoming(ref="1", record_id=conflict.record_id, values=values)
    (taken,) = incoming.take(
        mapping.workspace, mapping.record_type, [row], origin=origin
    )
    if taken.errors:
        raise Refused("value", " ".join(taken.errors.values()))


def _make_rule(conflict: Conflict, winner: str) -> None:
    rule = FieldMapping.Rule.CRM if winner == "crm" else FieldMapping.Rule.HUB
    FieldMapping.objects.filter(
        mapping=conflict.mapping, destination=conflict.remote_field
    ).update(rule=rule)
    mapping = conflict.mapping
    mapping.version += 1
    mapping.save(update_fields=["version", "updated_at"])
