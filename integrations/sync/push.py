"""Pushes due outbox rows: claim, gather, decide, look up, write, record.

Every vendor call carries as many records as the vendor takes. No transaction is open
while one is under way.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings
from django_scopes import scopes_disabled

from crmsync.core import crew, queue
from crmsync.core.models import WorkItem
from crmsync.core.queue import Failure
from crmsync.core.scoping import in_workspace
from integrations.connectors.base import Connector
from integrations.connectors.session import open_connector
from integrations.errors import RateLimited, ReauthRequired, SyncError, redact
from integrations.models import ObjectMapping
from integrations.sync import (
    calls,
    gather,
    hidden,
    journal,
    mass_pushes,
    outbox,
    pace,
    sending,
    suspending,
)
from integrations.sync.calls import failure_of
from integrations.sync.journal import Failed
from integrations.sync.plan import (
    Decision,
    Delete,
    Find,
    Hold,
    Leave,
    Send,
    Wait,
    decide,
)
from integrations.sync.subjects import Subject
from integrations.sync.terms import terms_of

log = logging.getLogger(__name__)

# Rows in one claim from which there is enough to do for another hand.
BUSY_FROM = 50
_rng = random.Random()


def push_due(*, leave_s: float = 0) -> int:
    """Push what is due on every channel until nothing is, or the time slice is over.

    leave_s: for how long what is urgent is left to the worker of that. Returns how
    many rows were taken on.
    """
    return crew.work(
        partial(push_turn, leave_s),
        hands=settings.WORK_HANDS,
        for_s=settings.WORK_TIME_SLICE_S,
        busy_from=BUSY_FROM,
    )


def push_turn(leave_s: float = 0) -> int:
    """Serve the first turn that has something for us; return how many rows."""
    return _serve(queue.turns(outbox.KIND, leave_s=leave_s))


def urgent_turn() -> int:
    """Serve the first turn that is urgent; return how many rows."""
    return _serve(queue.urgent_turns(outbox.KIND))


def _serve(turns: Sequence[queue.Turn]) -> int:
    for turn in turns:
        for mapping in _mappings_of(turn):
            if done := _push_group(mapping, turn.lane):
                return done
    return 0


@scopes_disabled()
def _mappings_of(turn: queue.Turn) -> list[ObjectMapping]:
    """Return the mappings with something due in the turn's lane, parents first."""
    mappings = ObjectMapping.objects.filter(pk__in=queue.groups_of(outbox.KIND, turn))
    return sorted(
        mappings.select_related("connection__channel", "workspace"),
        key=lambda one: (outbox.RANK[one.record_type], one.pk),
    )


def _push_group(mapping: ObjectMapping, lane: int) -> int:
    with in_workspace(mapping.workspace):
        connector, _ = open_connector(mapping.connection)
        full, most = _sizes(mapping, connector, lane)
        items = queue.claim(
            outbox.KIND,
            channel_id=mapping.connection.channel_id or 0,
            group=str(mapping.pk),
            limit=most,
            lane=lane,
            full=full,
        )
        if not items:
            return 0
        with calls.guarded(
            mapping.connection, items, done="pushed", mapping_id=mapping.pk
        ):
            _push_guarded(mapping, items, connector)
        return len(items)


def _sizes(mapping: ObjectMapping, connector: Connector, lane: int) -> tuple[int, int]:
    """Return how many rows one call takes, and how many to claim.

    What is urgent goes call by call. Of the rest, a turn is as many calls as are made
    in a short time, or one job where so many wait that it is worth it.
    """
    sizes = connector.spec.batch
    if lane == outbox.REALTIME:
        return sizes.write, sizes.write
    if lane == outbox.BULK and sizes.bulk and _many_wait(mapping, sizes.bulk_from):
        return sizes.bulk, sizes.bulk
    return sizes.write, sizes.write * pace.calls_at_once(mapping.connection_id)


def _many_wait(mapping: ObjectMapping, many: int) -> bool:
    waiting = WorkItem.objects.filter(
        queue.due(outbox.KIND, lane=outbox.BULK),
        channel=mapping.connection.channel_id,
        group=str(mapping.pk),
    )
    return len(waiting.values_list("pk")[:many]) >= many


def _push_guarded(
    mapping: ObjectMapping, items: Sequence[WorkItem], connector: Connector
) -> None:
    """Push; what fails for all of them is journalled for each."""
    try:
        push(mapping, items, connector)
    except (RateLimited, ReauthRequired):
        raise
    except SyncError as error:
        if suspending.is_about_a_row(mapping, error):
            queue.give_back(items)
        else:
            _fail_all(mapping, items, failure_of(error))
    except Exception as error:
        log.exception("push failed", extra={"mapping": mapping.pk})
        told = redact(f"{type(error).__name__}: {error}")
        _fail_all(mapping, items, Failure("bug", told))


def _fail_all(
    mapping: ObjectMapping, items: Sequence[WorkItem], failure: Failure
) -> None:
    journal.record_failed(mapping, [Failed(item, failure) for item in items], _rng)


@dataclass(slots=True)
class _Sorted:
    """Decisions by kind, each with the outbox row it is about."""

    send: list[tuple[WorkItem, Subject, Send]] = field(default_factory=list)
    find: list[tuple[WorkItem, Find]] = field(default_factory=list)
    delete: list[tuple[WorkItem, Delete]] = field(default_factory=list)
    leave: list[tuple[WorkItem, Leave]] = field(default_factory=list)
    wait: list[tuple[WorkItem, Wait]] = field(default_factory=list)
    hold: list[Failed] = field(default_factory=list)

    def add(self, item: WorkItem, subject: Subject, decision: Decision) -> None:
        match decision:
            case Send():
                self.send.append((item, subject, decision))
            case Find():
                self.find.append((item, decision))
            case Delete():
                self.delete.append((item, decision))
            case Leave():
                self.leave.append((item, decision))
            case Wait():
                self.wait.append((item, decision))
            case Hold():
                self.hold.append(journal.held(item, decision))


def push(
    mapping: ObjectMapping, items: Sequence[WorkItem], connector: Connector
) -> None:
    """Bring the CRM up to date with the claimed rows of one mapping."""
    if not mapping.active or mapping.direction == ObjectMapping.Direction.PULL:
        off = Leave("excluded", "The mapping no longer sends anything.")
        journal.record_left(mapping, [(item, off) for item in items])
        return
    terms = terms_of(mapping, connector)
    rules = gather.rules_of(mapping, terms)
    subjects = gather.subjects(mapping, items)
    if hidden.look_again(mapping, connector, subjects):
        subjects = gather.subjects(mapping, items)
    sorted_ = _Sorted()
    for item, subject in zip(items, subjects, strict=True):
        sorted_.add(item, subject, decide(subject, rules))
    journal.record_left(mapping, sorted_.leave)
    journal.record_waits(sorted_.wait)
    journal.record_failed(mapping, sorted_.hold, _rng)
    if sorted_.find:
        sending.find(mapping, sorted_.find, terms, connector)
    deletes = sorted_.delete
    if deletes:
        deletes = mass_pushes.deletes_allowed(mapping, deletes, _rng)
    if deletes:
        sending.delete(mapping, deletes, connector)
    if sorted_.send:
        sending.send(mapping, sorted_.send, rules, terms, connector)
