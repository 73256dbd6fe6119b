"""Invented people at invented companies, on domains reserved for examples.

PURE: the same seed gives the same people.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    """
    Ada Bruno Carla Dmitri Elif Farid Greta Hugo Ines Jonas Kaya Lars Mira Nils Olga
    Pia Quentin Rosa Samir Tara Ugo Vera Wanda Xenia Yann Zoe Amina Boris Chloe Dario
    Emma Felix Gwen Hanna Ivan Jana Karim Lotte Marek Nora
    """
)
_LAST = _words(
    """
    Alder Birch Cedar Dale Elm Fern Grove Heath Ivy Juniper Keel Larch Maple Nettle
    Oak Pine Quince Reed Sage Thorn Umber Vale Willow Yarrow Ash Brook Cliff Dell
    Ember Field Glen Hill Isle Lake Marsh North Orchard Pond Ridge Stone
    """
)
_COMPANY = _words(
    """
    Bluegate Copperline Driftwood Eastmere Fallow Greyfin Harbourlight Inkwell
    Junction Kestrel Lantern Millrace Nightjar Outpost Pebble Quarry Rookery Saltbox
    Timberline Umbra Velvet Windmill Yardarm Zephyr Anvil Bracken Cobalt Dovetail
    """
)
_KIND = ("Logistics", "Software", "Foods", "Robotics", "Energy", "Studios", "Tools")
_TITLE = (
    "Head of Operations",
    "VP Sales",
    "Revenue Operations Manager",
    "Founder",
    "Marketing Lead",
    "Chief Commercial Officer",
    "Head of Growth",
    "Sales Director",
)
_PLACE = (
    ("Lyon", "France"),
    ("Utrecht", "Netherlands"),
    ("Leeds", "United Kingdom"),
    ("Graz", "Austria"),
    ("Porto", "Portugal"),
    ("Bremen", "Germany"),
    ("Aarhus", "Denmark"),
    ("Turin", "Italy"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person."""

    number: int
    first_name: str
    last_name: str
    email: str
    company: str
    domain: str
    title: str
    city: str
    country: str

    @property
    def key(self) -> str:
        """Return the person's id in the outreach tool."""
        return f"5e03700000000000{self.number:08x}"


def invented(count: int, rng: random.Random) -> list[Person]:
    """Return so many different people, several to a company."""
    names = [(first, last) for first in _FIRST for last in _LAST]
    rng.shuffle(names)
    companies = [(name, kind) for kind in _KIND for name in _COMPANY]
    rng.shuffle(companies)
    return [
        _person(number, names[number], companies[number // 3 % len(companies)], rng)
        for number in range(count)
    ]


def _person(
    number: int, name: tuple[str, str], company: tuple[str, str], rng: random.Random
) -> Person:
    first, last = name
    domain = f"{company[0]}-{company[1]}.example.com".lower()
    city, country = rng.choice(_PLACE)
    return Person(
        number=number,
        first_name=first,
        last_name=last,
        email=f"{first}.{last}@{domain}".lower(),
        company=" ".join(company),
        domain=domain,
        title=rng.choice(_TITLE),
        city=city,
        country=country,
    )
