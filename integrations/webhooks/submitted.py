"""Reads a person and what they said from a submitted web form.

PURE. Field names are the vendor's for contacts; what is not about the person is kept as
readable lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from integrations.records import Submission, Submitted
from integrations.webhooks import reading
from integrations.webhooks.base import Malformed
from integrations.webhooks.messages import Direction
from integrations.webhooks.people import PersonPaths, person_of
from leads.facts import Message

MAX_BODY = 20_000
MAX_ANSWER = 2_000
# Clocks differ; what is later than this is taken as submitted now.
AHEAD = timedelta(minutes=5)
_PATHS = PersonPaths("person", external=())
# object type id -> our name for each field, where it is not the person's own.
_COMPANY = {"name": "companyname", "domain": "companydomain", "website": "website"}
_RENAMED = {
    "hs_linkedin_url": "linkedin_url",
    "linkedinbio": "linkedin_url",
    "mobilephone": "mobile",
}
_CONTACT_IDS = frozenset({"", "0-1"})
_COMPANY_ID = "0-2"


def message_of(
    submission: Submission,
    *,
    source: str,
    form_id: str,
    form: str,
    direction: Direction,
    trace_id: str,
    now: datetime,
) -> Message | None:
    """Return what a submission becomes; None when nobody is in it."""
    flat = reading.flattened({"person": _person(submission.values)})
    try:
        person = person_of(flat, _PATHS, source=source)
    except Malformed:
        return None
    return Message(
        source=source,
        key=key_of(submission, form_id),
        person=person,
        direction=direction,
        body=_body(submission),
        occurred_at=time_of(submission, now=now),
        channel="form",
        subject=f"Submitted the form {form}"[:300],
        campaign=form[:200],
        campaign_id=form_id[:100],
        trace_id=trace_id,
    )


def document_of(submission: Submission, *, at: datetime) -> dict[str, Any]:
    """Return a submission as plain values that every database stores.

    {"id", "at": ISO time, "page", "values": [[name, text, object id], ...]}. at: when
    it counts as submitted, since what has no time would be another one later.
    """
    clean = reading.clean_text
    return {
        "id": clean(submission.id),
        "at": at.isoformat(),
        "page": clean(submission.page)[:MAX_BODY],
        "values": [
            [clean(one.name), clean(one.text)[:MAX_ANSWER], clean(one.object_id)]
            for one in submission.values
        ],
    }


def submission_of(document: Mapping[str, Any]) -> Submission:
    """Return the submission of such a document."""
    return Submission(
        document["id"],
        datetime.fromisoformat(document["at"]),
        tuple(Submitted(*one) for one in document["values"]),
        document["page"],
    )


def time_of(submission: Submission, *, now: datetime) -> datetime:
    """Return when it was submitted; `now` where that is not said or yet to come."""
    at = submission.at
    return now if at is None or at > now + AHEAD else min(at, now)


def key_of(submission: Submission, form_id: str) -> str:
    """Return its id; without one, what no two submissions of a form share."""
    if submission.id:
        return reading.bounded(submission.id, limit=200)
    said = [f"{one.object_id}/{one.name}={one.text}" for one in submission.values]
    at = submission.at.isoformat() if submission.at else ""
    return reading.digest(form_id, at, *said)


def _person(values: Sequence[Submitted]) -> dict[str, str]:
    """Return the person's fields; of one given several times, the first that speaks."""
    found: dict[str, str] = {}
    for one in values:
        name = one.name.lower()
        if one.object_id in _CONTACT_IDS:
            name = _RENAMED.get(name, name)
        elif one.object_id == _COMPANY_ID and name in _COMPANY:
            name = _COMPANY[name]
        else:
            continue
        if text := reading.clean_text(one.text).strip():
            found.setdefault(name, text)
    return found


def _body(submission: Submission) -> str:
    lines = [
        f"{reading.clean_text(one.name)}: {reading.clean_text(one.text)[:MAX_ANSWER]}"
        for one in submission.values
        if one.name and one.text
    ]
    if submission.page:
        lines.append(f"Page: {reading.clean_text(submission.page)}")
    return "\n".join(lines)[:MAX_BODY]
