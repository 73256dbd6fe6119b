"""Makes valid form sources, and what is held of them, for tests."""

from __future__ import annotations

import itertools
from typing import Any

from django.utils import timezone
from django_scopes import scopes_disabled

from integrations.models import Connection, FormSource, HeldSubmission
from integrations.records import Submission, Submitted
from integrations.webhooks.submitted import document_of

_numbers = itertools.count(1)


@scopes_disabled()
def make_form_source(connection: Connection, **given: Any) -> FormSource:
    """Store a form that is taken in from now on."""
    at, guid = timezone.now(), f"00000000-0000-4000-8000-{next(_numbers):012}"
    given = {"begins_at": at, "taken_until": at, "remote_id": guid} | given
    given |= {"workspace": connection.workspace, "connection": connection}
    return FormSource.objects.create(**{"name": "Contact us"} | given)


@scopes_disabled()
def make_held_submission(form: FormSource, *, name: str = "Ada") -> HeldSubmission:
    """Store a submission that waits; its row of the queue is not made."""
    key, at = f"held-{next(_numbers)}", timezone.now()
    values = (Submitted("email", "ada@example.com"), Submitted("firstname", name))
    return HeldSubmission.objects.create(
        workspace=form.workspace,
        form=form,
        key=key,
        document=document_of(Submission(key, at, values), at=at),
    )
