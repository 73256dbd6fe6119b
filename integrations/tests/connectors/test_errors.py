"""Errors: redaction, text, and what a bare status means."""

import pickle
from typing import Any

import pytest

from integrations import errors


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc.DEF-123",
        '{"access_token": "abc.DEF-123"}',
        "refresh_token=abc.DEF-123&x=1",
        "{'client_secret': 'abc.DEF-123'}",
        "GET /oauth/v1/access-tokens/abc.DEF-123 failed",
        '{"tokenKey":"abc.DEF-123"}',
    ],
)
def test_a_secret_never_gets_into_an_error(text: Any) -> None:
    error = errors.SyncError(text, detail=text, code=text)

    assert "abc.DEF-123" not in repr(error) + str(error) + error.detail + error.code


def test_a_private_app_token_is_hidden_wherever_it_stands() -> None:
    assert "pat-eu1-1234-abcd" not in errors.redact("key pat-eu1-1234-abcd is bad")


def test_detail_is_cut_to_a_kilobyte_without_breaking_a_character() -> None:
    error = errors.SyncError(detail="ü" * 5000)

    assert len(error.detail.encode()) <= 1024
    assert set(error.detail) == {"ü"}


def test_what_a_database_refuses_is_taken_out() -> None:
    assert errors.redact("a\x00b\ud800c") == "ab?c"


def test_the_text_of_an_error_names_vendor_object_status_and_code() -> None:
    error = errors.RecordRejected(
        "No such option",
        vendor="hubspot",
        object_type="contacts",
        status=400,
        code="INVALID_OPTION",
    )

    assert str(error) == "hubspot contacts 400 INVALID_OPTION: No such option"


def test_an_error_survives_the_way_between_processes() -> None:
    error = errors.RateLimited("slow down", retry_after_s=7, scope="daily", status=429)

    copy = pickle.loads(pickle.dumps(error))

    assert (copy.retry_after_s, copy.scope, copy.status) == (7, "daily", 429)
    assert str(copy) == str(error)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, errors.Misconfigured),
        (400, errors.RecordRejected),
        (401, errors.ReauthRequired),
        (403, errors.PermissionMissing),
        (404, errors.RecordGone),
        (409, errors.DuplicateFound),
        (418, errors.RecordRejected),
        (423, errors.RateLimited),
        (429, errors.RateLimited),
        (500, errors.Retryable),
        (524, errors.Retryable),
    ],
)
def test_a_bare_status_has_one_meaning(status: int, kind: Any) -> None:
    assert errors.error_of_status(status) is kind
