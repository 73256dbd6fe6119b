"""A daily budget: read from headers, kept for what is urgent, foretold."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta

import pytest

from integrations.connectors import daily
from integrations.connectors.daily import Daily, forecast, read
from integrations.connectors.limits import Budget, in_lane
from integrations.connectors.spec import DailyHeaders

HUBSPOT = DailyHeaders(
    limit="X-HubSpot-RateLimit-Daily", remaining="X-HubSpot-RateLimit-Daily-Remaining"
)
SALESFORCE = DailyHeaders(usage="Sforce-Limit-Info", pattern=r"api-usage=(\d+)/(\d+)")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
_scopes = (f"test-daily-{time.time()}-{number}" for number in itertools.count())


def budget(**more: object) -> Budget:
    return Budget((), scope=next(_scopes), daily_headers=HUBSPOT, **more)  # type: ignore[arg-type]


def told(used: int, limit: int = 1000) -> dict[str, str]:
    return {
        "X-HubSpot-RateLimit-Daily": str(limit),
        "X-HubSpot-RateLimit-Daily-Remaining": str(limit - used),
    }


@pytest.mark.parametrize(
    ("headers", "facts", "expected"),
    [
        (told(18), HUBSPOT, Daily(18, 1000)),
        ({"sforce-limit-info": "api-usage=18/5000"}, SALESFORCE, Daily(18, 5000)),
        (
            {
                "sforce-limit-info": "api-usage=25/5000; "
                "per-app-api-usage=17/250(appName=sample-app)"
            },
            SALESFORCE,
            Daily(25, 5000),
        ),
        ({}, HUBSPOT, None),
        ({}, SALESFORCE, None),
        ({"sforce-limit-info": "api-usage=1/0"}, SALESFORCE, None),
        ({"sforce-limit-info": "api-usage=" + "9" * 5000}, SALESFORCE, None),
        (told(0) | {"X-HubSpot-RateLimit-Daily": "nan"}, HUBSPOT, None),
        (told(0) | {"X-HubSpot-RateLimit-Daily": "9" * 30}, HUBSPOT, None),
    ],
)
def test_budget_is_read_from_the_headers_that_tell_it(
    headers: dict[str, str], facts: DailyHeaders, expected: Daily | None
) -> None:
    lower = {name.lower(): value for name, value in headers.items()}

    assert read(lower, facts) == expected


@pytest.mark.parametrize(("used", "goes"), [(0, True), (899, True), (900, False)])
def test_work_that_is_not_urgent_stops_before_the_reserve(
    used: int, goes: bool
) -> None:
    one = budget()
    one.observe(told(used))

    with in_lane(1):
        wait_s = one.acquire("api")

    assert (wait_s == 0.0) == goes
    assert wait_s <= daily.STALE_S


def test_urgent_calls_go_on_with_the_reserve() -> None:
    one = budget()
    one.observe(told(999))

    assert one.acquire("api") == 0.0


def test_after_a_while_one_call_asks_whether_it_is_a_new_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = budget()
    one.observe(told(950))
    one._daily_seen -= daily.STALE_S

    with in_lane(1):
        waits = [one.acquire("api"), one.acquire("api")]
        one.observe(told(1))
        waits.append(one.acquire("api"))

    assert [wait_s == 0.0 for wait_s in waits] == [True, False, True]


def test_budget_is_passed_on_at_most_every_few_seconds() -> None:
    heard: list[Daily] = []
    one = budget(on_daily=lambda scope, told: heard.append(told))

    for used in range(50):
        one.observe(told(used))

    assert heard == [Daily(0, 1000)]
    assert one.daily == Daily(49, 1000)


def test_half_used_at_noon_will_do() -> None:
    half = forecast(Daily(500, 1000), now=NOON, resets_at=MIDNIGHT)

    assert (half.share, half.warns, half.runs_out_at) == (0.5, False, None)


def test_three_quarters_used_at_noon_run_out_at_four() -> None:
    fast = forecast(Daily(750, 1000), now=NOON, resets_at=MIDNIGHT)

    assert fast.runs_out_at == NOON + timedelta(hours=4)
    assert fast.warns


def test_four_fifths_used_warn_whatever_the_time() -> None:
    late = forecast(
        Daily(800, 1000), now=MIDNIGHT - timedelta(minutes=1), resets_at=MIDNIGHT
    )

    assert (late.warns, late.batch_stops, late.runs_out_at) == (True, False, None)


def test_first_minutes_of_a_day_foretell_nothing() -> None:
    early = forecast(
        Daily(50, 1000),
        now=MIDNIGHT - timedelta(days=1) + timedelta(minutes=5),
        resets_at=MIDNIGHT,
    )

    assert early.runs_out_at is None


def test_spent_budget_has_run_out_now() -> None:
    spent = forecast(Daily(1000, 1000), now=NOON, resets_at=MIDNIGHT)

    assert (spent.runs_out_at, spent.batch_stops) == (NOON, True)
