"""What Salesforce's refusals mean, whole answers and single rows."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations import errors
from integrations.connectors.salesforce.errors import (
    bulk_error,
    error_of,
    job_error,
    parse_error,
)
from integrations.tests.connectors.fuzz import junk, objects, patient

OTHER = "0031i000013x2TEAAY"


def refusal(status: int, code: str, message: str = "", **more: Any) -> errors.SyncError:
    body = [{"message": message, "errorCode": code, **more}]
    return parse_error(status, {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "INVALID_SESSION_ID", errors.ReauthRequired),
        (403, "REQUEST_LIMIT_EXCEEDED", errors.RateLimited),
        (403, "API_DISABLED_FOR_ORG", errors.PermissionMissing),
        (403, "INSUFFICIENT_ACCESS", errors.PermissionMissing),
        (400, "INSUFFICIENT_ACCESS_OR_READONLY", errors.PermissionMissing),
        (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", errors.RecordRejected),
        (400, "REQUIRED_FIELD_MISSING", errors.RecordRejected),
        (400, "STRING_TOO_LONG", errors.RecordRejected),
        (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", errors.RecordRejected),
        (400, "INVALID_EMAIL_ADDRESS", errors.RecordRejected),
        (400, "INVALID_CROSS_REFERENCE_KEY", errors.RecordRejected),
        (400, "INVALID_FIELD", errors.Misconfigured),
        (400, "INVALID_FIELD_FOR_INSERT_UPDATE", errors.Misconfigured),
        (400, "INVALID_TYPE", errors.Misconfigured),
        (400, "MALFORMED_QUERY", errors.Misconfigured),
        (400, "DUPLICATE_VALUE", errors.DuplicateFound),
        (400, "UNABLE_TO_LOCK_ROW", errors.Retryable),
        (400, "QUERY_TIMEOUT", errors.Retryable),
        (503, "SERVER_UNAVAILABLE", errors.Retryable),
        (500, "UNKNOWN_EXCEPTION", errors.Retryable),
        (400, "INVALID_QUERY_LOCATOR", errors.Retryable),
        (404, "ENTITY_IS_DELETED", errors.RecordGone),
        (404, "NOT_FOUND", errors.RecordGone),
        (400, "CANNOT_UPDATE_CONVERTED_LEAD", errors.RecordBecame),
        (410, "UNSUPPORTED_API_VERSION", errors.Unsupported),
        (400, "A_WORD_OF_NEXT_YEAR", errors.RecordRejected),
    ],
)
def test_each_code_says_what_to_do(status: int, code: str, kind: Any) -> None:
    error = refusal(status, code, "told")

    assert type(error) is kind
    assert (error.code, error.status, error.message) == (code, status, "told")


@pytest.mark.parametrize(
    ("code", "which"),
    [
        ("INSUFFICIENT_ACCESS", "create and edit"),
        ("INSUFFICIENT_ACCESS_OR_READONLY", "create and edit"),
        ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "share that one"),
        ("API_DISABLED_FOR_ORG", "API Enabled"),
        ("CLIENT_NOT_ACCESSIBLE_FOR_USER", "policies"),
    ],
)
def test_a_missing_permission_says_which_and_where(code: str, which: str) -> None:
    error = refusal(400, code, "insufficient access rights")

    assert isinstance(error, errors.PermissionMissing)
    assert which in error.needs
    assert "Salesforce" in error.needs


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, b"<html>oops</html>", errors.Retryable),
        (502, b"", errors.Retryable),
        (403, b"<html>Forbidden</html>", errors.PermissionMissing),
        (404, b"[]", errors.RecordGone),
        (410, b"", errors.Unsupported),
        (414, b"", errors.RecordRejected),
        (302, b"", errors.Misconfigured),
        (429, b"", errors.RateLimited),
    ],
)
def test_a_bare_status_is_understood(status: int, body: bytes, kind: Any) -> None:
    assert type(parse_error(status, {}, body)) is kind


def test_an_old_session_may_be_renewed_and_a_hopeless_one_not() -> None:
    old = refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
    hopeless = refusal(
        401,
        "INVALID_SESSION_ID",
        "This session is not valid for use with the REST API",
    )

    assert isinstance(old, errors.ReauthRequired)
    assert old.expired
    assert isinstance(hopeless, errors.ReauthRequired)
    assert not hopeless.expired


@pytest.mark.parametrize(
    ("message", "scope", "wait_s"),
    [
        ("TotalRequests Limit exceeded.", "daily", 900.0),
        ("ConcurrentPerOrgLongTxn Limit exceeded.", "burst", 20.0),
    ],
)
def test_the_day_that_is_spent_is_told_from_too_many_at_once(
    message: str, scope: str, wait_s: float
) -> None:
    error = refusal(403, "REQUEST_LIMIT_EXCEEDED", message)

    assert isinstance(error, errors.RateLimited)
    assert (error.scope, error.retry_after_s) == (scope, wait_s)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "wait_s"),
    [("7", 7), ("12.5", 12.5), ("Wed, 21 Oct 2026 07:30:00 GMT", 120)],
)
def test_a_time_to_wait_counts_where_one_is_told(
    status: int, header: str, wait_s: float
) -> None:
    headers = {"Retry-After": header, "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}

    error = parse_error(status, headers, b"")

    assert isinstance(error, errors.RateLimited)
    assert error.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"message": "No such column 'AccNo' on sobject of type Account"}, "AccNo"),
        ({"message": "\nERROR at Row:1\nNo such column 'X__c' on entity 'T'"}, "X__c"),
        ({"message": "Unable to create/update fields: MasterRecordId, A."}, None),
        ({"message": "hidden", "fields": ["Title"]}, "Title"),
    ],
)
def test_a_field_the_org_does_not_have_is_named(entry: Any, field: Any) -> None:
    error = error_of({"statusCode": "INVALID_FIELD", **entry})

    assert isinstance(error, errors.Misconfigured)
    assert error.field == (field or "MasterRecordId")


def test_a_value_that_cannot_be_read_is_the_values_fault() -> None:
    error = bulk_error(
        "INVALID_FIELD:Failed to deserialize field at col 3. Due to, '2003-04-98' is "
        "not a valid value for the type xsd:date:CloseDate --"
    )

    assert type(error) is errors.RecordRejected
    assert (error.field, error.code) == ("CloseDate", "INVALID_FIELD")


def test_the_missing_field_is_named_from_the_message_too() -> None:
    error = error_of(
        {
            "statusCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [LastName, Company]",
        }
    )

    assert isinstance(error, errors.RecordRejected)
    assert error.field == "LastName"


def test_a_key_field_that_is_none_blames_the_mapping() -> None:
    error = refusal(
        404,
        "NOT_FOUND",
        "Provided external ID field does not exist or is not accessible: Key__c",
    )

    assert isinstance(error, errors.Misconfigured)
    assert error.field == "Key__c"


def test_who_has_the_unique_value_is_read_from_the_message() -> None:
    error = refusal(
        400,
        "DUPLICATE_VALUE",
        f"duplicate value found: Key__c duplicates value on record with id: {OTHER}",
    )

    assert isinstance(error, errors.DuplicateFound)
    assert error.existing_id == OTHER


@pytest.mark.parametrize("key", ["duplicateResut", "duplicateResult"])
def test_a_duplicate_rule_names_the_record_in_either_spelling(key: str) -> None:
    error = refusal(400, "DUPLICATES_DETECTED", "twice", **{key: detected(OTHER)})

    assert isinstance(error, errors.DuplicateFound)
    assert error.existing_id == OTHER


def test_a_duplicate_rule_that_finds_several_leaves_the_choice_to_a_person() -> None:
    found = detected(OTHER, "0031i000013x2TFAAY")

    error = refusal(400, "DUPLICATES_DETECTED", "twice", duplicateResut=found)

    assert isinstance(error, errors.RecordRejected)
    assert error.code == "AMBIGUOUS_MATCH"
    assert OTHER in error.message


def test_many_records_with_one_key_are_not_written() -> None:
    body = json.dumps(["/services/data/v64.0/sobjects/A/x"]).encode()

    error = parse_error(300, {}, body)

    assert isinstance(error, errors.RecordRejected)
    assert error.code == "AMBIGUOUS_MATCH"


def test_a_lock_inside_a_trigger_is_tried_again_and_another_failure_not() -> None:
    trigger = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"

    lock = error_of({"statusCode": trigger, "message": "T: UNABLE_TO_LOCK_ROW, ..."})
    other = error_of({"statusCode": trigger, "message": "T: System.NullPointer"})

    assert type(lock) is errors.Retryable
    assert type(other) is errors.RecordRejected


def test_a_fault_of_soap_speaks_the_same_words() -> None:
    body = (
        b"<soapenv:Envelope><soapenv:Body><soapenv:Fault>"
        b"<faultcode>sf:INVALID_SESSION_ID</faultcode>"
        b"<faultstring>INVALID_SESSION_ID: Invalid Session ID</faultstring>"
        b"</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )

    error = parse_error(500, {}, body)

    assert isinstance(error, errors.ReauthRequired)
    assert error.expired
    assert error.message == "Invalid Session ID"


def test_a_job_that_failed_for_a_column_blames_the_mapping() -> None:
    error = job_error("InvalidBatch : Field name not found : Stage_x")

    assert isinstance(error, errors.Misconfigured)
    assert error.field == "Stage_x"
    assert type(job_error("")) is errors.Retryable


@given(junk | st.lists(objects("message", "errorCode", "fields", "duplicateResut")))
@patient
def test_no_shape_of_an_answer_breaks_the_reading(body: object) -> None:
    for status in (300, 400, 401, 403, 404, 500):
        error = parse_error(status, {}, json.dumps(body).encode())

        assert isinstance(error, errors.SyncError)


@given(objects("message", "statusCode", "fields", "duplicateResult"))
@patient
def test_no_shape_of_a_row_breaks_the_reading(entry: dict[str, object]) -> None:
    assert isinstance(error_of(entry), errors.SyncError)


def detected(*ids: str) -> dict[str, Any]:
    records = [{"record": {"Id": one}, "matchConfidence": 100} for one in ids]
    return {"allowSave": True, "matchResults": [{"matchRecords": records}]}
