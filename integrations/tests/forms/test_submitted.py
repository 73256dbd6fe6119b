"""What a submission says, whatever it looks like."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrations.records import Submission, Submitted
from integrations.webhooks.submitted import (
    MAX_ANSWER,
    MAX_BODY,
    document_of,
    key_of,
    message_of,
    submission_of,
)
from leads.facts import Message

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)


def read(*values: Submitted, at: datetime | None = NOW) -> Message | None:
    return message_of(
        Submission("one", at, values),
        source="hubspot",
        form_id="guid",
        form="Contact us",
        direction="",
        trace_id="trace",
        now=NOW,
    )


@pytest.mark.parametrize(
    ("name", "object_id", "field"),
    [
        ("email", "0-1", "email"),
        ("firstname", "", "first_name"),
        ("hs_linkedin_url", "0-1", "linkedin"),
        ("company", "0-1", "company_name"),
        ("name", "0-2", "company_name"),
        ("website", "", "company_domain"),
        ("jobtitle", "", "job_title"),
    ],
)
def test_fields_become_the_person_s(name: str, object_id: str, field: str) -> None:
    given = Submitted(name, "ada@example.com", object_id)

    message = read(given, Submitted("phone", "+49 30 1234567"))

    assert message is not None
    assert getattr(message.person, field) == "ada@example.com"


def test_nobody_to_know_is_no_message() -> None:
    assert read(Submitted("firstname", "Ada")) is None


def test_city_of_the_company_is_not_the_person_s() -> None:
    message = read(
        Submitted("email", "a@example.com"), Submitted("city", "Rome", "0-2")
    )

    assert message is not None
    assert message.person.city == ""


def test_first_of_several_values_that_speaks_counts_and_all_are_told() -> None:
    emails = [Submitted("email", one) for one in ("", "a@example.com", "b@example.com")]

    message = read(*emails)

    assert message is not None
    assert message.person.email == "a@example.com"
    assert message.body == "email: a@example.com\nemail: b@example.com"


def test_time_to_come_is_now() -> None:
    message = read(Submitted("email", "a@example.com"), at=NOW + timedelta(days=400))

    assert message is not None
    assert message.occurred_at == NOW


def test_endless_answers_are_cut() -> None:
    many = [Submitted(f"q{n}", "x" * 9_000) for n in range(100)]

    message = read(Submitted("email", "a@example.com"), *many)

    assert message is not None
    assert len(message.body) == MAX_BODY


def test_without_an_id_the_answers_tell_submissions_apart() -> None:
    one = Submission("", NOW, (Submitted("email", "a@example.com"),))
    other = Submission("", NOW, (Submitted("email", "b@example.com"),))

    assert key_of(one, "f") == key_of(one, "f")
    assert key_of(one, "f") != key_of(other, "f")


def test_document_gives_the_submission_back() -> None:
    given = Submitted("email", "a@example.com", "0-1")
    one = Submission("one", NOW, (given,), page="https://example.com/")

    document = json.loads(json.dumps(document_of(one, at=NOW)))

    assert submission_of(document) == one


def test_document_is_fit_for_every_database_and_has_a_time_and_an_end() -> None:
    one = Submission("a\x00", None, (Submitted("q\ud83d", "x\x00" * 9_000),), "p\x00")

    document = document_of(one, at=NOW)

    assert "\\u0000" not in json.dumps(document)
    assert "\\ud83d" not in json.dumps(document)
    assert submission_of(document).at == NOW
    assert len(submission_of(document).values[0].text) == MAX_ANSWER
