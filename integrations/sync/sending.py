"""Carries out what a push decided: look up, compare, write, and write down."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction

from crmsync.core import queue
from crmsync.core.keeping import kept
from crmsync.core.models import WorkItem
from crmsync.core.queue import Failure
from integrations.connectors.base import Connector
from integrations.errors import SyncError
from integrations.models import ObjectMapping
from integrations.records import Association, RemoteRecord, Write, WriteResult
from integrations.sync import (
    adopt,
    clocks,
    conversions,
    failures_in,
    gone,
    hidden,
    intake,
    journal,
    links,
    mass_pushes,
    meeting,
    moved,
    pace,
    results,
    steps,
)
from integrations.sync.calls import failure_of
from integrations.sync.journal import Failed, Written
from integrations.sync.plan import Delete, Find, Leave, Send
from integrations.sync.subjects import Rules, Subject
from integrations.sync.terms import Terms, fields_to_read

Sends = list[tuple[WorkItem, Subject, Send]]

_rng = random.Random()
_EQUAL = Leave("unchanged")


def send(
    mapping: ObjectMapping,
    sends: Sends,
    rules: Rules,
    terms: Terms,
    connector: Connector,
) -> None:
    """Write records to the CRM, after looking where there is reason to."""
    used = results.sign_in_of(mapping)
    sends = _compared(mapping, sends, terms, connector)
    sends = meeting.meet(mapping, sends, rules, terms, connector)
    sends = _without_converted(mapping, sends, connector)
    sends = _without_adopted(mapping, sends, rules, connector)
    sends = mass_pushes.clears_allowed(mapping, sends, _rng)
    ours = {item.pk for item in queue.extend([item for item, _, _ in sends])}
    sends = [one for one in sends if one[0].pk in ours]
    if not sends:
        return
    started_at = queue.now()
    with kept([item for item, _, _ in sends]):
        answers = _written(mapping, sends, connector)
    there, unseen = _still_there(mapping, sends, answers, connector)
    offset_s = clocks.offset_of(mapping.connection)
    batch = results.Batch(mapping, terms, started_at, used, offset_s, there, unseen)
    results.record(batch, sends, answers)


def _still_there(
    mapping: ObjectMapping,
    sends: Sends,
    answers: Sequence[WriteResult],
    connector: Connector,
) -> tuple[frozenset[str], frozenset[str]]:
    """Return which of the ids that refused a write as gone lead to a record, and
    which the CRM does not show and does not name as deleted.

    The loser of a merge looks deleted. What became another record is linked to that
    now, so that the next try knows it by what it is.
    """
    lost = results.lost_ids(answers, [one for _, _, one in sends])
    if not lost:
        return frozenset(), frozenset()
    found = connector.fetch(mapping.remote_object, lost, fields=[])
    moved.follow_conversions(mapping, found)
    there = moved.ids_answered(found)
    links = moved.links_of_ids(mapping, set(lost) - there)
    named = hidden.told_apart(mapping, connector, links)
    unseen = frozenset(links).difference(one.remote_id for one in named)
    return frozenset(lost) & there, unseen


def _written(
    mapping: ObjectMapping, sends: Sends, connector: Connector
) -> list[WriteResult]:
    """Make the calls; one result for each, in their order."""
    writes = [one.write for _, _, one in sends if not one.is_tie_only]
    ties = [one.write for _, _, one in sends if one.is_tie_only]
    found: list[WriteResult] = []
    if writes:
        begun = time.monotonic()
        found = connector.write(mapping.remote_object, writes)
        size, took = connector.spec.batch.write, time.monotonic() - begun
        pace.note(mapping.connection_id, len(writes), size, took)
    try:
        found += _tied(mapping, ties, connector)
    except SyncError as error:
        if not found:
            raise
        found += [WriteResult(one.ref, None, None, {}, error) for one in ties]
    by_ref = {one.ref: one for one in found}
    _untie(mapping, [one for _, _, one in sends if one.untied], by_ref, connector)
    return [by_ref[one.write.ref] for _, _, one in sends]


def _tied(
    mapping: ObjectMapping, writes: Sequence[Write], connector: Connector
) -> list[WriteResult]:
    """Tie records to their parents without writing them."""
    pairs = [(one, tie) for one in writes for tie in one.associations]
    refused: dict[str, SyncError] = {}
    if pairs:
        ties = [(one.remote_id or "", tie) for one, tie in pairs]
        errors = connector.associate(mapping.remote_object, ties)
        for (one, _), error in zip(pairs, errors, strict=True):
            if error is not None:
                refused.setdefault(one.ref, error)
    return [
        WriteResult(
            one.ref, one.remote_id, created=False, fields={}, error=refused.get(one.ref)
        )
        for one in writes
    ]


def _untie(
    mapping: ObjectMapping,
    sends: Sequence[Send],
    by_ref: dict[str, WriteResult],
    connector: Connector,
) -> None:
    """Take records from the parents they have here no longer; what fails is told."""
    lost = [
        (one.write.ref, one.write.remote_id or "", parent)
        for one in sends
        if by_ref[one.write.ref].error is None
        for parent in one.untied
    ]
    if not lost:
        return
    ties = [
        (remote_id, Association(one.remote_object, one.remote_id or ""))
        for _, remote_id, one in lost
    ]
    errors: Sequence[SyncError | None]
    try:
        errors = connector.dissociate(mapping.remote_object, ties)
    except SyncError as error:
        errors = [error] * len(ties)
    for (ref, *_), refusal in zip(lost, errors, strict=True):
        if refusal is not None:
            by_ref[ref] = replace(by_ref[ref], error=refusal)


# --- comparing first ------------------------------------------------------------------


def _compared(
    mapping: ObjectMapping, sends: Sends, terms: Terms, connector: Connector
) -> Sends:
    """Read what the CRM has where it may win; return what is still to be written.

    What it has that is news to us comes in at once, by the same rules as a pull.
    """
    doubtful = [one for one in sends if one[2].compare_first]
    if not doubtful:
        return sends
    by_id = {one[2].write.remote_id or "": one for one in doubtful}
    found = connector.fetch(
        mapping.remote_object,
        list(by_id),
        fields=fields_to_read(mapping, terms.pulled),
    )
    _fail_missing(mapping, by_id, found, connector)
    same = _followed(mapping, by_id, found)
    taken = intake.take_in(mapping, same, connector, sending=True, keeps_failures=False)
    _fail_held(mapping, by_id, taken)
    told = {case.ref: case for case in taken.cases}
    rest: Sends = [one for one in sends if not one[2].compare_first]
    equal = []
    for remote_id, (item, subject, decision) in by_id.items():
        if remote_id not in told:
            continue
        fields = taken.sends.get(remote_id) or {}
        if subject.apart:
            fields = {n: t for n, t in fields.items() if not subject.not_its_own(n, t)}
        if fields or decision.ties or decision.untied:
            write = replace(
                decision.write,
                fields=fields,
                clears_first=steps.cleared_first(fields, told[remote_id].crm, terms),
            )
            rest.append((item, subject, replace(decision, write=write)))
        else:
            equal.append((item, _EQUAL))
    journal.record_left(mapping, equal)
    return rest


def _followed(
    mapping: ObjectMapping,
    by_id: dict[str, tuple[WorkItem, Subject, Send]],
    found: Sequence[RemoteRecord],
) -> list[RemoteRecord]:
    """Let links follow what was merged or converted; return those that are the same.

    The rows of the others go back, to be decided by what they are now.
    """
    rest = moved.follow_conversions(mapping, found)
    same = [one for one in rest if one.remote_id in by_id]
    others = moved.ids_answered(found) - {one.remote_id for one in same}
    queue.give_back([row[0] for one, row in by_id.items() if one in others])
    return same


def _fail_missing(
    mapping: ObjectMapping,
    by_id: dict[str, tuple[WorkItem, Subject, Send]],
    found: Sequence[RemoteRecord],
    connector: Connector,
) -> None:
    missing = set(by_id) - moved.ids_answered(found)
    if not missing:
        return
    unseen = gone.note_missing(mapping, connector, missing)
    told = Failure("gone", "The record was deleted in the CRM.", code="GONE")
    failed = [
        Failed(by_id[one][0], hidden.FAILURE if one in unseen else told)
        for one in missing
    ]
    journal.record_failed(mapping, failed, _rng)


def _fail_held(
    mapping: ObjectMapping,
    by_id: dict[str, tuple[WorkItem, Subject, Send]],
    taken: intake.Taken,
) -> None:
    """What cannot come in is told in the row that was to go out."""
    failed = [
        Failed(by_id[case.ref][0], failure)
        for case in taken.cases
        if case.failure is not None
        and case.ref in by_id
        and (failure := failures_in.failure_of(case)) is not None
    ]
    journal.record_failed(mapping, failed, _rng)


# --- finding and deleting -------------------------------------------------------------


def find(
    mapping: ObjectMapping,
    finds: Sequence[tuple[WorkItem, Find]],
    terms: Terms,
    connector: Connector,
) -> None:
    """Link records that are there already; of a mapping that makes none."""
    name = finds[0][1].field
    values = sorted({one.value for _, one in finds})
    found = connector.fetch(
        mapping.remote_object,
        values,
        fields=fields_to_read(mapping, terms.pulled),
        key_field=name,
    )
    by_value: dict[str, list[RemoteRecord]] = {}
    for record in found:
        text = terms.canon[name](record.fields.get(name) or "")
        by_value.setdefault(text, []).append(record)
    unsure, left = [], []
    single: dict[str, RemoteRecord] = {}
    for item, one in finds:
        some = by_value.get(terms.canon[name](one.value), [])
        some = [record for record in some if record.remote_id not in one.apart]
        if len(some) > 1:
            unsure.append(Failed(item, _several(some, name)))
        else:
            single |= {record.remote_id: record for record in some}
            left.append((item, _EQUAL))
    intake.take_in(mapping, list(single.values()), connector)
    journal.record_failed(mapping, unsure, _rng)
    journal.record_left(mapping, left)


def _several(found: Sequence[RemoteRecord], name: str) -> Failure:
    return Failure(
        "ambiguous",
        f"{len(found)} records there have the same {name}. Choose the one that is "
        "meant, or merge them in the CRM and retry.",
        field=name,
        about={"there": [["", one.remote_id] for one in found]},
    )


def delete(
    mapping: ObjectMapping,
    deletes: Sequence[tuple[WorkItem, Delete]],
    connector: Connector,
) -> None:
    """Delete in the CRM what was deleted here."""
    ids = [one.remote_id for _, one in deletes]
    kept = connector.delete(mapping.remote_object, ids)
    done = [(item, one.remote_id) for item, one in deletes if one.remote_id not in kept]
    failed = [
        Failed(item, failure_of(kept[one.remote_id]))
        for item, one in deletes
        if one.remote_id in kept
    ]
    journal.record_deleted(mapping, done)
    journal.record_failed(mapping, failed, _rng)


# --- what is there already ------------------------------------------------------------


def _without_converted(
    mapping: ObjectMapping, sends: Sends, connector: Connector
) -> Sends:
    """Leave out deals whose person was converted there, and perhaps they with them."""
    looked = conversions.look(mapping, sends, connector)
    held = [journal.held(item, hold) for item, hold in looked.unsure]
    journal.record_failed(mapping, held, _rng)
    return looked.sends


def _without_adopted(
    mapping: ObjectMapping, sends: Sends, rules: Rules, connector: Connector
) -> Sends:
    """Link what is in the CRM already instead of writing it again."""
    found = adopt.find(mapping, [(s, send) for _, s, send in sends], rules, connector)
    by_ref = {subject.ref: item for item, subject, _ in sends}
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
    double = [(by_ref[ref], *whose) for ref, whose in found.taken.items()]
    left = [one.remote_id for one in found.adopted.values() if one.left]
    with transaction.atomic():
        links.forget(mapping, left)
        journal.record_written(mapping, written)
    held += results.already_linked(mapping, double)
    journal.record_failed(mapping, held, _rng)
    settled = found.adopted.keys() | found.unsure.keys() | found.taken.keys()
    return [one for one in sends if one[1].ref not in settled]
