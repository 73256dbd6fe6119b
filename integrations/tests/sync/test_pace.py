"""How much a worker takes on at a time follows how long calls take."""

from __future__ import annotations

import pytest

from integrations.sync import pace


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_call_s", {})


def test_one_call_until_the_pace_is_known() -> None:
    assert pace.calls_at_once(1) == 1


@pytest.mark.parametrize(
    ("took_s", "calls"), [(0.001, pace.MOST_CALLS), (0.25, 4), (0.5, 2), (3.0, 1)]
)
def test_a_turn_is_as_many_calls_as_fit_into_it(took_s: float, calls: int) -> None:
    pace.note(1, 1000, 100, took_s * 10)

    assert pace.calls_at_once(1) == calls


def test_a_slow_call_counts_at_once_and_is_forgotten_slowly() -> None:
    pace.note(1, 100, 100, 0.01)
    pace.note(1, 100, 100, 2.0)
    at_once = pace.calls_at_once(1)
    for _ in range(20):
        pace.note(1, 100, 100, 0.01)

    assert (at_once, pace.calls_at_once(1)) == (1, pace.MOST_CALLS)


def test_each_connection_has_its_own_pace() -> None:
    pace.note(1, 100, 100, 2.0)
    pace.note(2, 100, 100, 0.001)

    assert (pace.calls_at_once(1), pace.calls_at_once(2)) == (1, pace.MOST_CALLS)
