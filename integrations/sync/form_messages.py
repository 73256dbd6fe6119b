"""What a form's submissions become: messages, and where these say they are from."""

from __future__ import annotations

from datetime import datetime

from integrations.models import FormSource
from integrations.records import Submission
from integrations.webhooks.ingest import new_trace_id
from integrations.webhooks.submitted import message_of
from leads.facts import Message, Origin
from leads.services import engagement


def message_from(form: FormSource, one: Submission, *, now: datetime) -> Message | None:
    """Return a submission as a message; None when nobody is in it."""
    return message_of(
        one,
        source=form.connection.vendor,
        form_id=form.remote_id,
        form=form.name,
        direction="inbound" if form.counts_as_reply else "",
        trace_id=new_trace_id(),
        now=now,
    )


def origin_of(form: FormSource) -> Origin:
    """Return what is told to have changed the records."""
    return Origin(
        "connection",
        # New people's source: they came by themselves, and wait for no reply as those
        # from outreach do.
        id=engagement.FORM,
        label=form.name,
        connection_id=form.connection_id,
    )
