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


def test_what_was_read_before_we_replaced_it_is_old_however_often_it_comes() -> None:
    written = echo.remember({}, {"phone": "1"}, NOON)
    first = echo.own_echo(written["phone"], "1", after(-5), read_at=after(-1))
    assert first is not None

    second = echo.own_echo(first.left, "1", after(-5), read_at=after(-1))
    read_since = echo.own_echo(first.left, "1", after(-5), read_at=after(1))

    assert second is not None
    assert read_since is None


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


def turned(
    turns: list[list[object]], value: str, at_s: float, *, answers: bool = True
) -> echo.Turned:
    """Note a value. answers: we had written to the record in between."""
    pushed_at = after(at_s - 0.5) if answers else after(-1)
    return echo.turned(turns, value, after(at_s), pushed_at=pushed_at)


def test_two_sides_that_fight_are_told_from_a_person_in_doubt() -> None:
    turns: list[list[object]] = []
    told = []
    for number in range(5):
        turns, fights, _ = turned(turns, "ab"[number % 2], number)
        told.append(fights)

    assert told == [False, False, False, False, True]


def test_one_side_that_goes_back_and_forth_alone_is_no_fight() -> None:
    turns: list[list[object]] = []
    for number in range(8):
        turns, fights, _ = turned(turns, "ab"[number % 2], number, answers=False)

        assert not fights


def test_many_different_values_do_not_go_back_and_forth() -> None:
    turns: list[list[object]] = []
    for number in range(8):
        turns, fights, _ = turned(turns, str(number), number)

        assert not fights


def test_the_same_value_seen_again_and_again_is_no_turn() -> None:
    turns: list[list[object]] = []
    for number in range(20):
        turns, fights, _ = turned(turns, "a", number)

        assert not fights


def test_slow_turning_is_no_fight() -> None:
    turns: list[list[object]] = []
    for number in range(8):
        turns, fights, _ = turned(turns, "ab"[number % 2], number * 200)

        assert not fights


def hops_after(delays_s: list[float], *, every_s: float = 600) -> list[float]:
    """Return how many answers in a row each of these is, by when it came."""
    turns: list[list[object]] = []
    told = []
    for number, delay_s in enumerate(delays_s):
        at = after(number * every_s)
        entries = [[str(number), at.timestamp() + 1]]
        after_s = echo.answered_s(turns, entries, after(number * every_s + 1 + delay_s))
        read_at = after(number * every_s + 300)
        turns, _, hops = echo.turned(
            turns, f"v{number}", read_at, pushed_at=at, answered_s=after_s
        )
        told.append(hops)
    return told


def test_answers_within_seconds_count_however_seldom_they_are_read() -> None:
    assert hops_after([1, 1, 1]) == [1, 2, 3]
    assert max(hops_after([1, 1, 1])) > echo.HOPS


def test_answers_that_a_person_may_have_given_count_less() -> None:
    assert hops_after([30, 30, 30, 30, 30])[-1] == 2.5
    assert hops_after([300, 300, 300, 300, 300])[-1] <= echo.HOPS


def test_what_comes_long_after_our_write_is_no_answer() -> None:
    assert hops_after([1, 1, 3600, 1]) == [1, 2, 0, 1]


def test_a_value_without_a_write_of_ours_before_it_is_no_answer() -> None:
    written = [["a", NOON.timestamp()]]

    assert echo.answered_s([["b", after(1).timestamp()]], written, after(2)) is None
    assert echo.answered_s([], [], after(2)) is None
    assert echo.answered_s([["b", after(-1).timestamp()]], written, after(2)) == 2
