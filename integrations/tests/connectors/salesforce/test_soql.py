"""Queries, and what must not get into them."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors.salesforce import soql
from integrations.errors import Misconfigured, Retryable, Unsupported
from integrations.records import Filter, RemoteField
from integrations.tests.connectors.fuzz import patient

ID = "003000000000001AAA"
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIELDS = {
    "Email": RemoteField("Email", "Email", "text"),
    "Amount": RemoteField("Amount", "Amount", "number"),
    "Active__c": RemoteField("Active__c", "Active", "bool"),
    "CloseDate": RemoteField("CloseDate", "Close", "date"),
    "SystemModstamp": RemoteField("SystemModstamp", "Stamp", "datetime"),
    "Colours__c": RemoteField("Colours__c", "Colours", "multi_enum"),
}


def test_a_query_names_fields_conditions_order_and_limit() -> None:
    text = soql.select(
        ("Id", "Owner.Email"), "Lead", "A = 1", "", order=("Id",), limit=5
    )

    assert text == "SELECT Id, Owner.Email FROM Lead WHERE A = 1 ORDER BY Id LIMIT 5"


@pytest.mark.parametrize(
    "name",
    ["", "Id FROM User", "a'b", "A,B", "Lead WHERE x", "1A", "Ä", "a.b.c", "A\n"],
)
def test_what_is_no_name_gets_into_no_query(name: str) -> None:
    with pytest.raises(Misconfigured):
        soql.select((name,), "Lead")
    with pytest.raises(Misconfigured):
        soql.select(("Id",), name)


@given(st.text(max_size=40))
@patient
def test_a_literal_ends_where_it_should(text: str) -> None:
    inner = soql.literal(text)[1:-1]

    escaped = False
    for char in inner:
        assert escaped or char != "'"
        escaped = char == "\\" and not escaped
    assert not escaped
    assert not set(inner) & set("\n\r\t\x00")


@given(st.lists(st.text(min_size=1, max_size=60), max_size=80), st.integers(1, 20))
@patient
def test_runs_of_values_hold_each_once_and_fit(values: list[str], most: int) -> None:
    runs = list(soql.fitting(values, 900, most))

    assert [one for run in runs for one in run] == values
    assert all(len(run) <= most for run in runs)
    for run in runs:
        text = ", ".join(map(soql.literal, run))
        assert len(run) == 1 or len(quote(text, safe="")) <= 900


def test_fields_beyond_an_address_are_left_for_another_call() -> None:
    names = [f"Field_{number}__c" for number in range(674)]

    taken, left = soql.named(names, 6000)

    assert taken + left == names
    assert left
    assert soql.length(", ".join(taken)) <= 6000


def test_a_window_takes_in_both_of_its_ends_in_whole_seconds() -> None:
    since = AT.replace(microsecond=900_000)

    assert soql.within("SystemModstamp", since, AT) == (
        "SystemModstamp >= 2026-01-01T12:00:00Z "
        "AND SystemModstamp <= 2026-01-01T12:00:00Z"
    )


def test_a_cursor_goes_on_after_the_last_of_equal_stamps() -> None:
    cursor = soql.cursor_at(AT, ID)

    assert soql.after("SystemModstamp", cursor) == (
        "(SystemModstamp > 2026-01-01T12:00:00Z OR "
        f"(SystemModstamp = 2026-01-01T12:00:00Z AND Id > '{ID}'))"
    )
    assert soql.after("SystemModstamp", None) == soql.after_id(None) == ""


@pytest.mark.parametrize("cursor", ["", "x", f"x|{ID}", "2026-01-01T12:00:00Z|' OR"])
def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str) -> None:
    with pytest.raises(Retryable):
        soql.after("SystemModstamp", cursor)
    with pytest.raises(Retryable):
        soql.after_id(cursor)


def test_a_page_without_a_stamp_is_not_taken_for_the_last() -> None:
    with pytest.raises(Retryable):
        soql.cursor_at(None, ID)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Filter("Email", "eq", "o'neil@example.com"), r"Email = 'o\'neil@example.com'"),
        (Filter("Email", "in", ("a", "b")), "Email IN ('a', 'b')"),
        (Filter("Email", "has"), "Email != null"),
        (Filter("Email", "lacks"), "Email = null"),
        (Filter("Email", "contains", "50%_"), r"Email LIKE '%50\%\_%'"),
        (Filter("Amount", "gte", "1e3"), "Amount >= 1000"),
        (Filter("Active__c", "eq", "TRUE"), "Active__c = true"),
        (Filter("CloseDate", "lt", "2026-02-28"), "CloseDate < 2026-02-28"),
        (
            Filter("SystemModstamp", "gt", "2026-01-01T13:00:00+01:00"),
            "SystemModstamp > 2026-01-01T12:00:00Z",
        ),
        (Filter("Colours__c", "eq", "red"), "Colours__c INCLUDES ('red')"),
        (Filter("Unknown__c", "eq", "1"), "Unknown__c = '1'"),
    ],
)
def test_a_condition_is_written_as_its_field_wants_it(
    condition: Filter, text: str
) -> None:
    assert soql.conditions([condition], FIELDS) == [text]


def test_a_value_that_is_none_of_its_fields_is_refused_here() -> None:
    with pytest.raises(Misconfigured):
        soql.conditions([Filter("Amount", "eq", "1 OR 1=1")], FIELDS)


def test_more_conditions_than_a_query_should_carry_are_refused() -> None:
    with pytest.raises(Unsupported):
        soql.check_filters([Filter("Email", "has")] * 99)
