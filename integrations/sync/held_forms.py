"""Keeps submissions that fit several people, and takes them in once they are one.

Each has a row of the queue, in its connection's channel, that stands in the error list
and names who it may be. A retry records it as the poll would have: by the same key, so
never twice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection
from dataclasses import replace

from django.conf import settings
from django.db import transaction
from django_scopes import scopes_disabled

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.queue import Ask, Failure
from crmsync.core.scoping import in_workspace
from integrations.models import FormSource, HeldSubmission
from integrations.records import Submission
from integrations.sync import calls, failures_in
from integrations.sync.form_messages import message_from, origin_of
from integrations.webhooks.submitted import document_of, submission_of
from leads.facts import Message
from leads.matching import Ambiguous
from leads.models import RecordType
from leads.naming import listed, name_in, names_of
from leads.services import engagement

KIND = "held-form"
_rng = random.Random()


# --- keeping --------------------------------------------------------------------------


def keep(
    form: FormSource, submission: Submission, message: Message, doubt: Ambiguous
) -> None:
    """Keep a submission and put it in the error list, in the caller's transaction.

    One that is kept already stays as it is.
    """
    row, is_new = HeldSubmission.objects.get_or_create(
        form=form,
        key=message.key,
        defaults={
            "workspace": form.workspace,
            "document": document_of(submission, at=message.occurred_at),
        },
    )
    if not is_new:
        return
    assert form.connection.channel_id is not None
    ask = Ask(
        workspace_id=form.workspace_id,
        kind=KIND,
        key=str(row.pk),
        channel_id=form.connection.channel_id,
        trace_id=message.trace_id,
    )
    queue.ask([ask])
    if min(doubt.candidates) > 0:
        item = WorkItem.objects.get(kind=KIND, key=ask.key)
        failures_in.park(item, _failure(doubt))
    # Else one of them is being made by this very batch: the first try, which is due at
    # once, finds it stored and can name it.


def settled(form: FormSource, keys: Collection[str]) -> None:
    """Forget what is kept of submissions that a poll has recorded meanwhile."""
    rows = HeldSubmission.objects.filter(form=form, key__in=keys)
    ids = [str(pk) for pk in rows.values_list("pk", flat=True)]
    if ids:
        queue.abandon(WorkItem.objects.filter(kind=KIND, key__in=ids))
        rows.delete()


def _failure(doubt: Ambiguous) -> Failure:
    names = names_of(RecordType.LEAD, doubt.candidates)
    told = listed(
        [
            name_in(names, RecordType.LEAD, one)
            + (f" ({by})" if (by := doubt.shared.get(one)) else "")
            for one in doubt.candidates
        ]
    )
    return Failure(
        "ambiguous",
        f"This may be any of {told}. If they are one person, merge them, else correct "
        "what is wrong with one of them; then retry.",
        about={"here": list(doubt.candidates)},
    )


# --- taking in ------------------------------------------------------------------------


def take_in_due() -> int:
    """Try what was asked for again, for a time slice; return how many."""
    deadline = time.monotonic() + settings.WORK_TIME_SLICE_S
    handled = 0
    for item in queue.one_by_one(KIND, until=deadline):
        _try(item)
        handled += 1
    return handled


def _try(item: WorkItem) -> None:
    with scopes_disabled():
        rows = HeldSubmission.objects.select_related("form__connection", "workspace")
        row = rows.filter(pk=item.key).first()
    if row is None:
        queue.finish([item], skipped=True)
        return
    with in_workspace(row.workspace):
        done = "held submission tried"
        with calls.guarded(row.form.connection, [item], done=done):
            _take_in(row, item)


@transaction.atomic
def _take_in(row: HeldSubmission, item: WorkItem) -> None:
    # The form before the item: a poll takes them in this order, see `settled`.
    forms = FormSource.objects.select_for_update(of=("self",))
    form = forms.select_related("connection", "workspace").get(pk=row.form_id)
    if not queue.extend([item]):
        return
    if not HeldSubmission.objects.filter(pk=row.pk).exists():
        queue.finish([item], skipped=True)
        return
    message = message_of_held(row, form)
    (result,) = engagement.record_messages(
        form.workspace, [message], origin=origin_of(form)
    )
    if result.ambiguous is not None:
        queue.fail(item, _failure(result.ambiguous), _rng)
        return
    if result.activity_id is not None:
        note(form, message)
        form.save(update_fields=["count", "last_at"])
    row.delete()
    queue.finish([item])


def message_of_held(row: HeldSubmission, form: FormSource) -> Message:
    """Return what is kept as the message that the poll made of it."""
    message = message_from(form, submission_of(row.document), now=queue.now())
    assert message is not None  # nobody else is kept
    # What had no id was given its key before it was made fit to be stored.
    return replace(message, key=row.key)


def note(form: FormSource, message: Message) -> None:
    """Count a submission that has come in; the caller stores the form."""
    at = message.occurred_at
    form.count += 1
    form.last_at = at if form.last_at is None else max(form.last_at, at)
