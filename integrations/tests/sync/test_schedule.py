"""When batches are due, in the time of the workspace."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from integrations.sync.schedule import BadSchedule, next_slot

BERLIN = ZoneInfo("Europe/Berlin")


def slot(schedule: str, after: str, zone: ZoneInfo = BERLIN) -> str:
    at = datetime.fromisoformat(after).replace(tzinfo=UTC)
    return next_slot(schedule, at, zone).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        ("hourly", "2026-03-02T12:00", "2026-03-02T13:00"),
        ("hourly", "2026-03-02T12:59", "2026-03-02T13:00"),
        ("daily 06:30", "2026-03-02T05:29", "2026-03-02T05:30"),
        ("daily 06:30", "2026-03-02T05:30", "2026-03-03T05:30"),
        ("*/20 * * * *", "2026-03-02T12:21", "2026-03-02T12:40"),
        ("30 6 * * mon-fri", "2026-03-06T12:00", "2026-03-09T05:30"),
        ("0 0 1 jan *", "2026-03-02T12:00", "2026-12-31T23:00"),
        ("0 12 13 * fri", "2026-03-02T12:00", "2026-03-06T11:00"),
        ("0 0 29 2 *", "2026-03-02T12:00", "2028-02-28T23:00"),
        ("0 0 * * 7", "2026-03-02T12:00", "2026-03-07T23:00"),
    ],
)
def test_the_next_slot(schedule: str, after: str, due: str) -> None:
    assert slot(schedule, after) == due


def test_a_daily_batch_keeps_its_local_hour_when_clocks_change() -> None:
    assert slot("daily 06:30", "2026-03-28T12:00") == "2026-03-29T04:30"
    assert slot("daily 06:30", "2026-10-24T12:00") == "2026-10-25T05:30"


def test_an_hour_that_clocks_skip_comes_once_all_the_same() -> None:
    first = slot("daily 02:30", "2026-03-28T12:00")

    assert first == "2026-03-29T01:30"
    assert slot("daily 02:30", first) == "2026-03-30T00:30"


def test_an_hour_that_clocks_repeat_comes_once() -> None:
    first = slot("daily 02:30", "2026-10-24T12:00")

    assert first == "2026-10-25T00:30"
    assert slot("daily 02:30", first) == "2026-10-26T01:30"


@pytest.mark.parametrize(
    "schedule",
    ["", "weekly", "daily 25:00", "61 * * * *", "* * * *", "0 0 30 2 *", "5-1 * * * *"],
)
def test_a_text_that_names_no_time_is_refused(schedule: str) -> None:
    with pytest.raises(BadSchedule):
        slot(schedule, "2026-03-02T12:00")
