"""When a batch is due: hourly, daily at a time, or by a cron line, in a zone's time.

PURE.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAILY = re.compile(r"^daily ([01]\d|2[0-3]):([0-5]\d)$")
# A line that never comes true, such as the 30th of February, is told from a rare one.
_HORIZON_DAYS = 366 * 5
_NAMES = {
    name: str(number)
    for names in (
        "sun mon tue wed thu fri sat",
        "- jan feb mar apr may jun jul aug sep oct nov dec",
    )
    for number, name in enumerate(names.split())
    if name != "-"
}
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


class BadSchedule(ValueError):
    """The text names no time; the message says what would."""


def next_slot(schedule: str, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first slot after a time, in UTC. Raises BadSchedule.

    A local time that a change of clocks skips comes at the moment of the change; one
    that it repeats comes once.

    >>> next_slot("daily 06:30", datetime(2026, 3, 1, 12, tzinfo=UTC), ZoneInfo("UTC"))
    datetime.datetime(2026, 3, 2, 6, 30, tzinfo=datetime.timezone.utc)
    """
    if schedule == "hourly":
        whole = after.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return whole + timedelta(hours=1)
    if daily := _DAILY.match(schedule):
        line = f"{int(daily[2])} {int(daily[1])} * * *"
        return _next_by_line(line, after, zone)
    return _next_by_line(schedule, after, zone)


def _next_by_line(line: str, after: datetime, zone: ZoneInfo) -> datetime:
    minutes, hours, days, months, weekdays = _parsed(line)
    fields = line.split()
    # As cron has it: of two restricted day fields either one will do.
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    day = after.astimezone(zone).date()
    for _ in range(_HORIZON_DAYS):
        in_week = day.isoweekday() % 7 in weekdays
        in_month = day.day in days
        fits = (in_week or in_month) if either else (in_week and in_month)
        if fits and day.month in months:
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    local = datetime.combine(day, time(hour, minute), zone)
                    slot = local.astimezone(UTC)
                    if slot > after:
                        return slot
        day += timedelta(days=1)
    raise BadSchedule(f"{line!r} never comes true.")


def _parsed(line: str) -> list[frozenset[int]]:
    parts = line.lower().split()
    if len(parts) != len(_FIELDS):
        raise BadSchedule(
            "Give hourly, daily 06:30, or a cron line of five fields, "
            "like 30 6 * * mon-fri."
        )
    found = [_values(part, *span) for part, span in zip(parts, _FIELDS, strict=True)]
    found[4] = frozenset(day % 7 for day in found[4])
    return found


def _values(part: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for piece in part.split(","):
        span, _, step = piece.partition("/")
        first, _, last = span.partition("-")
        begin = low if first == "*" else _number(first, low, high)
        end = high if first == "*" else begin
        if last:
            end = _number(last, low, high)
        elif step and first != "*":
            end = high
        every = _number(step, 1, high) if step else 1
        if end < begin:
            raise BadSchedule(f"{piece!r} ends before it begins.")
        found |= set(range(begin, end + 1, every))
    return frozenset(found)


def _number(text: str, low: int, high: int) -> int:
    text = _NAMES.get(text, text)
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise BadSchedule(f"{text!r} is not a number from {low} to {high}.")
    return int(text)
