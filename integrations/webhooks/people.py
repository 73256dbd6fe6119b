"""Reads a person from a payload, under the names such things usually have.

PURE. Names are compared without case, `_` and `-`; see `reading.flattened`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from integrations.webhooks.base import Malformed
from integrations.webhooks.reading import first_text
from leads.facts import PersonFacts

# field -> names under which it is found; the first that says something wins.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "first_name": ("firstname", "givenname"),
    "last_name": ("lastname", "familyname", "surname"),
    "phone": ("phone", "phonenumber", "mobile"),
    "linkedin": ("linkedinurl", "linkedinid", "linkedin"),
    "job_title": ("jobtitle", "title", "position"),
    "company_name": ("companyname", "company"),
    "company_domain": ("companyurl", "companydomain", "companywebsite", "website"),
    "city": ("city",),
    "country": ("country",),
}
_EMAILS = ("proemail", "email", "persoemail")
_FULL_NAME = ("name", "fullname")


@dataclass(frozen=True, slots=True, init=False)
class PersonPaths:
    """Where a payload keeps its person.

    objects: names of the objects to look into, in order; external: paths of the id.
    """

    fields: Mapping[str, tuple[str, ...]]
    emails: tuple[tuple[str, ...], ...]
    external: tuple[str, ...]

    def __init__(self, *objects: str, external: tuple[str, ...]) -> None:
        wanted = {**_NAMES, "full_name": _FULL_NAME, "location": ("location",)}
        fields = {name: _paths(objects, names) for name, names in wanted.items()}
        object.__setattr__(self, "fields", fields)
        emails = tuple(_paths(objects, (name,)) for name in _EMAILS)
        object.__setattr__(self, "emails", emails)
        object.__setattr__(self, "external", external)


def _paths(objects: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{one}.{name}" for one in objects for name in names)


def person_of(
    flat: Mapping[str, object], paths: PersonPaths, *, source: str
) -> PersonFacts:
    """Return what the payload says about its person.

    Raises Malformed when there is nothing to know the person by.
    """
    found = {name: first_text(flat, where) for name, where in paths.fields.items()}
    full_name, location = found.pop("full_name"), found.pop("location")
    _split_name(found, full_name)
    _split_location(found, location)
    emails = [first_text(flat, where, limit=320) for where in paths.emails]
    known = list(dict.fromkeys(filter(None, emails)))
    external = first_text(flat, paths.external, limit=200)
    if not (external or known or found["linkedin"] or found["phone"]):
        raise Malformed(
            "Nothing says who this is: no id, e-mail, LinkedIn profile or phone."
        )
    person = PersonFacts(
        email=known[0] if known else "",
        other_emails=tuple(known[1:]),
        external_id=f"{source}:{external}" if external else "",
    )
    return replace(person, **found)  # type: ignore[arg-type]


def _split_name(found: dict[str, str], full_name: str) -> None:
    if full_name and not (found["first_name"] or found["last_name"]):
        first, _, last = full_name.partition(" ")
        found["first_name"], found["last_name"] = first, last.strip()


def _split_location(found: dict[str, str], location: str) -> None:
    """Take "Lyon, France" apart; one word alone is a city."""
    city, _, rest = location.partition(",")
    found["city"] = found["city"] or city.strip()
    found["country"] = found["country"] or rest.rpartition(",")[2].strip()
