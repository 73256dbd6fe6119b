"""Invented people with fifteen fields each: as a CRM has them, and as we do.

PURE. The same number is always the same person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

BATCH = 100
# their property -> our field
FIELDS: Mapping[str, str] = {
    "email": "email",
    "firstname": "first_name",
    "lastname": "last_name",
    "phone": "phone",
    "hs_linkedin_url": "linkedin_url",
    "jobtitle": "job_title",
    "company": "company_name",
    "city": "city",
    "country": "country",
    "website": "custom.website",
    "address": "custom.address",
    "zip": "custom.zip",
    "state": "custom.state",
    "industry": "custom.industry",
    "fax": "custom.fax",
}
OWN = tuple(n.removeprefix("custom.") for n in FIELDS.values() if n[:7] == "custom.")
_CITIES = ("Berlin", "Paris", "Lisbon", "Toronto", "Nairobi")
_TITLES = ("Head of Sales", "Founder", "Purchasing", "Managing Director")


def properties(number: int) -> dict[str, str]:
    """Return a person as a CRM's contact has them, every field filled."""
    city = _CITIES[number % len(_CITIES)]
    return {
        "email": f"person{number}@example.com",
        "firstname": "Person",
        "lastname": f"Number {number}",
        "phone": f"+4930{number:08d}",
        "hs_linkedin_url": f"https://www.linkedin.com/in/person-{number}",
        "jobtitle": _TITLES[number % len(_TITLES)],
        "company": f"Example Works {number % 977}",
        "city": city,
        "country": "Examplia",
        "website": f"https://example.com/{number}",
        "address": f"{number} Example Street",
        "zip": f"{number % 90000 + 10000}",
        "state": city,
        "industry": "Machinery",
        "fax": f"+4931{number:08d}",
    }


def lead(number: int) -> dict[str, object]:
    """Return the same person as the columns of a lead of ours."""
    theirs = properties(number)
    custom = {name: theirs[name] for name in OWN}
    ours = {own: theirs[name] for name, own in FIELDS.items() if own[:7] != "custom."}
    del ours["linkedin_url"]
    return {**ours, "linkedin_id": f"person-{number}", "custom": custom}


def chunks(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Cut into calls."""
    return (items[at : at + size] for at in range(0, len(items), size))
