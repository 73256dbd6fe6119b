"""Values as Salesforce writes and reads them."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors.salesforce import values
from integrations.errors import RecordRejected
from integrations.records import FieldType, RemoteField
from integrations.tests.connectors.fuzz import junk, patient

CET = timezone(timedelta(hours=1))
KINDS = get_args(FieldType)


def field(kind: Any = "text", **more: Any) -> RemoteField:
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
        (0.1, "0.1"),
        (-0.0, "0"),
        (1e21, "1000000000000000000000"),
        (Decimal("1.10"), "1.1"),
        (Decimal("1E+3"), "1000"),
        (date(2026, 2, 28), "2026-02-28"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), "2026-01-02T03:04:05.678Z"),
        (datetime(2026, 1, 2, 0, 30, tzinfo=CET), "2026-01-01T23:30:00Z"),
        (["b", "a"], "b;a"),
        ({"b", "a"}, "a;b"),
        ([], ""),
    ],
)
def test_every_value_is_sent_as_the_text_salesforce_takes(
    value: Any, text: str
) -> None:
    assert values.to_remote(value) == text


def test_a_time_in_a_date_field_keeps_the_day_of_its_own_zone() -> None:
    late = datetime(2026, 1, 2, 0, 30, tzinfo=CET)

    assert values.to_remote(late, field("date")) == "2026-01-02"


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        datetime(2026, 1, 1),
        object(),
        b"bytes",
        {"a": 1},
        ["a;b"],
        "x" * 81,
    ],
)
def test_what_a_field_cannot_hold_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(RecordRejected) as caught:
        values.to_remote(value, field(max_length=80))

    assert caught.value.field == "f"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (None, "text", None),
        ("", "number", None),
        ("12.50", "number", Decimal("12.5")),
        ("1.0E3", "number", Decimal(1000)),
        ("true", "bool", True),
        ("maybe", "bool", "maybe"),
        ("2026-02-28", "date", date(2026, 2, 28)),
        ("2026-02-30", "date", "2026-02-30"),
        (
            "2024-09-10T13:57:50.000+0000",
            "datetime",
            datetime(2024, 9, 10, 13, 57, 50, tzinfo=UTC),
        ),
        ("1725976670000", "datetime", datetime(2024, 9, 10, 13, 57, 50, tzinfo=UTC)),
        ("1725926400000", "date", date(2024, 9, 10)),
        ("b;a;;b", "multi_enum", ("a", "b")),
        ("1e999999", "number", "1e999999"),
    ],
)
def test_a_value_is_read_as_what_it_means(text: Any, kind: Any, value: Any) -> None:
    assert values.from_remote(text, field(kind)) == value


@given(st.text(max_size=30), st.sampled_from(KINDS))
@patient
def test_reading_and_writing_any_text_twice_changes_nothing(
    text: str, kind: Any
) -> None:
    def form(one: str) -> str:
        return values.to_remote(values.from_remote(one, field(kind)), field(kind))

    assert form(form(text)) == form(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
@patient
def test_numbers_come_back_as_they_went(number: Decimal) -> None:
    text = values.to_remote(number)

    assert values.from_remote(text, field("number")) in (number, None)
    assert values.to_remote(values.from_remote(text, field("number"))) == text


@given(st.datetimes(min_value=datetime(1700, 1, 1), timezones=st.just(UTC)))
@patient
def test_times_come_back_to_the_millisecond(at: datetime) -> None:
    read = values.from_remote(values.to_remote(at), field("datetime"))

    assert isinstance(read, datetime)
    assert timedelta(0) <= at - read < timedelta(milliseconds=1)


@given(junk)
@patient
def test_no_scalar_of_an_answer_breaks_cleaning(value: object) -> None:
    text = values.clean(value)

    assert text is None or "\x00" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1000.0, "1000"),
        (12.5, "12.5"),
        (True, "true"),
        ("a\x00b", "ab"),
        ("\ud800", "?"),
        (None, None),
        ({"street": "x"}, None),
        (float("inf"), None),
    ],
)
def test_a_scalar_becomes_text_a_database_takes(value: object, text: Any) -> None:
    assert values.clean(value) == text


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("00Dx0000000BV7z", "00Dx0000000BV7zEAG"),
        ("005x00000012Q9P", "005x00000012Q9PAAU"),
    ],
)
def test_a_short_id_gets_the_end_that_tells_its_capitals(short: str, long: str) -> None:
    assert values.long_id(short) == long
    assert values.long_id(long) == long


@pytest.mark.parametrize("text", ["", "999999", "00Dx0000000BV7'", "ü" * 15])
def test_what_is_no_id_stays_as_it_is(text: str) -> None:
    assert not values.is_id(text)
    assert values.long_id(text) == text
