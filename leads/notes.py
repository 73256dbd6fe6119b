"""A message as the note a CRM gets: safe HTML, no longer than a note can be."""

from __future__ import annotations

from html import escape
from unicodedata import combining

from leads.models import Activity

# The longest note a CRM takes: the tightest is HubSpot, 65,536 characters.
NOTE_UNITS = 65_000
_SPARE = 100
_CUT = "…<br>(The message was cut here: it is longer than a note can be.)"


def note_html(activity: Activity) -> str:
    """Return the message as HTML with its campaign and thread below it.

    The text is escaped: what a stranger wrote must not become markup in a CRM. It is
    cut so that the whole stays within NOTE_UNITS.
    """
    about = _about(activity)
    body = _within(activity.body, NOTE_UNITS - _units(about) - _SPARE)
    return "<br><br>".join(part for part in (body, about) if part)


def _about(activity: Activity) -> str:
    about = []
    if activity.subject:
        about.append(f"Subject: {escape(activity.subject)}")
    if activity.campaign:
        about.append(f"Campaign: {escape(activity.campaign.name)}")
    if activity.conversation:
        about.append(f"Thread: {escape(activity.conversation.external_id)}")
    if activity.direction:
        about.append(f"Direction: {activity.get_direction_display()}")
    return "<br>".join(about)


def _within(text: str, room: int) -> str:
    """Return text as HTML of at most `room` units; what was cut off says so."""
    html = _html(text)
    if _units(html) <= room:
        return html
    end = 0
    for end, char in enumerate(text):  # noqa: B007 - where it stops is what we want
        room -= _units(_html(char))
        if room < 0:
            break
    while end and _joins(text[end - 1], text[end]):
        end -= 1
    return f"{_html(text[:end])}{_CUT}"


def _html(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _units(text: str) -> int:
    """Count as the vendors do: a character outside the basic plane is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _joins(one: str, other: str) -> bool:
    """Tell whether two characters are shown as one, such as an accent or an emoji."""
    return (
        "\u200d" in (one, other)
        or combining(other) > 0
        or "\ufe00" <= other <= "\ufe0f"
        or "\U0001f3fb" <= other <= "\U0001f3ff"
    )
