"""Finds or makes the leads that events speak of: many at a time, each person once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from crmsync.core.models import Workspace
from leads.facts import PersonFacts
from leads.matching import (
    Ambiguous,
    Keys,
    company_domain,
    keys_of,
    match,
    normal_domain,
    normal_email,
    normal_linkedin,
)
from leads.models import Company, Lead, LeadKey

# What an event may say about a person; a blank never overwrites.
# name -> how many characters of it are kept
PERSON_FIELDS = {
    "first_name": 100,
    "last_name": 100,
    "job_title": 200,
    "company_name": 200,
    "city": 100,
    "country": 100,
}


@dataclass(slots=True)
class Touched:
    """A lead an event speaks of, and what became different: field -> (old, new)."""

    lead: Lead
    is_new: bool = False
    fields: dict[str, tuple[object, object]] = field(default_factory=dict)
    keys: list[tuple[str, str]] = field(default_factory=list)

    def set(self, name: str, value: object) -> None:
        """Change a field, remembering what it was before the batch."""
        old = getattr(self.lead, name)
        if old == value:
            return
        before = self.fields.get(name, (old, None))[0]
        self.fields[name] = (before, value)
        setattr(self.lead, name, value)


@dataclass(slots=True)
class People:
    """Who the events speak of, in their order; None where the match was ambiguous."""

    touched: list[Touched | None]
    ambiguous: dict[int, Ambiguous]

    def distinct(self) -> list[Touched]:
        """Return each lead once, in order of first mention."""
        return list({id(one): one for one in self.touched if one}.values())


def find_or_make(
    workspace: Workspace, people: Sequence[PersonFacts], *, source: str
) -> People:
    """Match each person, or make a lead for them in memory; nothing is saved yet.

    Leads found are locked until the transaction ends, in the order of their ids, so
    that two batches cannot both open a deal for the same person.
    """
    keys = [keys_of(one, phone_region=workspace.phone_region) for one in people]
    known = known_by(keys)
    by_phone = sharing_phones(keys)
    leads = _locked(set(known.values()) | {i for ids in by_phone.values() for i in ids})
    touched = {lead_id: Touched(lead) for lead_id, lead in leads.items()}
    result = People([], {})
    for place, (person, its_keys) in enumerate(zip(people, keys, strict=True)):
        try:
            lead_id = match(its_keys, known, by_phone)
        except Ambiguous as error:
            result.touched.append(None)
            names = {one: str(touched[one].lead) for one in error.candidates}
            result.ambiguous[place] = error.named(names)
            continue
        if lead_id is None:
            lead_id = -1 - place
            new = Lead(workspace=workspace, source=source)
            touched[lead_id] = Touched(new, is_new=True)
            if not its_keys.pairs and its_keys.phone:
                by_phone[its_keys.phone] = [lead_id]
        _learn(touched[lead_id], person, its_keys, known, lead_id)
        result.touched.append(touched[lead_id])
    return result


def known_by(keys: Sequence[Keys]) -> dict[tuple[str, str], int]:
    """Return key -> the lead that has it."""
    values = {value for one in keys for _, value in one.pairs}
    # Naming the kinds lets the unique index serve the look-up.
    rows = LeadKey.objects.filter(kind__in=LeadKey.Kind.values, value__in=values)
    found = rows.values_list("kind", "value", "lead_id")
    return {(kind, value): lead_id for kind, value, lead_id in found}


def sharing_phones(keys: Sequence[Keys]) -> dict[str, list[int]]:
    """Return phone -> the leads that have it, for those known by nothing else."""
    phones = {one.phone for one in keys if one.phone and not one.pairs}
    found: dict[str, list[int]] = defaultdict(list)
    if phones:
        rows = Lead.objects.filter(phone__in=phones).order_by("id")
        for phone, lead_id in rows.values_list("phone", "id"):
            found[phone].append(lead_id)
    return found


def _locked(ids: set[int]) -> dict[int, Lead]:
    rows = Lead.objects.filter(pk__in=ids).order_by("pk").select_for_update()
    return {lead.pk: lead for lead in rows}


def _learn(
    touched: Touched,
    person: PersonFacts,
    keys: Keys,
    known: dict[tuple[str, str], int],
    lead_id: int,
) -> None:
    """Take over what the event says, never replacing something by nothing."""
    lead = touched.lead
    for name, length in PERSON_FIELDS.items():
        if value := getattr(person, name).strip():
            touched.set(name, value[:length])
    if not lead.email and (email := normal_email(person.email) or _first_email(person)):
        touched.set("email", email)
    if not lead.linkedin_id and (linkedin := normal_linkedin(person.linkedin)):
        touched.set("linkedin_id", linkedin)
    if keys.phone:
        touched.set("phone", keys.phone)
    if person.custom:
        touched.set("custom", {**lead.custom, **person.custom})
    for pair in keys.pairs:
        if pair not in known:
            known[pair] = lead_id
            touched.keys.append(pair)


def _first_email(person: PersonFacts) -> str:
    return next(filter(None, map(normal_email, person.other_emails)), "")


def place_in_companies(
    workspace: Workspace, people: Sequence[PersonFacts], found: People
) -> list[Company]:
    """Give each lead without a company theirs; return the companies that are new.

    A company is known by its domain. A bare name finds one only when exactly one
    company has it, and otherwise makes none: names are not identities.
    """
    wanted: dict[int, tuple[Touched, str, str]] = {}
    for person, touched in zip(people, found.touched, strict=True):
        if touched is None or touched.lead.company_id:
            continue
        domain = normal_domain(person.company_domain)
        domain = domain or company_domain(normal_email(person.email))
        if domain:
            name = person.company_name.strip()[:200]
            wanted.setdefault(id(touched), (touched, domain, name))
    by_domain = _companies({domain for _, domain, _ in wanted.values()})
    new = {
        domain: Company(workspace=workspace, domain=domain, name=name or domain)
        for _, domain, name in wanted.values()
        if domain not in by_domain
    }
    Company.objects.bulk_create(new.values())
    for touched, domain, _ in wanted.values():
        touched.set("company_id", (by_domain.get(domain) or new[domain]).pk)
    return list(new.values())


def _companies(domains: set[str]) -> dict[str, Company]:
    if not domains:
        return {}
    return {one.domain: one for one in Company.objects.filter(domain__in=domains)}


def save(workspace: Workspace, touched: Sequence[Touched]) -> None:
    """Store new leads, their keys, and the changed fields of known ones."""
    Lead.objects.bulk_create([one.lead for one in touched if one.is_new])
    LeadKey.objects.bulk_create(
        LeadKey(workspace=workspace, lead=one.lead, kind=kind, value=value)
        for one in touched
        for kind, value in one.keys
    )
    update([one for one in touched if not one.is_new and one.fields])


def update(touched: Sequence[Touched]) -> None:
    """Store the changed fields of known leads in one statement."""
    names = sorted({name for one in touched for name in one.fields})
    for one in touched:
        one.lead.version += 1
        one.lead.updated_at = timezone.now()
    if names:
        leads = [one.lead for one in touched]
        Lead.objects.bulk_update(leads, [*names, "version", "updated_at"])


def keys_for(lead: Lead) -> Mapping[str, str]:
    """Return the keys a lead's own fields give it: kind -> value."""
    pairs = {"email": normal_email(lead.email), "linkedin": lead.linkedin_id}
    return {kind: value for kind, value in pairs.items() if value}
