"""Reads what changed in a CRM: a window in time, page by page, each page settled whole.

A killed reading goes on at the page it was at. What a page holds twice, or a window
reads again because rows become visible late, compares as equal and changes nothing.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from crmsync.core import queue
from crmsync.core.models import WorkItem
from integrations.connectors.base import Connector
from integrations.mapping.echo import MARGIN
from integrations.models import Cursor, ObjectMapping, Run
from integrations.records import Page
from integrations.sync import clocks, halting, inflow, intake, passing
from integrations.sync.counting import Tally
from integrations.sync.driving import was_tried
from integrations.sync.inflow import Pass
from integrations.sync.terms import fields_to_read, terms_of
from integrations.sync.turns import Turn


def read(
    mapping: ObjectMapping,
    connector: Connector,
    *,
    item: WorkItem | None = None,
    deadline: float | None = None,
    told_up_to: int | None = None,
) -> bool:
    """Read the changes since the last time; return whether the end was reached.

    item: the lease to keep while reading; deadline: when to give way (monotonic);
    told_up_to: the newest told value when it began, None where nothing is told.
    """
    cursor, _ = Cursor.objects.get_or_create(mapping=mapping)
    if cursor.window_until is None:
        _open_window(mapping, connector, cursor)
    if not _read(
        mapping,
        connector,
        cursor,
        item=item,
        deadline=deadline,
        told_up_to=told_up_to,
    ):
        return halting.let_go(cursor)
    _close_window(cursor)
    return True


def _open_window(mapping: ObjectMapping, connector: Connector, cursor: Cursor) -> None:
    """Begin at what was read, less an overlap, and end at this moment.

    A little later than our idea of their clock: that is only known to a second, and
    what is stamped after the end would wait for the next poll.
    """
    until = clocks.their_now(mapping.connection) + MARGIN
    overlap = timedelta(seconds=mapping.overlap_s)
    cursor.window_since = (cursor.read_up_to or until) - overlap
    cursor.window_until, cursor.page = until, ""
    cursor.save()


def _read(
    mapping: ObjectMapping,
    connector: Connector,
    cursor: Cursor,
    *,
    item: WorkItem | None,
    deadline: float | None,
    told_up_to: int | None,
) -> bool:
    """Read and settle the window from its page on; return whether its end came.

    It ends before that when its time is over, or a person said stop.
    """
    since, until = cursor.window_since, cursor.window_until
    assert since is not None
    assert until is not None
    terms = terms_of(mapping, connector)
    names = fields_to_read(mapping, terms.pulled)

    def read_page(page: str | None) -> Page:
        return connector.changed_since(mapping.remote_object, since, until, page, names)

    tallies: dict[str | None, Tally] = {}

    def settle(page: Page, turn: Turn | None) -> None:
        if page.records:
            tally = Tally(again=item is not None and was_tried(item))
            tallies[page.cursor] = tally
            _settle(asked, page, turn, run=cursor.run, tally=tally, told=told_up_to)

    def wanted() -> bool:
        if item is not None and not queue.extend([item]):
            return False
        return not halting.is_told_to_stop(cursor)

    asked = Pass(
        mapping,
        connector,
        terms,
        run_of=lambda: _run(mapping, cursor),
        wanted=wanted,
        deadline=deadline,
    )
    with inflow.settled(asked, read_page, cursor.page or None, settle) as found:
        for page in found:
            cursor.page = page.cursor or ""
            with transaction.atomic():
                cursor.save(update_fields=["page"])
                if cursor.run is not None and (tally := tallies.pop(page.cursor, None)):
                    tally.count(cursor.run)
            if page.cursor is None:
                return True
    return False


def _settle(
    asked: Pass,
    page: Page,
    turn: Turn | None,
    *,
    run: Run | None,
    tally: Tally,
    told: int | None,
) -> None:
    """Take a page in, and what was told of its records before it."""
    mapping = asked.mapping
    taken = intake.take_in(
        mapping,
        page.records,
        asked.connector,
        run=run,
        tally=tally,
        turn=turn,
        read_at=page.read_at,
    )
    if told is not None:
        ids = [one.remote_id for one in page.records]
        heard = passing.heard(mapping, ids, up_to=told)
        passing.settle(mapping, heard, taken.cases, asked.terms)


def _run(mapping: ObjectMapping, cursor: Cursor) -> Run:
    if cursor.run is None:
        at = queue.now()
        cursor.run = Run.objects.create(
            workspace_id=mapping.workspace_id,
            connection=mapping.connection,
            mapping=mapping,
            kind=Run.Kind.PULL,
            direction="pull",
            state=Run.State.RUNNING,
            started_at=at,
            progress_at=at,
        )
        cursor.save(update_fields=["run"])
    return cursor.run


def _close_window(cursor: Cursor) -> None:
    with transaction.atomic():
        _end_run(cursor.run)
        cursor.read_up_to, cursor.read_at = cursor.window_until, queue.now()
        cursor.window_since = cursor.window_until = cursor.run = None
        cursor.page = ""
        cursor.save()


def skip(mapping: ObjectMapping) -> None:
    """Go on after what a person did not want taken over, as if it had been read."""
    cursor = Cursor.objects.filter(mapping=mapping).first()
    if cursor is None:
        return
    if cursor.window_until is not None:
        cursor.read_up_to = cursor.window_until
    cursor.window_since = cursor.window_until = cursor.run = None
    cursor.page = ""
    cursor.save()


def _end_run(run: Run | None) -> None:
    """End the run of a pull; one that found nothing new leaves no trace."""
    if run is None:
        return
    run.refresh_from_db()
    if run.state == Run.State.CANCELLED:
        return
    if run.settled == run.unchanged + run.excluded:
        run.delete()
        return
    bad = run.failed or run.held
    run.state = Run.State.DONE_WITH_ERRORS if bad else Run.State.DONE
    run.total, run.finished_at = run.settled, queue.now()
    run.save(update_fields=["state", "total", "finished_at"])
