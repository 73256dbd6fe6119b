"""A mapping's rows applied to a record's values."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from integrations.errors import RecordRejected
from integrations.mapping.engine import Called, Compiled, Mapped, Problem, Row
from integrations.mapping.inverse import Inverse
from integrations.mapping.transforms import LABELS, TRANSFORMS


def mapped(row: Row, creating: bool = True, **values: Any) -> Mapped:
    return Compiled([row], {row.destination: str})(values, creating=creating)


@pytest.mark.parametrize(
    ("row", "values", "fields"),
    [
        (Row("name", "n"), {"name": "Ada"}, {"n": "Ada"}),
        (Row("name", "n", "upper"), {"name": "Ada"}, {"n": "ADA"}),
        (Row("score", "s"), {"score": 0}, {"s": "0"}),
        (Row("done", "d"), {"done": False}, {"d": "False"}),
        (Row("stage", "s", values={"1": "open"}), {"stage": 1}, {"s": "open"}),
        (Row("name", "n"), {"name": ""}, {}),
        (Row("name", "n"), {"name": None}, {}),
        (Row("name", "n"), {}, {}),
        (Row("name", "n", "trim"), {"name": "   "}, {}),
        (Row("custom.size", "z"), {"custom.size": "L"}, {"z": "L"}),
    ],
)
def test_value_on_its_way(
    row: Row, values: dict[str, Any], fields: dict[str, str]
) -> None:
    assert mapped(row, **values) == Mapped(
        fields, (), () if fields else (row.destination,)
    )


@pytest.mark.parametrize(
    ("creating", "value", "fields"),
    [
        (True, "", {"n": "unknown"}),
        (True, "Ada", {"n": "Ada"}),
        (False, "", {}),
    ],
)
def test_default_fills_a_blank_of_a_new_record_only(
    creating: bool, value: str, fields: dict[str, str]
) -> None:
    row = Row("name", "n", default="unknown")

    assert mapped(row, creating, name=value).fields == fields


@pytest.mark.parametrize(("creating", "fields"), [(True, {}), (False, {"n": ""})])
def test_blank_clears_only_what_exists(creating: bool, fields: dict[str, str]) -> None:
    row = Row("name", "n", clear_blanks=True)

    assert mapped(row, creating, name="").fields == fields


def test_value_the_table_does_not_know_is_a_problem_and_nothing_is_sent() -> None:
    row = Row("stage", "s", values={"1": "open"})

    result = mapped(row, stage=2)

    assert result.fields == {}
    assert [problem.field for problem in result.problems] == ["stage"]
    assert "2" in result.problems[0].message


def test_what_is_told_of_a_value_is_what_people_call_it() -> None:
    called = Called(
        "Stage",
        "Stage (StageName)",
        our_value=lambda value: {"3": "Proposal"}[str(value)],
        their_value=lambda value: {"won": "Closed Won"}[value],
        crm="Salesforce",
    )
    row = Row("stage_id", "StageName", values={"1": "open"}, called=called)
    back = Inverse([row], {"StageName": str})

    (ours,) = mapped(row, stage_id="3").problems
    theirs = back({"StageName": "won"})[1]["StageName"]

    assert ours.message == (
        'Stage is "Proposal", and the mapping to Stage (StageName) says nothing about '
        "that value."
    )
    assert theirs.message == (
        'Stage (StageName) is "Closed Won" in Salesforce, and the mapping to Stage '
        "says nothing about that value."
    )
    assert (ours.field, theirs.field) == ("stage_id", "stage_id")


def test_what_is_left_out_is_not_named() -> None:
    def never(_: object) -> str:
        raise AssertionError

    row = Row(
        "owner", "o", leave_out_unknown=True, called=Called("Owner", our_value=never)
    )

    assert mapped(row, owner="ada@example.com") == Mapped({}, ())


def test_value_the_table_does_not_know_can_be_left_out() -> None:
    row = Row("owner", "o", leave_out_unknown=True)

    assert mapped(row, owner="ada@example.com") == Mapped({}, ())


def test_value_the_vendor_cannot_hold_is_told_in_its_words() -> None:
    def refuse(value: object) -> str:
        raise RecordRejected("longer than 10 characters")

    compiled = Compiled([Row("name", "n")], {"n": refuse})

    assert compiled({"name": "Ada"}, creating=True) == Mapped(
        {}, (Problem("name", "longer than 10 characters"),)
    )


def test_one_source_can_go_to_two_fields() -> None:
    rows = [
        Row("stage", "pipeline", values={"1": "sales"}),
        Row("stage", "step", values={"1": "open"}),
    ]

    compiled = Compiled(rows, {"pipeline": str, "step": str})

    assert compiled({"stage": 1}, creating=True).fields == {
        "pipeline": "sales",
        "step": "open",
    }


@pytest.mark.parametrize(
    ("name", "given", "result"),
    [
        ("trim", "  Ada ", "Ada"),
        ("lower", "ADA", "ada"),
        ("upper", "ada", "ADA"),
        ("title", "ada example", "Ada Example"),
        ("first_word", "Ada Maria Example", "Ada"),
        ("first_word", "Ada", "Ada"),
        ("upper", 7, "7"),
    ],
)
def test_transform(name: str, given: object, result: str) -> None:
    assert TRANSFORMS[name](given) == result


def test_every_transform_has_a_label() -> None:
    assert set(LABELS) == {"", *TRANSFORMS}


def test_a_default_can_be_so_many_days_ahead() -> None:
    row = Row("close_date", "CloseDate", default="+30d")
    compiled = Compiled([row], {"CloseDate": str})

    mapped = compiled({}, creating=True, today=date(2026, 3, 2))

    assert mapped.fields == {"CloseDate": "2026-04-01"}
