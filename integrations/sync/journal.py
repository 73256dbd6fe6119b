"""Writes down what a push achieved: links, journal, calls and outbox rows together."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import Failure
from integrations.mapping.echo import remember
from integrations.models import Link, ObjectMapping, SyncEntry
from integrations.sync import counting, followers, outbox
from integrations.sync.cases import base_of
from integrations.sync.links import links_of
from integrations.sync.plan import Hold, Leave, Wait
from integrations.sync.storing import (
    Line,
    NewLink,
    store_links,
    update_links,
    write_journal,
)


class Written(NamedTuple):
    """A record reached the CRM. found: it had been there before we wrote to it.

    fields: what was sent; bases: what both sides have of it now, as a link keeps it;
    stamp: no picture of the record older than this is news; message: for the journal;
    cleared: fields that were empty for a moment on the way.
    """

    item: WorkItem
    remote_id: str
    outcome: str
    fields: Mapping[str, str]
    found: bool = False
    again: bool = False
    bases: Mapping[str, object] = {}
    stamp: datetime | None = None
    message: str = ""
    cleared: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        """Tell whether the record had no link when it was sent."""
        return self.found or self.outcome == "created"

    @property
    def agreed(self) -> Mapping[str, object]:
        """Return what both sides have of the fields."""
        return self.bases or self.fields


@dataclass(frozen=True, slots=True)
class Failed:
    """A record did not reach the CRM, or not for certain."""

    item: WorkItem
    failure: Failure


def record_written(
    mapping: ObjectMapping, written: Sequence[Written], *, doubt: bool = True
) -> None:
    """Store links and journal, finish the rows, release what waited for them.

    One transaction: a crash before it leaves the rows to be looked up and adopted.
    doubt: others may have linked meanwhile what had no link. Without it that raises
    IntegrityError.
    """
    if not written:
        return
    with transaction.atomic():
        queue.lock(one.item for one in written)
        undo = _store_links(mapping, written, doubt=doubt)
        lines = (
            _line(
                one.item,
                one.outcome,
                remote_id=one.remote_id,
                fields=sorted(one.fields),
                message=" ".join(filter(None, [one.message, _superseded(one.item)])),
                undo=undo.get(one.item.pk),
            )
            for one in written
        )
        write_journal(mapping, lines)
        done = [one for one in written if not one.again]
        queue.finish([one.item for one in done], locked=True)
        queue.give_back([one.item for one in written if one.again])
        queue.released(one.item.key for one in written)
        # Who was there already did not wait for one that failed; see `plan`.
        late = [one for one in written if one.is_new and one.item.error_class]
        followers.ask_for_ties(mapping, {outbox.record_of(o.item.key) for o in late})
        new = {outbox.record_of(one.item.key) for one in written if one.is_new}
        followers.ask_for_members(mapping, new)
        counting.count_out([(one.item, one.outcome) for one in done])


def _superseded(item: WorkItem) -> str:
    """Say which changes this push carried, each a number of the record's own.

    The newest is what was sent; an older one never is, not even late.
    """
    first = item.applied + item.coalesced + item.skipped + item.dead + 1
    newest = item.leased_wanted
    if first >= newest:
        return ""
    older = f"#{first} to #{newest - 1} are" if first < newest - 1 else f"#{first} is"
    return f"Carried {newest - first + 1} changes: {older} superseded by #{newest}."


def _store_links(
    mapping: ObjectMapping, written: Sequence[Written], *, doubt: bool
) -> dict[int, dict[str, list[str]]]:
    """Store what both sides have now; return what runs replaced, by row."""
    at = timezone.now()
    ids = [outbox.record_of(one.item.key) for one in written]
    had_one = [
        record_id
        for one, record_id in zip(written, ids, strict=True)
        if doubt or not one.is_new
    ]
    known = links_of(mapping, had_one) if had_one else {}
    new: list[NewLink] = []
    changed: list[Link] = []
    undo: dict[int, dict[str, list[str]]] = {}
    for one, record_id in zip(written, ids, strict=True):
        link = known.get(record_id)
        if link is None:
            new.append(_link(one, record_id, at))
            continue
        if one.item.run is not None:
            undo[one.item.pk] = _replaced(link, one)
        _renew(link, one, at)
        changed.append(link)
    store_links(mapping, new)
    update_links(changed, ["base", "written", "pushed_at", "remote_version"])
    return undo


def _replaced(link: Link, one: Written) -> dict[str, list[str]]:
    bases = {name: base_of(link.base, name) for name in one.fields}
    return {
        name: [base.crm if base else "", one.fields[name]]
        for name, base in bases.items()
    }


def _renew(link: Link, one: Written, at: datetime) -> None:
    bases = {name: base_of(link.base, name) for name in one.agreed}
    replaced = {
        name: base.crm
        for name, base in bases.items()
        if base is not None and base.crm != one.fields.get(name)
    }
    link.written = remember(link.written, replaced, at)
    if one.cleared:
        link.written = remember(link.written, dict.fromkeys(one.cleared, ""), at)
    link.base = {**link.base, **one.agreed}
    link.pushed_at = at
    stamps = [stamp for stamp in (one.stamp, link.remote_version) if stamp]
    link.remote_version = max(stamps, default=None)


def _link(one: Written, record_id: int, at: datetime) -> NewLink:
    return NewLink(
        record_id=record_id,
        remote_id=one.remote_id,
        found=one.found,
        base=one.agreed,
        remote_version=one.stamp,
        pushed_at=at,
    )


def record_deleted(
    mapping: ObjectMapping, deleted: Sequence[tuple[WorkItem, str]]
) -> None:
    """Forget the links of records that were deleted on both sides."""
    with transaction.atomic():
        queue.lock(item for item, _ in deleted)
        Link.objects.filter(
            connection=mapping.connection,
            remote_object=mapping.remote_object,
            remote_id__in=[remote_id for _, remote_id in deleted],
        ).delete()
        lines = (
            _line(item, SyncEntry.Outcome.DELETED, remote_id=remote_id)
            for item, remote_id in deleted
        )
        write_journal(mapping, lines)
        queue.finish([item for item, _ in deleted])
        counting.count_out([(item, "deleted") for item, _ in deleted])


def record_left(mapping: ObjectMapping, left: Sequence[tuple[WorkItem, Leave]]) -> None:
    """Finish rows for which nothing was to be sent."""
    if not left:
        return
    with transaction.atomic():
        lines = (
            _line(item, leave.outcome, message=leave.reason)
            for item, leave in left
            if leave.outcome == "excluded"
        )
        write_journal(mapping, lines)
        queue.finish([item for item, _ in left], skipped=True)
        queue.released(item.key for item, _ in left)
        counting.count_out([(item, leave.outcome) for item, leave in left])


def record_waits(waits: Sequence[tuple[WorkItem, Wait]]) -> None:
    """Put rows aside until their parent is there."""
    with transaction.atomic():
        queue.lock(item for item, _ in waits)
        for item, wait in waits:
            queue.wait_for(item, wait.key, wait.reason)
    # After the commit: a parent that another hand is finishing must not be missed.
    queue.missed("push", {wait.key for _, wait in waits})


def held(item: WorkItem, hold: Hold) -> Failed:
    """Return a decision to hold as a failure."""
    about: dict[str, object] | None = None
    if hold.about:
        there = [["", remote_id] for remote_id, _ in hold.about]
        about = {"there": there, "has": {pk: list(names) for pk, names in hold.about}}
    return Failed(
        item, Failure(hold.error_class, hold.message, field=hold.field, about=about)
    )


def record_failed(
    mapping: ObjectMapping, failed: Sequence[Failed], rng: random.Random
) -> None:
    """Plan the next try of each row or park it, and say so in the journal.

    What waited for a row that is parked looks again, and then says that it failed.
    """
    if not failed:
        return
    with transaction.atomic():
        queue.lock(one.item for one in failed)
        lines: list[Line] = []
        parked: list[WorkItem] = []
        for one in failed:
            state = queue.fail(one.item, one.failure, rng)
            if state is None:  # settled already, or another worker's by now
                continue
            if state == State.PARKED:
                parked.append(one.item)
            retrying = state == State.READY
            outcome = (
                SyncEntry.Outcome.RETRYING if retrying else SyncEntry.Outcome.FAILED
            )
            told = filter(None, (one.failure.message, one.failure.detail))
            line = _line(
                one.item,
                outcome,
                message="\n".join(told),
                error_class=one.failure.error_class,
            )
            lines.append(line)
        write_journal(mapping, lines)
        queue.released(item.key for item in parked)
        counting.count_out([(item, "failed") for item in parked])


def _line(
    item: WorkItem,
    outcome: str,
    *,
    remote_id: str = "",
    message: str = "",
    error_class: str = "",
    fields: Sequence[str] = (),
    undo: Mapping[str, object] | None = None,
) -> Line:
    return Line(
        record_id=outbox.record_of(item.key),
        outcome=outcome,
        remote_id=remote_id,
        fields=fields,
        error_class=error_class,
        message=message,
        trace_id=item.trace_id,
        run_id=item.run,
        undo=undo or {},
    )
