"""What the invented people and we wrote to each other, as the outreach tool posts it.

PURE: the clock and chance are arguments.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.demo.people import Person

DAYS = 30
# So many of a hundred people answered.
REPLIED_PERCENT = 40
CAMPAIGNS = (
    ("6a0100000000000000000011", "Autumn outreach: operations"),
    ("6a0100000000000000000012", "Founders in logistics"),
    ("6a0100000000000000000013", "Event follow-up: trade fair"),
    ("6a0100000000000000000014", "Win-back: trials of last year"),
)
_OPENERS = (
    "Hi {name}, do replies from your campaigns find their way into the CRM?",
    "Hello {name}, how does {company} hand new leads over to sales today?",
    "Hi {name}, we met the problem of lost replies at a company like {company}.",
)
_FOLLOW_UPS = (
    "Hi {name}, did you have a moment to look at this?",
    "{name}, one more thought: most teams start with a single campaign.",
)
_REPLIES = (
    "Thanks for reaching out, this is exactly what we are looking for. Tuesday at 10?",
    "Interesting. Could you send me prices for a team of twelve?",
    "We are just choosing a tool for this. Can we talk next week?",
    "Not now, please try again after the summer.",
    "Who else do you work with in our industry?",
    "I am not the right person, but I have passed it on to our sales lead.",
    "Sounds good. What would we have to do to try it?",
)
_SECOND = (
    "Thursday works for me, please send an invitation.",
    "I have talked to my team and we would like to see it.",
    "One question: does it work with two CRMs at once?",
)


@dataclass(frozen=True, slots=True)
class Posted:
    """One webhook of the outreach tool: what was posted, when it arrived."""

    at: datetime
    payload: dict[str, object]


def history(
    people: Sequence[Person], *, now: datetime, rng: random.Random
) -> list[Posted]:
    """Return the month's webhooks in the order of their arrival."""
    posted = [one for person in people for one in _conversation(person, now, rng)]
    return sorted(posted, key=lambda one: one.at)


def _conversation(
    person: Person, now: datetime, rng: random.Random
) -> Iterator[Posted]:
    # Squared, so that the last days are the busiest.
    days_ago = DAYS * rng.random() ** 2 + 0.02
    channel = rng.choice(("LINKEDIN", "LINKEDIN", "EMAIL"))
    at = now - timedelta(days=days_ago)
    texts: list[tuple[bool, str]] = [(True, rng.choice(_OPENERS))]
    if rng.randrange(100) < 30:
        texts.append((True, rng.choice(_FOLLOW_UPS)))
    if rng.randrange(100) < REPLIED_PERCENT:
        texts.append((False, rng.choice(_REPLIES)))
        if rng.randrange(100) < 25:
            texts.append((False, rng.choice(_SECOND)))
    campaign = rng.choice(CAMPAIGNS)
    for place, (ours, text) in enumerate(texts):
        if at >= now:
            return
        message = _message(person, place, text, channel=channel, at=at)
        flags = {"sent": ours, "received": not ours}
        about = {"campaign": {"id": campaign[0], "name": campaign[1]}}
        yield Posted(at, {**message, **flags, **about, "lead": _lead(person)})
        at += timedelta(hours=2 + 40 * rng.random() ** 2)


def _message(
    person: Person, place: int, text: str, *, channel: str, at: datetime
) -> dict[str, object]:
    """Return the message itself. place: its number in the conversation."""
    body = text.format(name=person.first_name, company=person.company)
    is_mail = channel == "EMAIL"
    return {
        "messageChannel": channel,
        "messageBody": f"<p>{body}</p>" if is_mail else body,
        "messageSubject": "Your campaigns and your CRM" if is_mail else "",
        "messageId": f"5e0900000000{place:04x}{person.number:08x}",
        "conversationId": f"5e06000000000000{person.number:08x}",
        "leadId": person.key,
        "identityId": "692d00000000000000000001",
        "createdAt": int(at.timestamp() * 1000),
        "attachments": [],
    }


def _lead(person: Person) -> dict[str, object]:
    profile = f"{person.first_name}-{person.last_name}-{person.number}".lower()
    return {
        "id": person.key,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "proEmail": person.email,
        "linkedinUrl": f"https://www.linkedin.com/in/{profile}/",
        "companyName": person.company,
        "companyUrl": f"https://{person.domain}/",
        "jobTitle": person.title,
        "location": f"{person.city}, {person.country}",
    }


def broken(now: datetime) -> list[Posted]:
    """Return webhooks that are well-formed and yet say nothing of anybody."""
    return [
        Posted(
            now - timedelta(hours=hours),
            {
                "messageChannel": "LINKEDIN",
                "messageBody": "Thanks, let us talk.",
                "messageId": f"5e09ffff000000000000{hours:04x}",
                "createdAt": int((now - timedelta(hours=hours)).timestamp() * 1000),
                "received": True,
                "sent": False,
            },
        )
        for hours in (5, 29)
    ]
