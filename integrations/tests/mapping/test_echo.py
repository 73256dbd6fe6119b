"""What a CRM shows is a person's change, an old picture, or what we wrote ourselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from integrations.mapping import echo

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_picture_older_than_what_was_seen_is_stale() -> None:
    assert echo.is_stale(NOON, after(1))
    assert not echo.is_stale(after(1), after(1))
    assert not echo.is_stale(None, NOON)


def test_an_echo_of_what_we_replaced_is_recognised_once() -> None:
    written = echo.remember({}, {"phone": "1"}, NOON)

    known = echo.own_echo(written["phone"], "1", after(-5))

    assert known is not None
    assert echo.own_echo(known.left, "1", after(-5)) is None


def test_a_person_who_sets_our_old_value_again_later_is_heard() -> None:
    written = echo.remember({}, {"phone": "1"}, NOON)

    assert echo.own_echo(written["phone"], "1", after(3)) is None


def test_another_value_is_never_taken_for_an_echo() -> None:
    written = echo.remember({}, {"phone": "1"}, NOON)

    assert echo.own_echo(written["phone"], "2", after(-5)) is None


def test_without_a_stamp_nothing_is_suppressed() -> None:
    written = echo.remember({}, {"phone": "1"}, NOON)

    assert echo.own_echo(written["phone"], "1", None) is None


def test_what_to_expect_is_forgotten_after_a_day() -> None:
    written = echo.remember({}, {"phone": "1"}, NOON)

    assert "phone" not in echo.remember(written, {}, NOON + timedelta(hours=25))
    assert "phone" in echo.remember(written, {}, NOON + timedelta(hours=23))


def test_a_newer_write_does_not_renew_what_is_expected_of_an_older() -> None:
    written = echo.remember({}, {"phone": "1"}, NOON)
    written = echo.remember(written, {"phone": "2"}, after(60))

    assert written["phone"] == [
        ["1", NOON.timestamp()],
        ["2", after(60).timestamp()],
    ]


def test_a_write_without_a_stamp_is_dated_by_what_is_known_of_their_clock() -> None:
    assert echo.version_after_write(after(7), NOON, None) == after(7)
    assert echo.version_after_write(None, NOON, 300.0) == after(298)
    assert echo.version_after_write(None, NOON, None) == NOON - echo.UNSURE


def test_two_sides_that_fight_are_told_from_a_person_in_doubt() -> None:
    turns: list[list[object]] = []
    told = []
    for number in range(5):
        turns, fights = echo.turned(turns, "ab"[number % 2], after(number))
        told.append(fights)

    assert told == [False, False, False, False, True]


def test_many_different_values_are_no_fight() -> None:
    turns: list[list[object]] = []
    for number in range(8):
        turns, fights = echo.turned(turns, str(number), after(number))

        assert not fights


def test_the_same_value_seen_again_and_again_is_no_turn() -> None:
    turns: list[list[object]] = []
    for number in range(20):
        turns, fights = echo.turned(turns, "a", after(number))

        assert not fights


def test_slow_turning_is_no_fight() -> None:
    turns: list[list[object]] = []
    for number in range(8):
        turns, fights = echo.turned(turns, "ab"[number % 2], after(number * 200))

        assert not fights
