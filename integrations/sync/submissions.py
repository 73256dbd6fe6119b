"""Takes in what was submitted through the forms of connected accounts.

No webhook tells of a submission, so forms are polled: one row of the queue per form, in
its connection's channel. Pages come newest first; the time up to which all is in moves
on only once the oldest wanted page has been recorded, so a killed poll goes on at its
page, and what is told twice is recorded once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django_scopes import scopes_disabled

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.queue import Ask
from crmsync.core.scoping import in_workspace
from integrations.connectors.base import ReadsForms
from integrations.connectors.session import open_connector
from integrations.errors import PermissionMissing, RecordGone, Retryable, Unsupported
from integrations.models import Connection, FormSource
from integrations.records import Submission
from integrations.sync import calls, held_forms
from integrations.sync.form_messages import message_from, origin_of
from leads.services import engagement

log = logging.getLogger(__name__)

KIND = "form"
EVERY = timedelta(minutes=1)
# A submission may become visible late, and clocks differ.
OVERLAP = timedelta(minutes=15)
# A poll that was given up comes again by itself after this.
AGAIN = timedelta(hours=1)
NEEDS = (
    "The app needs the scope forms: add it in the app's settings in the CRM, then "
    "reconnect."
)
GONE = "The form is no longer there. Switch it on again once it is."


class _Lost(Exception):
    """The lease went to another worker, or the source was switched off meanwhile."""


def ask_form(form: FormSource, *, not_before: datetime | None = None) -> None:
    """Ask for what was submitted through a form."""
    assert form.connection.channel_id is not None
    ask = Ask(
        workspace_id=form.workspace_id,
        kind=KIND,
        key=str(form.pk),
        channel_id=form.connection.channel_id,
        not_before=not_before,
    )
    queue.ask([ask])


@scopes_disabled()
def ask_due() -> int:
    """Ask for every active form that has no poll waiting; return how many."""
    rows = FormSource.objects.filter(active=True)
    rows = rows.exclude(connection__status=Connection.Status.DISCONNECTED)
    forms = list(rows.select_related("connection"))
    items = WorkItem.objects.filter(kind=KIND, key__in=[str(one.pk) for one in forms])
    waiting = set(items.exclude(state=State.DONE).values_list("key", flat=True))
    missing = [one for one in forms if str(one.pk) not in waiting]
    for one in missing:
        ask_form(one)
    late = queue.now() - AGAIN
    return len(missing) + queue.again(items.filter(failed_at__lte=late))


def take_in_due() -> int:
    """Poll every form whose time has come, for a time slice; return how many."""
    deadline = time.monotonic() + settings.WORK_TIME_SLICE_S
    handled = 0
    for item in queue.one_by_one(KIND, until=deadline):
        _poll(item, deadline)
        handled += 1
    return handled


def _poll(item: WorkItem, deadline: float) -> None:
    with scopes_disabled():
        rows = FormSource.objects.select_related("connection", "workspace")
        form = rows.filter(pk=item.key, active=True).first()
    if form is None or form.connection.status == Connection.Status.DISCONNECTED:
        queue.finish([item], skipped=True)
        return
    with in_workspace(form.workspace):
        connector, _ = open_connector(form.connection)
        with calls.guarded(form.connection, [item], done="form polled") as guard:
            if not isinstance(connector, ReadsForms):
                raise Unsupported("This CRM has no forms that could be read")
            finished = _read_or_stop(form, connector, item, deadline)
        if guard.failed:
            return
        if not finished:
            queue.give_back([item])
            return
        with transaction.atomic():
            queue.finish([item])
            if form.active:
                ask_form(form, not_before=queue.now() + EVERY)


def _read_or_stop(
    form: FormSource, connector: ReadsForms, item: WorkItem, deadline: float
) -> bool:
    try:
        return _read(form, connector, item, deadline)
    except PermissionMissing as error:
        if error.needs:
            raise
        raise PermissionMissing(
            error.message,
            scopes=("forms",),
            needs=NEEDS,
            vendor=error.vendor,
            status=error.status,
            code=error.code,
        ) from error
    except RecordGone:
        form.active, form.stopped = False, GONE
        form.save(update_fields=["active", "stopped"])
        log.warning("form is gone", extra={"form": form.pk})
        return True
    except _Lost:
        return False


def _read(
    form: FormSource, connector: ReadsForms, item: WorkItem, deadline: float
) -> bool:
    """Read from the newest back to the start; return whether it was reached."""
    if form.window_until is None:
        form.window_until, form.page = queue.now(), ""
        form.save(update_fields=["window_until", "page"])
    since = max(form.begins_at, form.taken_until - OVERLAP)
    seen: set[str] = {form.page}
    while True:
        page = connector.submissions(form.remote_id, form.page or None)
        wanted = [one for one in page.submissions if one.at is None or one.at >= since]
        older = len(wanted) < len(page.submissions)
        following = None if older else page.cursor
        if following in seen:
            raise Retryable("The list of pages runs in a circle", code="PAGING_LOOP")
        seen.add(following or "")
        _settle(form, wanted, following, item)
        if following is None:
            return True
        if time.monotonic() >= deadline:
            return False


def _settle(
    form: FormSource,
    wanted: Sequence[Submission],
    following: str | None,
    item: WorkItem,
) -> None:
    """Record a page, and move on, in one transaction."""
    with transaction.atomic():
        if not queue.extend([item]):
            raise _Lost
        held = FormSource.objects.select_for_update().get(pk=form.pk)
        begun = (held.begins_at, held.taken_until)
        if not held.active or begun != (form.begins_at, form.taken_until):
            raise _Lost
        form.counts_as_reply = held.counts_as_reply
        # One that was held may have come in since this poll began.
        form.count, form.last_at = held.count, held.last_at
        _record(form, wanted)
        form.page = (following or "")[:500]
        if following is None:
            assert form.window_until is not None
            form.taken_until, form.window_until = form.window_until, None
        form.save(
            update_fields=[
                "page",
                "taken_until",
                "window_until",
                "count",
                "nameless",
                "last_at",
            ]
        )


def _record(form: FormSource, wanted: Sequence[Submission]) -> None:
    now = queue.now()
    read = [(one, message_from(form, one, now=now)) for one in wanted]
    pairs = [(one, message) for one, message in reversed(read) if message is not None]
    # The overlap has been counted before.
    form.nameless += sum(
        message is None and one.at is not None and one.at >= form.taken_until
        for one, message in read
    )
    results = engagement.record_messages(
        form.workspace, [message for _, message in pairs], origin=origin_of(form)
    )
    taken: list[str] = []
    for (one, message), result in zip(pairs, results, strict=True):
        if result.activity_id is not None:
            held_forms.note(form, message)
            taken.append(message.key)
        elif result.ambiguous is not None:
            held_forms.keep(form, one, message, result.ambiguous)
    held_forms.settled(form, taken)
