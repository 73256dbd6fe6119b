"""Compares everything: each remote record with ours, then ours that are not there.

What is absent from one complete comparison is suspected; of what is absent from two the
CRM is asked whether it is gone. One that was interrupted says nothing about what it did
not see.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Case, Q, When
from django.utils import timezone

from crmsync.core import queue
from integrations.models import Cursor, Link, ObjectMapping
from integrations.records import Page
from integrations.sync import (
    backfill,
    gone,
    hidden,
    inflow,
    intake,
    mass_clears,
    mass_deletes,
    moved,
    outbox,
)
from integrations.sync.counting import Tally
from integrations.sync.driving import Drive
from integrations.sync.inflow import Pass
from integrations.sync.terms import fields_to_read, terms_of
from integrations.sync.turns import Turn

MISSING_CHUNK = 500
# What is hidden from us may be for years: it is asked about after the others.
_HIDDEN_LAST = Case(When(state=Link.State.FORBIDDEN, then=1), default=0)


def compare_all(drive: Drive) -> bool:
    """Do a slice of the comparison; return whether it is complete."""
    cursor = drive.run.cursor
    if not cursor.get("scanned") and not _scan(drive):
        return False
    if not cursor.get("asked") and not _ask_ours(drive):
        return False
    if not _find_missing(drive):
        return False
    _note_sweep(drive.mapping)
    return True


def _scan(drive: Drive) -> bool:
    """Read all of the CRM's records, page by page; return whether the end came."""
    run, mapping = drive.run, drive.mapping
    if run.total is None:
        drive.save(total=drive.connector.count(mapping.remote_object))
    if not drive.may_go_on():
        return False
    terms = terms_of(mapping, drive.connector)
    names = fields_to_read(mapping, terms.pulled)

    def read(cursor: str | None) -> Page:
        return drive.connector.scan(mapping.remote_object, cursor, names)

    tallies: dict[str | None, Tally] = {}
    again = drive.tried_before

    def settle(page: Page, turn: Turn | None) -> None:
        tallies[page.cursor] = _settle(drive, page, Tally(again=again), turn)

    slice_ = Pass(
        mapping,
        drive.connector,
        terms,
        run_of=lambda: run,
        wanted=drive.is_wanted,
        deadline=drive.deadline,
    )
    begin = str(run.cursor.get("page") or "") or None
    with inflow.settled(slice_, read, begin, settle) as found:
        for page in found:
            run.cursor["page"] = page.cursor
            run.cursor["scanned"] = page.cursor is None
            with transaction.atomic():
                drive.save()
                tallies.pop(page.cursor).count(run)
    return bool(run.cursor.get("scanned"))


def _settle(drive: Drive, page: Page, tally: Tally, turn: Turn | None = None) -> Tally:
    run, mapping = drive.run, drive.mapping
    taken = intake.take_in(
        mapping,
        page.records,
        drive.connector,
        run=run,
        ties=True,
        tally=tally,
        turn=turn,
        read_at=page.read_at,
    )
    marked = {case.ref for case in taken.cases if case.stored}
    seen = {one.remote_id for one in page.records}
    _mark_seen(mapping, seen - marked, run.pk)
    return tally


def _mark_seen(
    mapping: ObjectMapping, remote_ids: Collection[str], run_id: int
) -> None:
    """Mark the links that were not stored with it: nothing about them is new."""
    Link.objects.filter(
        connection=mapping.connection,
        remote_object=mapping.remote_object,
        remote_id__in=remote_ids,
    ).update(seen_in=run_id)


def _ask_ours(drive: Drive) -> bool:
    """Send what is only here; return whether all of it has been asked for."""
    run, mapping = drive.run, drive.mapping
    if mapping.direction == ObjectMapping.Direction.PULL:
        run.cursor["asked"] = True
        drive.save()
        return True
    rows = backfill.records_of(mapping, None)
    while drive.may_go_on():
        last = run.cursor.get("last_id", 0)
        chunk = rows.filter(pk__gt=last).values_list("pk", flat=True)
        ids = list(chunk[: backfill.CHUNK])
        with transaction.atomic():
            outbox.queue_records(
                mapping.workspace,
                mapping,
                _without_link(mapping, ids),
                lane=outbox.BULK,
                run=run.pk,
            )
            run.cursor["last_id"] = ids[-1] if ids else last
            run.cursor["asked"] = not ids
            drive.save()
        if not ids:
            return True
    return False


def _without_link(mapping: ObjectMapping, record_ids: Sequence[int]) -> list[int]:
    """Return those of our records that are not linked; they come in order of id.

    Asked for by a range of ids, and not for the whole table at once or id by id: right
    after a first comparison a database knows too little of its tables for those.
    """
    if not record_ids:
        return []
    links = Link.objects.of(mapping).filter(
        record_id__range=(record_ids[0], record_ids[-1])
    )
    linked = set(links.values_list("record_id", flat=True))
    return [one for one in record_ids if one not in linked]


# --- what was not seen ----------------------------------------------------------------


def _find_missing(drive: Drive) -> bool:
    """Suspect what a complete comparison did not see; ask about what two did not.

    Returns whether the end was reached: somebody may say stop meanwhile.
    """
    run, mapping = drive.run, drive.mapping
    suspects: list[Link] = []
    again: dict[str, Link] = {}
    unseen = Link.objects.of(mapping).filter(
        ~Q(seen_in=run.pk) | Q(seen_in=None),
        created_at__lt=run.started_at,
        state__in=[Link.State.LINKED, Link.State.MISSING, Link.State.FORBIDDEN],
    )
    absent = list(unseen.order_by(_HIDDEN_LAST, "pk")[: MISSING_CHUNK * 20])
    for start in range(0, len(absent), MISSING_CHUNK):
        if not drive.is_wanted():
            return False
        chunk = absent[start : start + MISSING_CHUNK]
        there = _take_in(drive, [one.remote_id for one in chunk])
        missing = [one for one in chunk if one.remote_id not in there]
        suspects += [one for one in missing if one.state == Link.State.LINKED]
        again |= {o.remote_id: o for o in missing if o.state != Link.State.LINKED}
    named = hidden.told_apart(mapping, drive.connector, again)
    deleted = gone.follow_merges(mapping, named, again)
    if deleted:
        mass_deletes.check(mapping, deleted, run=run)
        gone.delete(mapping, deleted)
    rows = Link.objects.filter(pk__in=[one.pk for one in suspects])
    rows.update(state=Link.State.MISSING, gone_at=queue.now())
    return True


def _take_in(drive: Drive, remote_ids: Sequence[str]) -> set[str]:
    """Ask for each by id; return those that lead to a record, which comes in.

    A list can leave out what exists all the same.
    """
    mapping, connector = drive.mapping, drive.connector
    terms = terms_of(mapping, connector)
    names = fields_to_read(mapping, terms.pulled)
    read_at = timezone.now()
    found = connector.fetch(mapping.remote_object, remote_ids, fields=names)
    there = [one for one in found if not one.archived]
    same = moved.follow_conversions(mapping, there)
    if same:
        mass_clears.check(mapping, same, terms, connector, run=drive.run)
        page = Page(tuple(same), read_at=read_at)
        _settle(drive, page, Tally()).count(drive.run)
    return moved.ids_answered(there)


def _note_sweep(mapping: ObjectMapping) -> None:
    Cursor.objects.update_or_create(mapping=mapping, defaults={"swept_at": queue.now()})
