"""The one form of a HubSpot value: reading and writing it again changes nothing."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors.hubspot import values
from integrations.records import FieldType, RemoteField
from integrations.tests.connectors.fuzz import patient

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OPTIONS = ["a", "b", "c c", "d"]

numbers = st.decimals(allow_nan=False, allow_infinity=False, places=6)
offsets = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))
moments = st.datetimes(
    min_value=datetime(1000, 1, 2), max_value=datetime(9999, 12, 30)
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))


def form(text: str, kind: Any) -> str:
    field = RemoteField("f", "F", kind)
    return values.to_remote(values.from_remote(text, field), field)


@patient
@given(st.text(), st.sampled_from(get_args(FieldType)))
def test_any_text_in_any_field_has_one_form(text: Any, kind: Any) -> None:
    once = form(text, kind)

    assert form(once, kind) == once


@patient
@given(
    st.from_regex(
        r"-?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
    )
    | st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-9:.+-]{0,14})?Z?")
    | st.from_regex(r"-?[0-9]{1,16}", fullmatch=True)
    | st.lists(st.sampled_from(["", *OPTIONS])).map(";".join)
    | st.sampled_from(["TRUE", "False", "true", "sNaN", "-Infinity", "1_0", "٣"]),
    st.sampled_from(get_args(FieldType)),
)
def test_any_text_that_looks_like_a_value_has_one_form(text: Any, kind: Any) -> None:
    once = form(text, kind)

    assert form(once, kind) == once


@patient
@given(numbers, st.integers(0, 6))
def test_a_number_has_one_form_however_it_is_written(number: Any, zeros: int) -> None:
    plain = format(number, "f")
    spellings = [plain + "0" * zeros, f"{number:E}", f"+{plain}".replace("+-", "-")]

    forms = {form(spelling, "number") for spelling in spellings}

    assert len(forms) == 1
    assert Decimal(forms.pop()) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e3", "1000"),
        ("10.0", "10"),
        ("1000", "1000"),
        ("-0.0", "0"),
        ("0.50", "0.5"),
        (" 7 ", "7"),
        ("123456789012345678901234567890.10", "123456789012345678901234567890.1"),
        ("1e999999999", "1e999999999"),
        ("NaN", "NaN"),
        ("about 7", "about 7"),
    ],
)
def test_a_number_is_written_out_and_no_digit_lost(text: str, expected: str) -> None:
    assert form(text, "number") == expected


@patient
@given(moments, offsets)
def test_a_moment_has_one_form_in_every_zone(at: Any, offset: Any) -> None:
    utc = at.replace(tzinfo=UTC)
    spellings = [
        str((utc - EPOCH) // timedelta(milliseconds=1)),
        at.isoformat(timespec="milliseconds") + "Z",
        utc.astimezone(offset).isoformat(timespec="microseconds"),
    ]

    forms = {form(spelling, "datetime") for spelling in spellings}

    assert forms == {spellings[1]}


def test_milliseconds_far_ahead_lose_none() -> None:
    assert form("118393437897120", "datetime") == "5721-09-27T10:04:57.120Z"


@patient
@given(st.dates(min_value=date(1000, 1, 2)))
def test_a_date_has_one_form_and_never_shifts(day: Any) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    spellings = [
        day.isoformat(),
        str((midnight - EPOCH) // timedelta(milliseconds=1)),
        f"{day.isoformat()}T23:59:59-11:00",
    ]

    assert {form(spelling, "date") for spelling in spellings} == {day.isoformat()}


@patient
@given(st.lists(st.sampled_from(OPTIONS), unique=True).flatmap(st.permutations))
def test_options_have_one_form_in_any_order(chosen: Any) -> None:
    assert form(";".join(chosen), "multi_enum") == ";".join(sorted(chosen))


@pytest.mark.parametrize("text", ["true", "TRUE", "True"])
def test_a_boolean_has_one_form(text: str) -> None:
    assert form(text, "bool") == "true"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2026-01-01 or later", "date"),
        ("2026-13-01", "date"),
        ("yes", "bool"),
        ("tomorrow", "datetime"),
        ("9" * 400, "datetime"),
    ],
)
def test_what_is_unreadable_stays_as_it_is(text: str, kind: str) -> None:
    assert form(text, kind) == text


def test_no_option_at_all_is_empty() -> None:
    assert values.from_remote(";;", RemoteField("f", "F", "multi_enum")) is None
