"""Values as HubSpot writes and reads them."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors.hubspot import values
from integrations.errors import RecordRejected
from integrations.records import RemoteField, RemoteOption
from integrations.tests.connectors.fuzz import patient

CET = timezone(timedelta(hours=1))


def field(kind: Any = "text", **more: Any) -> Any:
    return RemoteField("f", "F", kind, **more)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        ("0123", "0123"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (10**30, "1" + "0" * 30),
        (0.1, "0.1"),
        (-0.0, "0"),
        (1e21, "1000000000000000000000"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-9"), "0.000000001"),
        (date(2026, 2, 28), "2026-02-28"),
        (datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), "2026-01-02T03:04:05.678Z"),
        (datetime(2026, 1, 2, 0, 30, tzinfo=CET), "2026-01-01T23:30:00.000Z"),
        (["b", "a"], "b;a"),
        ({"b", "a"}, "a;b"),
        ([], ""),
        (("x", None, 3), "x;3"),
    ],
)
def test_every_value_is_sent_as_the_text_hubspot_takes(value: Any, text: Any) -> None:
    assert values.to_remote(value) == text


def test_a_time_in_a_date_field_keeps_the_day_of_its_own_zone() -> None:
    late = datetime(2026, 1, 2, 0, 30, tzinfo=CET)

    assert values.to_remote(late, field("date")) == "2026-01-02"


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 1),  # naive on purpose
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        ["a;b"],
        b"bytes",
        {"a": 1},
        object(),
        "x" * 11,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_field_cannot_hold_is_rejected_by_name(value: Any) -> None:
    with pytest.raises(RecordRejected) as caught:
        values.to_remote(value, field(max_length=10))

    assert caught.value.field == "f"


@patient
@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9998, 1, 1)).map(
        lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
    )
)
def test_a_time_comes_back_as_it_went(at: Any) -> None:
    assert values.from_remote(values.to_remote(at), field("datetime")) == at


@patient
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_a_number_comes_back_as_it_went(number: Any) -> None:
    assert values.from_remote(values.to_remote(number), field("number")) == number


@patient
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_sent_without_an_exponent(number: Any) -> None:
    text = values.to_remote(number)

    assert "e" not in text.lower()
    assert float(text) == number


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("", "text", None),
        (None, "number", None),
        ("1735689600000", "date", date(2025, 1, 1)),
        ("2025-01-01", "date", date(2025, 1, 1)),
        ("-86400000", "datetime", datetime(1969, 12, 31, tzinfo=UTC)),
        ("2025-01-01T00:00:00Z", "datetime", datetime(2025, 1, 1, tzinfo=UTC)),
        ("a;;b", "multi_enum", ("a", "b")),
        ("TRUE", "bool", True),
        ("maybe", "bool", "maybe"),
        ("not a date", "date", "not a date"),
        ("9" * 40, "datetime", "9" * 40),
    ],
)
def test_a_stored_text_is_read_or_left_as_it_is(
    text: Any, kind: Any, value: Any
) -> None:
    assert values.from_remote(text, field(kind)) == value


def test_text_from_a_vendor_is_made_fit_for_a_database() -> None:
    assert values.clean("a\x00b") == "ab"
    assert values.clean("\ud800é") == "?é"
    assert values.clean(12345678901234567890) == "12345678901234567890"
    assert values.clean({"a": 1}) is None


@given(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.none()
        | st.text("ab\x00\ud800é;", max_size=3)
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.lists(st.integers(), max_size=1),
    )
)
def test_all_values_of_a_record_are_cleaned_as_one_is(properties: Any) -> None:
    cleaned = {name: values.clean(value) for name, value in properties.items()}

    assert values.clean_all(properties) == cleaned


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"type": "enumeration", "fieldType": "checkbox"}, "multi_enum"),
        ({"type": "enumeration", "fieldType": "select"}, "enum"),
        ({"type": "enumeration", "fieldType": "booleancheckbox"}, "bool"),
        ({"type": "enumeration", "referencedObjectType": "OWNER"}, "owner"),
        ({"type": "string", "fieldType": "phonenumber"}, "phone"),
        ({"type": "string", "fieldType": "textarea"}, "text"),
        ({"type": "object_coordinates"}, "json"),
        ({"type": "something new"}, "text"),
        ({"type": 7, "options": "x", "modificationMetadata": []}, "text"),
        ({}, "text"),
    ],
)
def test_a_property_of_any_shape_gets_a_type(entry: Any, kind: Any) -> None:
    assert values.remote_field({"name": "f"} | entry).type == kind


def test_a_property_is_read_whole() -> None:
    entry = {
        "name": "tier",
        "label": "Tier",
        "type": "enumeration",
        "fieldType": "select",
        "groupName": "g",
        "options": [{"label": "Gold", "value": "gold", "hidden": True}, "junk"],
        "hasUniqueValue": True,
        "calculated": False,
        "modificationMetadata": {"readOnlyValue": True},
    }

    read = values.remote_field(entry, required=("tier",))

    assert read.options == (RemoteOption("gold", "Gold", hidden=True),)
    assert (read.required, read.read_only, read.unique) == (True, True, True)
    assert (read.label, read.group, read.max_length) == ("Tier", "g", None)
