"""Which of the values that were told were a person's edit, by all that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from integrations.mapping.passing import Known, Step, Told, edits, in_order

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
READ_AT = 600


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def told(*values: tuple[str, float]) -> list[Told]:
    return in_order(Told(value, at(seconds), value) for value, seconds in values)


def known(
    read: str,
    *steps: tuple[str, str, float],
    before: str = "X",
    taken: bool = True,
) -> Known:
    return Known(
        read=read,
        read_at=at(READ_AT),
        before=before,
        agreed=frozenset({before}),
        began=at(READ_AT),
        steps=[Step(old, new, at(s), taken=taken) for old, new, s in steps],
    )


def found(
    words: list[Told], what: Known, own: tuple[str, ...] = ()
) -> list[tuple[str, str, float]]:
    return [
        (one.old, one.new, (one.at - START).total_seconds())
        for one in edits(words, what, lambda word: word.value in own)
    ]


@pytest.mark.parametrize(
    ("words", "read", "steps"),
    [
        ([], "X", []),
        ([("X", 10)], "X", []),
        ([("Y", 10)], "Y", []),
        ([("Y", 10), ("X", 20)], "X", [("X", "Y", 10), ("Y", "X", 20)]),
        # The way back was not told: it was over when the record was read.
        ([("Y", 10)], "X", [("X", "Y", 10), ("Y", "X", READ_AT)]),
        ([("Y", 10), ("Y", 11), ("X", 20)], "X", [("X", "Y", 10), ("Y", "X", 20)]),
        (
            [("Y", 10), ("Z", 20), ("X", 30)],
            "X",
            [("X", "Y", 10), ("Y", "Z", 20), ("Z", "X", 30)],
        ),
        (
            [("Y", 10), ("X", 20), ("Y", 30), ("X", 40)],
            "X",
            [("X", "Y", 10), ("Y", "X", 20), ("X", "Y", 30), ("Y", "X", 40)],
        ),
        ([("", 10), ("X", 20)], "X", [("X", "", 10), ("", "X", 20)]),
    ],
)
def test_what_is_neither_there_nor_was_before_passed(
    words: list[tuple[str, float]], read: str, steps: list[tuple[str, str, float]]
) -> None:
    assert found(told(*words), known(read)) == steps
    assert found(told(*reversed(words)), known(read)) == steps


def test_what_the_read_brought_says_where_it_went() -> None:
    words = told(("Y", 10), ("Z", 20))

    assert found(words, known("Z", ("X", "Z", READ_AT))) == [("X", "Y", 10)]


def test_our_own_write_between_a_persons_edits_is_a_step_of_theirs() -> None:
    words = told(("Y", 10), ("Own", 20), ("Z", 30))

    steps = found(words, known("Own"), own=("Own",))

    assert steps == [
        ("X", "Y", 10),
        ("Y", "Own", 20),
        ("Own", "Z", 30),
        ("Z", "Own", READ_AT),
    ]


@pytest.mark.parametrize("kept", [9, 10, 300])
def test_what_history_has_since_is_not_told_again(kept: float) -> None:
    assert found(told(("Y", 10)), known("Z", ("X", "Y", kept), ("Y", "Z", 400))) == []


def test_the_same_value_again_later_is_another_edit() -> None:
    words = told(("Y", 100), ("X", 110))
    steps = found(words, known("X", ("X", "Y", 10), ("Y", "X", 20)))

    assert steps == [("X", "Y", 100), ("Y", "X", 110)]


def test_before_a_read_it_had_what_that_read_replaced() -> None:
    words = told(("Y", 10))

    # What was read within the same second may seem to have been read before.
    for seconds in (50, 9):
        what = known("Z", ("X", "Z", seconds), before="Z")
        assert found(words, what) == [("X", "Y", 10)]


def test_what_passed_just_before_is_over() -> None:
    words = told(("Y", 10), ("X", 11))
    what = known("X", ("X", "Z", 8), ("Z", "X", 9), taken=False)

    assert found(words, what) == [("X", "Y", 10), ("Y", "X", 11)]


def test_what_it_had_before_is_no_edit() -> None:
    words = told(("X", 10))

    assert found(words, known("Z", ("X", "Z", 50), before="Z")) == []
