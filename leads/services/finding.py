"""Finds which records of ours a remote record may be; never the first of several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from leads.facts import PersonFacts
from leads.matching import FREE_MAIL, Ambiguous, Keys, keys_of, match, normal_domain
from leads.models import Campaign, Company
from leads.services import people
from leads.services.values import Wrong, text

Row = Mapping[str, object]
# Longer than anything that somebody or something is known by.
MAX_TEXT = 500


class KnownAs(NamedTuple):
    """By what a record would be found. keys: its own, no two records have one of them.

    shared: what others may have as well, so that it decides only among records that are
    stored; asked: of those, what it would be looked for by itself.
    """

    keys: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


class Found(NamedTuple):
    """The one record it must be, or none; candidates: all that it may be.

    repeats: an earlier row of the list would be it, once that is a record.
    """

    record_id: int | None
    candidates: tuple[int, ...] = ()
    repeats: bool = False
    known_as: KnownAs = KnownAs()


# What `find` looks at in a row, by record type.
KNOWN_BY: Mapping[str, frozenset[str]] = {
    "lead": frozenset({"email", "phone", "linkedin_url", "linkedin_id", "external_id"}),
    "company": frozenset({"domain", "name", "country"}),
    "campaign": frozenset({"name"}),
}


def find(workspace: Workspace, record_type: str, rows: Sequence[Row]) -> list[Found]:
    """Return for each new record what it is here. rows: snapshot field -> value.

    A lead is known by its e-mail, LinkedIn id or `external_id`, else by its phone; a
    company by its domain, else by name and country; a campaign by its name; all else
    by nothing.
    """
    finder = _FINDERS.get(record_type)
    if finder is None or not rows:
        return [Found(None)] * len(rows)
    with in_workspace(workspace):
        return finder(workspace, rows)


def known_as(workspace: Workspace, record_type: str, row: Row) -> KnownAs:
    """Return by what a record is known, as plain words that can be compared."""
    if record_type == "lead":
        its = keys_of(_person(row), phone_region=workspace.phone_region)
        return _person_known_as(its)
    if record_type == "company":
        return _company_known_as(normal_domain(_text(row, "domain")), *_name(row))
    if record_type == "campaign":
        return _campaign_known_as(_text(row, "name"))
    return KnownAs()


def _person_known_as(its: Keys) -> KnownAs:
    shared = (f"phone {its.phone}",) if its.phone else ()
    keys = tuple([f"{kind} {value}" for kind, value in its.pairs])
    return KnownAs(keys, shared, () if keys else shared)


def _company_known_as(domain: str, name: str, country: str) -> KnownAs:
    own = bool(domain) and domain not in FREE_MAIL
    any_ = f"name {name}\n{country}"
    names = (any_,) if own else (any_, f"{any_}\nno domain")
    asked = f"{any_}\nno domain" if own else any_
    keys = (f"domain {domain}",) if own else ()
    return KnownAs(keys, names, (asked,)) if name else KnownAs(keys)


def _campaign_known_as(name: str) -> KnownAs:
    words = (f"campaign {name}",) if name else ()
    return KnownAs((), words, words)


def _leads(workspace: Workspace, rows: Sequence[Row]) -> list[Found]:
    keys = [keys_of(_person(one), phone_region=workspace.phone_region) for one in rows]
    known, by_phone = people.known_by(keys), people.sharing_phones(keys)
    found = []
    phones: set[str] = set()
    for its_keys in keys:
        phone, known_as_ = its_keys.phone, _person_known_as(its_keys)
        try:
            lead_id = match(its_keys, known, by_phone)
        except Ambiguous as error:
            found.append(Found(None, error.candidates, known_as=known_as_))
        else:
            repeats = not lead_id and phone in phones and not its_keys.pairs
            ids = (lead_id,) if lead_id else ()
            found.append(Found(lead_id, ids, repeats, known_as_))
            if phone:
                phones.add(phone)
    return found


def _person(row: Row) -> PersonFacts:
    return PersonFacts(
        email=_text(row, "email"),
        phone=_text(row, "phone"),
        linkedin=_text(row, "linkedin_url") or _text(row, "linkedin_id"),
        external_id=_text(row, "external_id"),
    )


_clean = text(MAX_TEXT)


def _text(row: Row, name: str) -> str:
    try:
        return _clean(row.get(name, ""))
    except Wrong:
        return ""


def _companies(_: Workspace, rows: Sequence[Row]) -> list[Found]:
    domains = [normal_domain(_text(one, "domain")) for one in rows]
    by_domain = _by_domain(set(domains) - FREE_MAIL - {""})
    names = [_name(one) for one in rows]
    by_name = _by_name({name for name, _ in names} - {""})
    found = []
    # name and country -> whether each that is new in the list has a domain of its own
    new: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for domain, name in zip(domains, names, strict=True):
        known_as_ = _company_known_as(domain, *name)
        if domain in by_domain:
            its = by_domain[domain]
            found.append(Found(its, (its,), known_as=known_as_))
            continue
        usable = bool(domain) and domain not in FREE_MAIL
        # Another domain is another company, whatever it is called.
        ids = tuple(pk for pk, its in by_name.get(name, ()) if not (usable and its))
        repeats = any(not (usable and its) for its in new[name])
        only = ids[0] if len(ids) == 1 else None
        found.append(Found(only, ids, repeats and not ids, known_as_))
        if name[0]:
            new[name].add(usable)
    return found


def _name(row: Row) -> tuple[str, str]:
    return _text(row, "name"), _text(row, "country")


def _by_domain(domains: set[str]) -> dict[str, int]:
    rows = (
        Company.objects.filter(domain__in=domains)
        if domains
        else Company.objects.none()
    )
    return dict(rows.values_list("domain", "pk"))


def _by_name(names: set[str]) -> dict[tuple[str, str], list[tuple[int, str]]]:
    """Return name and country -> id and domain of each company called so."""
    found: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    if names:
        rows = Company.objects.filter(name__in=names).order_by("pk")
        for name, country, pk, domain in rows.values_list(
            "name", "country", "pk", "domain"
        ):
            found[name, country].append((pk, domain))
    return found


def _campaigns(_: Workspace, rows: Sequence[Row]) -> list[Found]:
    """Find them whatever their source: what one calls so the others mean, too."""
    names = [_text(one, "name") for one in rows]
    there: dict[str, list[int]] = defaultdict(list)
    stored = Campaign.objects.filter(name__in=set(names) - {""}).order_by("pk")
    for name, pk in stored.values_list("name", "pk"):
        there[name].append(pk)
    found = []
    new: set[str] = set()
    for name in names:
        ids = tuple(there.get(name, ()))
        only = ids[0] if len(ids) == 1 else None
        repeats = name in new and not ids
        found.append(Found(only, ids, repeats, _campaign_known_as(name)))
        if name:
            new.add(name)
    return found


_FINDERS: Mapping[str, Callable[[Workspace, Sequence[Row]], list[Found]]] = {
    "lead": _leads,
    "company": _companies,
    "campaign": _campaigns,
}
