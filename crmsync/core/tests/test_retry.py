"""When failed work is tried again, or never."""

from __future__ import annotations

import random

import pytest

from crmsync.core.retry import (
    HOUR_S,
    TRANSIENT_WAITS_S,
    UNKNOWN_WAITS_S,
    WAITS_S,
    Again,
    Park,
    decide,
)


@pytest.mark.parametrize(
    ("error_class", "attempts", "step_s"),
    [
        ("transient", 1, 5),
        ("transient", 4, 600),
        ("transient", 10, 36_000),
        ("unknown", 1, 5),
        ("unknown", 8, 14_400),
        ("bug", 1, 10),
    ],
)
def test_wait_is_between_half_of_its_step_and_all_of_it(
    error_class: str, attempts: int, step_s: int
) -> None:
    waits = [
        decide(error_class, attempts=attempts, rng=random.Random(seed))
        for seed in range(50)
    ]

    assert all(
        isinstance(one, Again) and step_s / 2 <= one.wait_s <= step_s for one in waits
    )
    assert len(set(waits)) > 40


@pytest.mark.parametrize(
    ("error_class", "tries", "failing_h"),
    [("transient", 10, 24), ("unknown", 8, 0), ("bug", 1, 0)],
)
def test_tries_are_used_up(error_class: str, tries: int, failing_h: int) -> None:
    failing_s = failing_h * HOUR_S
    last = decide(
        error_class, attempts=tries, rng=random.Random(1), failing_s=failing_s
    )
    after = decide(
        error_class, attempts=tries + 1, rng=random.Random(1), failing_s=failing_s
    )

    assert isinstance(last, Again)
    assert after == Park("used_up")


@pytest.mark.parametrize(
    "error_class",
    ["rejected", "duplicate", "permission", "schema", "ambiguous", "auth", "", "odd"],
)
def test_what_waiting_does_not_mend_is_never_tried_again(error_class: str) -> None:
    decision = decide(error_class, attempts=1, rng=random.Random(1))

    assert decision == Park("never")


@pytest.mark.parametrize("failing_h", [0.0, 13.9, 23.5, 23.999])
def test_an_outage_shorter_than_a_day_gives_no_record_up(failing_h: float) -> None:
    """Also when the jitter of all waits was as short as it can be."""
    decision = decide(
        "transient",
        attempts=30,
        rng=random.Random(1),
        failing_s=failing_h * HOUR_S,
    )

    assert isinstance(decision, Again)
    assert 30 <= decision.wait_s <= max((24 - failing_h) * HOUR_S, 60)


def test_transient_tries_outlast_a_day() -> None:
    assert sum(TRANSIENT_WAITS_S) > 24 * HOUR_S


def test_waits_only_grow() -> None:
    assert [sorted(waits) for waits in WAITS_S.values()] == [
        list(waits) for waits in WAITS_S.values()
    ]
    assert UNKNOWN_WAITS_S[0] >= 5
