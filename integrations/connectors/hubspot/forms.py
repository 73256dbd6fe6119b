"""Reading an account's forms and what was submitted through them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from integrations.connectors.hubspot import answers
from integrations.connectors.hubspot.answers import Json
from integrations.connectors.hubspot.calls import Calls
from integrations.connectors.hubspot.spec import (
    FORM_FIELDS,
    FORM_ID,
    FORM_TEXT,
    LIST_PAGE,
    SUBMISSIONS_PAGE,
)
from integrations.connectors.hubspot.values import clean, moment
from integrations.connectors.paging import walk
from integrations.records import RemoteForm, Submission, SubmissionPage, Submitted


def forms(calls: Calls) -> tuple[RemoteForm, ...]:
    """List the account's forms, the archived left out."""

    def page(cursor: str | None) -> tuple[Iterable[RemoteForm], str | None]:
        query = {"limit": str(LIST_PAGE), **({"after": cursor} if cursor else {})}
        body = calls.get(calls.path("forms"), query)
        found = (_form(entry) for entry in answers.entries(body))
        return [one for one in found if one], answers.next_after(body)

    return tuple(walk(page, max_pages=200))


def submissions(calls: Calls, form_id: str, cursor: str | None) -> SubmissionPage:
    """Read one page of what was submitted, the newest first."""
    query = {"limit": str(SUBMISSIONS_PAGE), **({"after": cursor} if cursor else {})}
    body = calls.get(calls.path("submissions", form_id), query)
    found = tuple(_submission(entry) for entry in answers.entries(body))
    return SubmissionPage(found, answers.next_after(body))


def _form(entry: Json) -> RemoteForm | None:
    form_id = _text(entry.get("id"), 100)
    if not FORM_ID.fullmatch(form_id) or entry.get("archived") is True:
        return None
    return RemoteForm(form_id, _text(entry.get("name"), 200) or form_id)


def _submission(entry: Json) -> Submission:
    given = entry.get("values")
    values = given[:FORM_FIELDS] if isinstance(given, list) else []
    return Submission(
        id=_text(entry.get("conversionId"), 1000),
        at=_at(entry.get("submittedAt")),
        values=tuple(_value(one) for one in values if isinstance(one, Mapping)),
        page=_text(entry.get("pageUrl"), 2000),
    )


def _at(value: object) -> datetime | None:
    """Read milliseconds; what is no time at all is None."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return moment(str(value)[:40])


def _value(one: Mapping[str, object]) -> Submitted:
    return Submitted(
        name=_text(one.get("name"), 200),
        text=_text(one.get("value"), FORM_TEXT),
        object_id=_text(one.get("objectTypeId"), 20),
    )


def _text(value: object, most: int) -> str:
    """Read a short text; lists and objects say nothing we could show."""
    if isinstance(value, Mapping | list):
        return ""
    return (clean(value) or "").strip()[:most]
