"""Pushes due outbox rows: claim, gather, decide, look up, write, record.

Every vendor call carries as many records as the vendor takes. No transaction is open
while one is under way.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import IntegrityError, OperationalError
from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast
from django_scopes import scopes_disabled

from crmsync.core import queue, tracing
from crmsync.core.models import WorkItem
from crmsync.core.queue import Failure
from crmsync.core.scoping import in_workspace
from integrations.connectors.base import Connector
from integrations.connectors.http import CallRecord
from integrations.connectors.session import open_connector
from integrations.errors import (
    DuplicateFound,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    ReauthRequired,
    RecordGone,
    RecordRejected,
    SyncError,
    redact,
)
from integrations.models import Connection, Link, ObjectMapping
from integrations.records import WriteResult
from integrations.sync import adopt, gather, journal, outbox, signin
from integrations.sync.journal import Failed, Written
from integrations.sync.links import owners_of
from integrations.sync.plan import (
    Decision,
    Hold,
    Leave,
    Rules,
    Send,
    Subject,
    Wait,
    decide,
)

log = logging.getLogger(__name__)

UNHINTED_PAUSE_S = 10.0
_rng = random.Random()


def push_due() -> int:
    """Push what is due on every channel until nothing is, or the time slice is over.

    Returns how many rows were taken on.
    """
    deadline = time.monotonic() + settings.WORK_TIME_SLICE_S
    total = 0
    while time.monotonic() < deadline:
        done = sum(_push_group(mapping) for mapping in _due_mappings())
        total += done
        if not done:
            break
    return total


@scopes_disabled()
def _due_mappings() -> list[ObjectMapping]:
    """Return the mappings with due rows: fairest channel first, parents first.

    One look into the index per mapping, however long the backlog is.
    """
    channels = queue.due_channels(outbox.KIND)
    rows = WorkItem.objects.filter(
        queue.due(outbox.KIND),
        channel=OuterRef("connection__channel"),
        group=Cast(OuterRef("pk"), CharField()),
    )
    mappings = ObjectMapping.objects.filter(
        Exists(rows), connection__channel__in=channels
    ).select_related("connection__channel", "workspace")
    place = {channel: number for number, channel in enumerate(channels)}
    return sorted(
        mappings,
        key=lambda one: (
            place[one.connection.channel_id or 0],
            outbox.RANK[one.record_type],
            one.pk,
        ),
    )


def _push_group(mapping: ObjectMapping) -> int:
    with in_workspace(mapping.workspace):
        connector, calls = open_connector(mapping.connection)
        items = queue.claim(
            outbox.KIND,
            channel_id=mapping.connection.channel_id or 0,
            group=str(mapping.pk),
            limit=connector.spec.batch.write,
            full_if_busy=True,
        )
        if not items:
            return 0
        with tracing.bound(item.trace_id for item in items):
            try:
                push(mapping, items, connector)
            except Exception as error:
                log.exception("push failed", extra={"mapping": mapping.pk})
                failure = Failure("bug", redact(f"{type(error).__name__}: {error}"))
                _fail_all(mapping, items, failure)
            finally:
                _note_calls(mapping, items, calls.take())
        return len(items)


def _note_calls(
    mapping: ObjectMapping, items: Sequence[WorkItem], calls: Sequence[CallRecord]
) -> None:
    trace = tracing.only(item.trace_id for item in items)
    journal.record_calls(mapping.connection, calls, trace_id=trace)
    log.info(
        "pushed",
        extra={
            "connection": mapping.connection_id,
            "mapping": mapping.pk,
            "count": len(items),
            "outcomes": [call.outcome for call in calls],
            "vendor_request_ids": [call.request_id for call in calls],
        },
    )


@dataclass(slots=True)
class _Sorted:
    """Decisions by kind, each with the outbox row it is about."""

    send: list[tuple[WorkItem, Subject, Send]] = field(default_factory=list)
    leave: list[tuple[WorkItem, Leave]] = field(default_factory=list)
    wait: list[tuple[WorkItem, Wait]] = field(default_factory=list)
    hold: list[Failed] = field(default_factory=list)

    def add(self, item: WorkItem, subject: Subject, decision: Decision) -> None:
        if isinstance(decision, Send):
            self.send.append((item, subject, decision))
        elif isinstance(decision, Leave):
            self.leave.append((item, decision))
        elif isinstance(decision, Wait):
            self.wait.append((item, decision))
        elif isinstance(decision, Hold):
            self.hold.append(journal.held(item, decision))


def push(
    mapping: ObjectMapping, items: Sequence[WorkItem], connector: Connector
) -> None:
    """Bring the CRM up to date with the claimed rows of one mapping."""
    if not mapping.active or mapping.direction == ObjectMapping.Direction.PULL:
        off = Leave("excluded", "The mapping no longer sends anything.")
        journal.record_left(mapping, [(item, off) for item in items])
        return
    rules = gather.rules_of(mapping, connector)
    subjects = gather.subjects(mapping, items)
    sorted_ = _Sorted()
    for item, subject in zip(items, subjects, strict=True):
        sorted_.add(item, subject, decide(subject, rules))
    journal.record_left(mapping, sorted_.leave)
    journal.record_waits(sorted_.wait)
    journal.record_failed(mapping, sorted_.hold, _rng)
    if sorted_.send:
        _send(mapping, sorted_.send, rules, connector)


def _send(
    mapping: ObjectMapping,
    sends: list[tuple[WorkItem, Subject, Send]],
    rules: Rules,
    connector: Connector,
) -> None:
    items = [item for item, _, _ in sends]
    used = signin.generation_of(mapping.connection)
    try:
        sends = _without_adopted(mapping, sends, rules, connector)
        ours = {item.pk for item in queue.extend([item for item, _, _ in sends])}
        sends = [one for one in sends if one[0].pk in ours]
        if not sends:
            return
        writes = [send.write for _, _, send in sends]
        results = connector.write(mapping.remote_object, writes)
    except RateLimited as error:
        _slow_down(mapping.connection, items, error)
    except ReauthRequired as error:
        _sign_in_needed(mapping.connection, items, error, used)
    except SyncError as error:
        _fail_all(mapping, items, failure_of(error))
    else:
        _record(mapping, sends, results, used)


def _without_adopted(
    mapping: ObjectMapping,
    sends: list[tuple[WorkItem, Subject, Send]],
    rules: Rules,
    connector: Connector,
) -> list[tuple[WorkItem, Subject, Send]]:
    """Link what is in the CRM already instead of writing it again."""
    found = adopt.find(mapping, [(s, send) for _, s, send in sends], rules, connector)
    by_ref = {item_subject.ref: item for item, item_subject, _ in sends}
    written = [
        Written(
            by_ref[ref],
            one.remote_id,
            "linked",
            one.agreed,
            found=one.found,
            again=True,
        )
        for ref, one in found.adopted.items()
    ]
    held = [journal.held(by_ref[ref], hold) for ref, hold in found.unsure.items()]
    journal.record_written(mapping, written)
    journal.record_failed(mapping, held, _rng)
    settled = set(found.adopted) | set(found.unsure)
    return [one for one in sends if one[1].ref not in settled]


# --- results --------------------------------------------------------------------------


def _record(
    mapping: ObjectMapping,
    sends: Sequence[tuple[WorkItem, Subject, Send]],
    results: Sequence[WriteResult],
    used: int | None,
) -> None:
    try:
        _settle(mapping, sends, results, used)
    except (IntegrityError, OperationalError):
        # Another worker linked one of these meanwhile, or was in the way. What has
        # reached the CRM must not count as failed for that: look once more.
        _settle(mapping, sends, results, used)


def _settle(
    mapping: ObjectMapping,
    sends: Sequence[tuple[WorkItem, Subject, Send]],
    results: Sequence[WriteResult],
    used: int | None,
) -> None:
    taken = owners_of(
        mapping.connection,
        mapping.remote_object,
        [result.remote_id for result in results if result.remote_id],
    )
    written: list[Written] = []
    failed: list[Failed] = []
    slowed: list[tuple[WorkItem, RateLimited]] = []
    refused: list[tuple[WorkItem, ReauthRequired]] = []
    for (item, _, send), result in zip(sends, results, strict=True):
        outcome = _judge(item, send, result, taken)
        if isinstance(outcome, Written):
            written.append(outcome)
        elif isinstance(result.error, RateLimited):
            slowed.append((item, result.error))
        elif isinstance(result.error, ReauthRequired):
            refused.append((item, result.error))
        else:
            failed.append(outcome)
    journal.record_written(mapping, written)
    journal.record_failed(mapping, failed, _rng)
    _mark_gone(mapping, sends, results)
    if refused:
        held, error = [item for item, _ in refused], refused[0][1]
        _sign_in_needed(mapping.connection, held, error, used)
    if slowed:
        _slow_down(mapping.connection, [item for item, _ in slowed], slowed[0][1])


def _judge(
    item: WorkItem, send: Send, result: WriteResult, taken: dict[str, int]
) -> Written | Failed:
    fields = {name: str(value) for name, value in send.write.fields.items()}
    error: SyncError | None = result.error
    remote_id = result.remote_id
    if isinstance(error, DuplicateFound) and send.write.remote_id:
        # Ours is linked; the other one has the value we wanted to give it.
        return Failed(item, failure_of(error))
    if isinstance(error, DuplicateFound) and error.existing_id:
        # It is there under an id we did not know: link it, then update it.
        remote_id, fields = error.existing_id, {}
        error = None
    elif isinstance(error, DuplicateFound):
        # It is there under our key: the next try looks it up and adopts it.
        error = OutcomeUnknown(error.message, detail=error.detail)
    if remote_id is None:
        return Failed(item, failure_of(error or OutcomeUnknown("No id came back.")))
    record_id = outbox.record_of(item.key)
    # Remembered at once: two of one batch can turn out to be the same record there.
    owner = taken.setdefault(remote_id, record_id)
    if owner != record_id:
        told = f"Record {remote_id} in the CRM already belongs to record {owner} here."
        return Failed(item, Failure("duplicate", told, code="ALREADY_LINKED"))
    if error is not None:
        return Failed(item, failure_of(error))
    linking = result.error is not None
    is_new = send.write.remote_id is None
    found = is_new and (linking or result.created is False)
    outcome = "linked" if linking else "created" if is_new and not found else "updated"
    return Written(item, remote_id, outcome, fields, found=found, again=linking)


def failure_of(error: SyncError) -> Failure:
    """Return an error as what the outbox keeps: class, words, code and field."""
    name = error.field if isinstance(error, RecordRejected | Misconfigured) else ""
    message = error.message or error.detail or type(error).__name__
    code = error.code or (str(error.status) if error.status else "")
    detail = "" if error.detail == message else error.detail
    return Failure(error.error_class, message, code=code, field=name, detail=detail)


def _fail_all(
    mapping: ObjectMapping, items: Sequence[WorkItem], failure: Failure
) -> None:
    journal.record_failed(mapping, [Failed(item, failure) for item in items], _rng)


def _slow_down(
    connection: Connection, items: Sequence[WorkItem], error: RateLimited
) -> None:
    """Let the whole connection wait as long as it was told; no try is used up."""
    queue.pause(connection.channel_id or 0, _pause_s(error))
    queue.give_back(items, failure=failure_of(error))


def _pause_s(error: RateLimited) -> float:
    told = error.retry_after_s
    return told if told is not None else UNHINTED_PAUSE_S


def _sign_in_needed(
    connection: Connection,
    items: Sequence[WorkItem],
    error: ReauthRequired,
    used: int | None,
) -> None:
    """Hold everything of the connection until a person signs in again."""
    signin.end(connection, error, used=used)
    queue.give_back(items, failure=failure_of(error))


def _mark_gone(
    mapping: ObjectMapping,
    sends: Sequence[tuple[WorkItem, Subject, Send]],
    results: Sequence[WriteResult],
) -> None:
    gone = [
        send.write.remote_id
        for (_, _, send), result in zip(sends, results, strict=True)
        if isinstance(result.error, RecordGone) and send.write.remote_id
    ]
    if gone:
        Link.objects.filter(
            connection=mapping.connection,
            remote_object=mapping.remote_object,
            remote_id__in=gone,
        ).update(state=Link.State.DELETED)
