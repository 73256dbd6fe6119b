"""Compares everything: each remote record with ours, then ours that are not there.

What is absent from one complete comparison is suspected, from two it is gone; one that
was interrupted says nothing about what it did not see.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Q

from crmsync.core import queue
from integrations.models import Cursor, Link, ObjectMapping
from integrations.records import Page
from integrations.sync import backfill, gone, inflow, intake, outbox
from integrations.sync.counting import Tally
from integrations.sync.driving import Drive
from integrations.sync.inflow import Pass
from integrations.sync.pull import fields_to_read
from integrations.sync.terms import terms_of

MISSING_CHUNK = 500


def compare_all(drive: Drive) -> bool:
    """Do a slice of the comparison; return whether it is complete."""
    cursor = drive.run.cursor
    if not cursor.get("scanned") and not _scan(drive):
        return False
    if not cursor.get("asked") and not _ask_ours(drive):
        return False
    _find_missing(drive)
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

    def settle(page: Page) -> None:
        tallies[page.cursor] = _settle(drive, page, Tally(again=again))

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


def _settle(drive: Drive, page: Page, tally: Tally) -> Tally:
    run, mapping = drive.run, drive.mapping
    taken = intake.take_in(
        mapping, page.records, drive.connector, run=run, ties=True, tally=tally
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
    links = Link.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        remote_object=mapping.remote_object,
        record_id__range=(record_ids[0], record_ids[-1]),
    )
    linked = set(links.values_list("record_id", flat=True))
    return [one for one in record_ids if one not in linked]


# --- what was not seen ----------------------------------------------------------------


def _find_missing(drive: Drive) -> None:
    """Suspect what a complete comparison did not see; delete what two did not."""
    run, mapping = drive.run, drive.mapping
    unseen = Link.objects.filter(
        ~Q(seen_in=run.pk) | Q(seen_in=None),
        connection=mapping.connection,
        record_type=mapping.record_type,
        remote_object=mapping.remote_object,
        created_at__lt=run.started_at,
        state__in=[Link.State.LINKED, Link.State.MISSING, Link.State.FORBIDDEN],
    )
    absent = [link for link in unseen[: MISSING_CHUNK * 20] if not _seen(link, run.pk)]
    there = _still_there(drive, absent)
    suspects = [one for one in absent if one.remote_id not in there]
    again = [one for one in suspects if one.state == Link.State.MISSING]
    if again:
        gone.check_deletes(mapping, again, run=run)
        gone.delete(mapping, again)
    first = [one.pk for one in suspects if one.state != Link.State.MISSING]
    rows = Link.objects.filter(pk__in=first)
    rows.update(state=Link.State.MISSING, gone_at=queue.now())


def _seen(link: Link, run_id: int) -> bool:
    return link.seen_in == run_id


def _still_there(drive: Drive, links: Sequence[Link]) -> set[str]:
    """Ask for each by id: a list can leave out what exists all the same."""
    found: set[str] = set()
    for start in range(0, len(links), MISSING_CHUNK):
        ids = [one.remote_id for one in links[start : start + MISSING_CHUNK]]
        records = drive.connector.fetch(drive.mapping.remote_object, ids, fields=[])
        found |= {one.remote_id for one in records if not one.archived}
    return found


def _note_sweep(mapping: ObjectMapping) -> None:
    Cursor.objects.update_or_create(mapping=mapping, defaults={"swept_at": queue.now()})
