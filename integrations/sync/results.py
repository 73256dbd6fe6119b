"""What a write achieved, record by record, and what follows from it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, OperationalError

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.queue import Failure
from integrations.errors import (
    DuplicateFound,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    ReauthRequired,
    RecordBecame,
    RecordGone,
    SyncError,
)
from integrations.mapping.echo import version_after_write
from integrations.mapping.merge import Base
from integrations.models import Link, ObjectMapping
from integrations.records import WriteResult
from integrations.sync import calls, hidden, journal, outbox, signin, suspending
from integrations.sync.calls import failure_of
from integrations.sync.cases import stored_base
from integrations.sync.journal import Failed, Written
from integrations.sync.links import owners_of
from integrations.sync.plan import Leave, Send
from integrations.sync.subjects import Subject
from integrations.sync.terms import Terms
from leads.naming import name_in, names_of

_rng = random.Random()


@dataclass(frozen=True, slots=True)
class Batch:
    """A write that was answered.

    used: the sign-in it was made with; offset_s: their clock minus ours, None where
    nothing is known of it; there: ids that refused the write as gone and yet lead to a
    record, their own or another; unseen: those of them that are hidden from us.
    """

    mapping: ObjectMapping
    terms: Terms
    started_at: datetime
    used: int | None
    offset_s: float | None = None
    there: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()


class Double(NamedTuple):
    """A remote record turned out to be another record of ours: `owner`."""

    item: WorkItem
    remote_id: str
    owner: int


def sign_in_of(mapping: ObjectMapping) -> int | None:
    """Return which sign-in is in use; ask before calling."""
    return signin.generation_of(mapping.connection)


def record(
    batch: Batch,
    sends: Sequence[tuple[WorkItem, Subject, Send]],
    results: Sequence[WriteResult],
) -> None:
    """Write down what became of every record."""
    try:
        _settle(batch, sends, results, doubt=False)
    except (IntegrityError, OperationalError):
        # Another worker linked one of these meanwhile, or was in the way. What has
        # reached the CRM must not count as failed for that: look once more.
        _settle(batch, sends, results, doubt=True)


def _settle(
    batch: Batch,
    sends: Sequence[tuple[WorkItem, Subject, Send]],
    results: Sequence[WriteResult],
    *,
    doubt: bool,
) -> None:
    mapping = batch.mapping
    taken = owners_of(
        mapping.connection,
        mapping.remote_object,
        [result.remote_id for result in results if result.remote_id],
    )
    written: list[Written] = []
    failed: list[Failed] = []
    again: list[WorkItem] = []
    slowed: list[tuple[WorkItem, RateLimited]] = []
    refused: list[tuple[WorkItem, ReauthRequired]] = []
    apart: list[tuple[WorkItem, Leave]] = []
    double: list[Double] = []
    for (item, subject, send), result in zip(sends, results, strict=True):
        if subject.apart and (other := subject.kept_from(_found_there(result))):
            apart.append((item, Leave("excluded", other.reason)))
            continue
        outcome = _judge(batch, item, send, result, taken=taken)
        if _is_another(batch, send, result):
            told = "It became another record there; that one is next."
            outcome = Failed(item, Failure("transient", told, code="BECAME"))
        elif _is_unseen(batch, send, result):
            outcome = Failed(item, hidden.FAILURE)
        if isinstance(outcome, Written):
            written.append(outcome)
        elif isinstance(outcome, Double):
            double.append(outcome)
        elif isinstance(result.error, NotSent):
            again.append(item)
        elif isinstance(result.error, RateLimited):
            slowed.append((item, result.error))
        elif isinstance(result.error, ReauthRequired):
            refused.append((item, result.error))
        elif result.error is not None and suspending.is_about_a_row(
            mapping, result.error
        ):
            again.append(item)
        else:
            failed.append(outcome)
    journal.record_written(mapping, written, doubt=doubt)
    journal.record_left(mapping, apart)
    journal.record_failed(mapping, failed + already_linked(mapping, double), _rng)
    queue.give_back(again)
    _mark_gone(batch, sends, results)
    if refused:
        held, error = [item for item, _ in refused], refused[0][1]
        calls.sign_in_needed(mapping.connection, held, error, batch.used)
    if slowed:
        held = [item for item, _ in slowed]
        calls.slow_down(mapping.connection, held, slowed[0][1])


def _found_there(result: WriteResult) -> str | None:
    """Return the remote record a write led to, or was refused for."""
    if isinstance(result.error, DuplicateFound):
        return result.error.existing_id
    return result.remote_id


def already_linked(
    mapping: ObjectMapping, found: Sequence[tuple[WorkItem, str, int]]
) -> list[Failed]:
    """Return the failures of rows whose remote record is another record of ours.

    found: (row, remote id, the record it is); all are named in one query.
    """
    ids = {outbox.record_of(item.key) for item, _, _ in found}
    names = names_of(mapping.record_type, ids | {owner for *_, owner in found})
    failed = []
    for item, remote_id, owner in found:
        ours = name_in(names, mapping.record_type, outbox.record_of(item.key))
        other = name_in(names, mapping.record_type, owner)
        told = (
            f"{ours} seems to be a record of {mapping.connection} that is linked to "
            f"{other} already."
        )
        about = {"there": [["", remote_id]]}
        failure = Failure("duplicate", told, code="ALREADY_LINKED", about=about)
        failed.append(Failed(item, failure))
    return failed


def lost_ids(results: Sequence[WriteResult], sends: Sequence[Send]) -> list[str]:
    """Return the ids of records that refused a write as gone, or as others by now."""
    return [
        send.write.remote_id
        for send, result in zip(sends, results, strict=True)
        if isinstance(result.error, RecordGone) and send.write.remote_id
    ]


def _is_another(batch: Batch, send: Send, result: WriteResult) -> bool:
    """Tell whether the record is linked to what it became, or is there after all."""
    if isinstance(result.error, RecordBecame):
        return True
    return isinstance(result.error, RecordGone) and send.write.remote_id in batch.there


def _is_unseen(batch: Batch, send: Send, result: WriteResult) -> bool:
    return isinstance(result.error, RecordGone) and send.write.remote_id in batch.unseen


def _judge(
    batch: Batch,
    item: WorkItem,
    send: Send,
    result: WriteResult,
    *,
    taken: dict[str, int],
) -> Written | Failed | Double:
    fields = {name: str(value) for name, value in send.write.fields.items()}
    error: SyncError | None = result.error
    remote_id = result.remote_id
    if isinstance(error, DuplicateFound) and send.write.remote_id:
        # Ours is linked; the other one has the value we wanted to give it.
        return Failed(item, failure_of(error))
    if isinstance(error, DuplicateFound) and _is_of_another_object(send, error):
        told = f"{error.message} It is there as {error.existing_object}."
        return Failed(item, replace(failure_of(error), message=told.strip()))
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
        return Double(item, remote_id, owner)
    if error is not None:
        return Failed(item, failure_of(error))
    linking = result.error is not None
    is_new = send.write.remote_id is None
    found = is_new and (linking or result.created is False)
    outcome = "linked" if linking else "created" if is_new and not found else "updated"
    bases = _bases(batch.terms, fields, {} if linking else result.fields)
    if not linking:
        bases |= dict(one.tie for one in send.ties)
        bases |= {one.tie[0]: "" for one in send.untied}
    if outcome == "created":
        # Compared by that they are: what both sides enter later is a conflict, not two
        # strangers who meet with different values.
        bases |= dict.fromkeys(send.blank, "")
    return Written(
        item,
        remote_id,
        outcome,
        fields,
        found=found,
        again=linking,
        bases=bases,
        message="" if linking else _told(batch.terms, send, result, outcome),
        cleared=send.write.clears_first,
        stamp=version_after_write(
            result.updated_at,
            batch.started_at,
            batch.offset_s,
        ),
    )


def _is_of_another_object(send: Send, error: DuplicateFound) -> bool:
    """Tell whether it is there as what our mapping must not link, such as a contact."""
    return error.existing_object not in {"", send.write.object_type}


def _told(terms: Terms, send: Send, result: WriteResult, outcome: str) -> str:
    sent = {name: str(value) for name, value in send.write.fields.items()}
    told = [
        _retied(send) if outcome == "updated" else "",
        _not_taken(terms, sent, result.fields),
    ]
    return " ".join(filter(None, told))


def _retied(send: Send) -> str:
    """Say what a record that was there belongs to now."""
    told = [
        ("Belongs to {} now.", send.ties),
        ("Does not belong to {} any more.", send.untied),
    ]
    return " ".join(
        text.format(", ".join(one.label for one in some)) for text, some in told if some
    )


def _not_taken(
    terms: Terms, sent: Mapping[str, str], answered: Mapping[str, str | None]
) -> str:
    """Say what a CRM answered with success and left, or made something else of."""
    different = {
        name: answered[name] or ""
        for name, text in sent.items()
        if answered.get(name, text) != text
        and (canon := terms.canon.get(name)) is not None
        and canon(answered[name] or "") != canon(text)
    }
    return " ".join(
        f"The CRM did not take {sent[name]!r} as {name}: it has {theirs!r} there."
        for name, theirs in different.items()
    )


def _bases(
    terms: Terms, sent: Mapping[str, str], answered: Mapping[str, str | None]
) -> dict[str, object]:
    """Return what both sides have now: the CRM may keep a value in its own form."""
    bases: dict[str, object] = {}
    for name, text in sent.items():
        canon = terms.canon.get(name)
        if canon is None:
            continue
        ours = theirs = canon(text)
        if answered.get(name, text) != text:
            theirs = canon(answered[name] or "")
        bases[name] = ours if ours == theirs else stored_base(Base(theirs, ours))
    return bases


def _mark_gone(
    batch: Batch,
    sends: Sequence[tuple[WorkItem, Subject, Send]],
    results: Sequence[WriteResult],
) -> None:
    mapping = batch.mapping
    gone = [
        send.write.remote_id
        for (_, _, send), result in zip(sends, results, strict=True)
        if isinstance(result.error, RecordGone)
        and not _is_another(batch, send, result)
        and not _is_unseen(batch, send, result)
        and send.write.remote_id
    ]
    if gone:
        Link.objects.filter(
            connection=mapping.connection,
            remote_object=mapping.remote_object,
            remote_id__in=gone,
        ).update(state=Link.State.DELETED)
