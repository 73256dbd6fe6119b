"""What HubSpot's refusals mean, by the bodies it documents."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations import errors
from integrations.connectors.hubspot.errors import parse_error
from integrations.connectors.waiting import retry_after_s
from integrations.tests.connectors.fuzz import objects, patient

CONTRACT = Path(__file__).parents[5] / "shared/contracts/hubspot/examples/errors.json"

KINDS: dict[str, type[errors.SyncError]] = {
    "validation_400": errors.Misconfigured,
    "conflict_409": errors.DuplicateFound,
    "missing_scope_403": errors.PermissionMissing,
    "rate_limit_429": errors.RateLimited,
    "expired_auth_401": errors.ReauthRequired,
    "not_found_404": errors.RecordGone,
}
INTERVAL = "X-HubSpot-RateLimit-Interval-Milliseconds"


def parse(status: int, body: Any, headers: Any = None) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_error(status, headers or {}, raw)


@pytest.mark.parametrize("name", KINDS)
def test_each_documented_body_is_named(name: str) -> None:
    if not CONTRACT.exists():
        pytest.skip("the shared contract folder is not beside the repository")
    example = json.loads(CONTRACT.read_text())[name]

    error = parse(example["http"], example["body"])

    assert type(error) is KINDS[name]
    assert error.status == example["http"]
    assert error.request_id == example["body"]["correlationId"]
    assert error.detail


def test_an_unknown_property_is_named() -> None:
    error = parse(
        400,
        {
            "message": 'Property values were not valid: [{"isValid":false,'
            '"error":"PROPERTY_DOESNT_EXIST","name":"shoe_size"}]',
            "category": "VALIDATION_ERROR",
        },
    )

    assert type(error) is errors.Misconfigured
    assert error.field == "shoe_size"


def test_a_rejected_value_names_field_and_rule() -> None:
    error = parse(
        400,
        {
            "message": "Property values were not valid",
            "category": "VALIDATION_ERROR",
            "errors": [
                {
                    "message": "x was not one of the allowed options",
                    "code": "INVALID_OPTION",
                    "context": {"propertyName": ["industry"]},
                }
            ],
        },
    )

    assert type(error) is errors.RecordRejected
    assert (error.field, error.rule) == ("industry", "INVALID_OPTION")


def test_the_id_of_an_existing_contact_is_read_from_the_text() -> None:
    error = parse(409, {"message": "Contact already exists. Existing ID: 3401"})

    assert isinstance(error, errors.DuplicateFound)
    assert error.existing_id == "3401"


@pytest.mark.parametrize(
    ("text", "existing"),
    [
        ("Cannot set it on 5. 77 already has that value.", "77"),
        ("propertyValue: already has that value", None),
    ],
)
def test_a_taken_unique_value_is_a_duplicate(text: Any, existing: Any) -> None:
    error = parse(
        400,
        {
            "category": "VALIDATION_ERROR",
            "message": text,
            "errors": [{"message": text, "context": {"propertyName": ["crmsync_id"]}}],
        },
    )

    assert isinstance(error, errors.DuplicateFound)
    assert (error.existing_id, error.field) == (existing, "crmsync_id")


def test_missing_scopes_are_listed() -> None:
    error = parse(
        403,
        {
            "category": "MISSING_SCOPES",
            "errors": [{"context": {"requiredGranularScopes": ["a.read", "b.read"]}}],
        },
    )

    assert isinstance(error, errors.PermissionMissing)
    assert error.scopes == ("a.read", "b.read")
    assert "one of the scopes a.read, b.read" in error.needs


def test_a_refusal_without_scopes_names_none() -> None:
    error = parse(403, {"message": "Forbidden"})

    assert isinstance(error, errors.PermissionMissing)
    assert (error.scopes, error.needs) == ((), "")


def test_a_key_that_is_not_unique_is_a_mistake_in_the_mapping() -> None:
    text = "Unable to perform update/upsert by non-unique 0-2 property domain"

    error = parse(400, {"category": "VALIDATION_ERROR", "message": text})

    assert type(error) is errors.Misconfigured
    assert error.field == "domain"


@pytest.mark.parametrize(
    ("status", "policy", "headers", "wait_s", "scope"),
    [
        (429, "DAILY", {}, None, "daily"),
        (429, "TEN_SECONDLY_ROLLING", {}, 1.0, "burst"),
        (429, "TEN_SECONDLY_ROLLING", {INTERVAL: "2000"}, 0.2, "burst"),
        (429, "TEN_SECONDLY_ROLLING", {INTERVAL: "20000"}, 2.0, "burst"),
        (429, "TEN_SECONDLY_ROLLING", {INTERVAL: "0"}, 1.0, "burst"),
        (429, "TEN_SECONDLY_ROLLING", {INTERVAL: "9" * 5000}, 1.0, "burst"),
        (429, "TEN_SECONDLY_ROLLING", {"Retry-After": "7"}, 7.0, "burst"),
        (429, "SECONDLY", {}, 1.0, "search"),
        (429, "NEW_POLICY", {}, None, "burst"),
        (429, "DAILY", {"Retry-After": "60"}, 60.0, "daily"),
        (423, "", {}, 2.0, "burst"),
        (423, "", {"Retry-After": "7"}, 7.0, "burst"),
        (477, "", {"Retry-After": "86400"}, 86400.0, "burst"),
        (477, "", {}, None, "burst"),
    ],
)
def test_throttling_says_how_long_and_of_what(
    status: int, policy: str, headers: Any, wait_s: float | None, scope: str
) -> None:
    error = parse(status, {"policyName": policy}, headers)

    assert isinstance(error, errors.RateLimited)
    assert (error.retry_after_s, error.scope) == (wait_s, scope)


@pytest.mark.parametrize(
    ("body", "headers", "scope"),
    [
        ({"message": "You have reached your daily limit."}, {}, "daily"),
        ({"message": "You have reached your secondly limit."}, {}, "search"),
        ({"message": "You have reached your ten_secondly_rolling limit."}, {}, "burst"),
        ({}, {"X-HubSpot-RateLimit-Daily-Remaining": "0"}, "daily"),
        ({}, {"X-HubSpot-RateLimit-Daily-Remaining": "1"}, "burst"),
        (
            {"policyName": "TEN_SECONDLY_ROLLING"},
            {"X-HubSpot-RateLimit-Daily-Remaining": "0"},
            "burst",
        ),
        (b"", {}, "burst"),
        (b"<html>your limit</html>", {}, "burst"),
    ],
)
def test_a_limit_without_a_policy_is_told_from_text_and_headers(
    body: Any, headers: Any, scope: str
) -> None:
    assert parse(429, body, headers).scope == scope


@pytest.mark.parametrize("status", [423, 477])
def test_a_lock_or_a_move_is_no_daily_limit(status: int) -> None:
    left = {"X-HubSpot-RateLimit-Daily-Remaining": "0"}

    assert parse(status, {"policyName": "DAILY"}, left).scope == "burst"


@pytest.mark.parametrize(
    ("time", "wait_s"),
    [
        ("07:28:00", 125.0),
        ("07:44:59", 6.0),
        ("07:45:00", 5.0),
        ("07:45:04", 1.0),
        ("07:45:05", 900.0),
        ("23:59:59", 6.0),
    ],
)
def test_a_spent_day_waits_for_the_next_moment_that_may_be_midnight(
    time: str, wait_s: float
) -> None:
    headers = {"Date": f"Wed, 21 Oct 2026 {time} GMT"}

    error = parse(429, {"policyName": "DAILY"}, headers)

    assert (error.scope, error.retry_after_s) == ("daily", wait_s)


def test_what_a_spent_day_is_told_to_wait_is_believed() -> None:
    headers = {"Retry-After": "7200", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}

    assert parse(429, {"policyName": "DAILY"}, headers).retry_after_s == 7200


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("0", 0.0),
        ("12", 12.0),
        ("12.5", 12.5),
        ("999999999", 86400.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:00:00 GMT", 0.0),
        ("Wed, 21 Oct 2099 07:00:00 GMT", 86400.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(
    header: str, wait_s: float | None
) -> None:
    headers = {"retry-after": header, "date": "Wed, 21 Oct 2026 07:28:00 GMT"}

    assert retry_after_s(headers) == wait_s


def test_an_unexplained_401_is_worth_one_renewal_and_a_bad_token_is_not() -> None:
    assert parse(401, b"").expired is True
    assert parse(401, {"category": "INVALID_AUTHENTICATION"}).expired is False


def test_a_page_of_a_proxy_is_transient() -> None:
    error = parse(502, b"<html><h1>Bad gateway</h1></html>")

    assert type(error) is errors.Retryable
    assert error.detail == "Bad gateway"


@patient
@given(
    st.sampled_from([400, 401, 403, 404, 409, 423, 429, 477, 500]),
    objects("message", "errors", "category", "context", "policyName", "requestId"),
)
def test_no_shape_of_a_body_is_believed(status: int, body: Any) -> None:
    error = parse(status, body)

    assert isinstance(error, errors.SyncError)
    assert error.status == status


@patient
@given(st.binary())
def test_no_bytes_of_a_body_are_believed(body: Any) -> None:
    assert isinstance(parse_error(400, {}, body), errors.SyncError)


def test_a_busy_server_is_left_alone_for_as_long_as_it_says() -> None:
    told = parse_error(503, {"Retry-After": "30"}, b"")
    silent = parse_error(503, {}, b"")

    assert isinstance(told, errors.RateLimited)
    assert (told.retry_after_s, told.scope) == (30.0, "burst")
    assert type(silent) is errors.Retryable
