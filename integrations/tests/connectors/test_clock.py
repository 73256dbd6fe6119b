"""Their clock against ours."""

import email.utils

from integrations.connectors.clock import Clock

NOW = 1_800_000_000.0


def date_at(epoch_s: float) -> str:
    return email.utils.formatdate(epoch_s, usegmt=True)


def test_nothing_is_known_before_the_first_answer() -> None:
    assert Clock().offset_s is None


def test_a_clock_that_is_ahead_is_told_within_half_a_second() -> None:
    clock = Clock()

    for number in range(20):
        sent_at = NOW + number * 0.37
        date = date_at(int(sent_at + 90.05))
        clock.observe(date, sent_at=sent_at, answered_at=sent_at + 0.1)

    assert clock.offset_s is not None
    assert abs(clock.offset_s - 90) < 0.5


def test_slow_answers_do_not_move_the_estimate() -> None:
    clock = Clock()
    for _ in range(8):
        clock.observe(date_at(NOW), sent_at=NOW + 0.4, answered_at=NOW + 0.6)

    for _ in range(7):
        clock.observe(date_at(NOW), sent_at=NOW - 4, answered_at=NOW)
        clock.observe(date_at(NOW), sent_at=NOW - 60, answered_at=NOW)

    assert clock.offset_s is not None
    assert abs(clock.offset_s) < 0.01


def test_what_is_no_date_teaches_nothing() -> None:
    clock = Clock()

    for text in ("", "yesterday", "Thu, 99 Jan 2026 00:00:00 GMT"):
        clock.observe(text, sent_at=NOW, answered_at=NOW)

    assert clock.offset_s is None


def test_our_own_clock_that_was_put_back_teaches_nothing() -> None:
    clock = Clock()

    clock.observe(date_at(NOW), sent_at=NOW, answered_at=NOW - 3600)

    assert clock.offset_s is None
