"""Normal forms of what people are known by, and which leads a person may be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import unquote, urlsplit

import idna
import phonenumbers
from email_validator import EmailNotValidError, validate_email

from leads.facts import PersonFacts

# Mail hosts that say nothing about where a person works.
FREE_MAIL = frozenset(
    {
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "yahoo.com",
        "icloud.com",
        "me.com",
        "aol.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "proton.me",
        "protonmail.com",
        "mail.ru",
        "qq.com",
    }
)
# Nearly every address; a closer look would say the same and cost twenty times as much.
_PLAIN_EMAIL = re.compile(
    r"(?=.{1,254}\Z)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*"
    r"@(?=.{1,253}\Z)(?!.*--)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
    r"(?!(?:arpa|invalid|local|localhost|onion)\Z)[a-z]{2,63}\Z"
)
# Sales Navigator puts how the profile was found behind a comma.
_LINKEDIN_PATH = re.compile(
    r"^/(?:in|pub|sales/lead|sales/people)/([^/?#,]+)", re.IGNORECASE
)
_LINKEDIN_ID = re.compile(r"^[\w.\-%,]{2,200}$")
# Nearly every profile's address.
_PLAIN_LINKEDIN = re.compile(
    r"https?://(?:www\.)?linkedin\.com/in/([a-z0-9-]{2,200})/?\Z"
)
# A number in the form it is kept in, as a CRM gives back what we sent.
_E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_MAX_COUNTRY_CODE = 3


@lru_cache(maxsize=4096)
def normal_email(value: str) -> str:
    """Return the address in lower case with an ASCII domain, "" if it is none.

    >>> normal_email(" Ada.Lovelace@EXAMPLE.com "), normal_email("not an address")
    ('ada.lovelace@example.com', '')
    """
    plain = value.strip().lower()
    if _PLAIN_EMAIL.match(plain):
        return plain
    try:
        found = validate_email(
            value.strip(), check_deliverability=False, test_environment=True
        )
    except EmailNotValidError:
        return ""
    return f"{found.local_part}@{found.ascii_domain or found.domain}".lower()


@lru_cache(maxsize=4096)
def normal_phone(value: str, region: str = "US") -> str:
    """Return E.164, "" if it cannot be a number of the region or of the world.

    >>> normal_phone("(202) 555-0143"), normal_phone("tomorrow")
    ('+12025550143', '')
    """
    if _E164.match(value) and _is_plain_number(value):
        return value
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_plain_number(value: str) -> bool:
    """Tell whether the library would give E.164 back as it is, at a tenth of the cost.

    It would where the digits behind the country's code are as many as numbers there
    have, and do not begin with what may be the prefix of calls within the country.
    """
    for end in range(2, 2 + _MAX_COUNTRY_CODE):
        plan = _numbering_plan(int(value[1:end]))
        if plan is not None:
            prefix, lengths = plan
            return len(value) - end in lengths and not (
                prefix and prefix.match(value, end)
            )
    return False


@cache
def _numbering_plan(
    country_code: int,
) -> tuple[re.Pattern[str] | None, frozenset[int]] | None:
    """Return a country's prefix and the lengths of its numbers; None for no country."""
    if country_code not in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        return None
    region = phonenumbers.region_code_for_country_code(country_code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(
        country_code, region
    )
    if metadata is None or metadata.general_desc is None:
        return None, frozenset()
    prefix = metadata.national_prefix_for_parsing
    lengths = metadata.general_desc.possible_length
    return re.compile(prefix) if prefix else None, frozenset(lengths)


@lru_cache(maxsize=4096)
def normal_linkedin(value: str) -> str:
    """Return the public id of a profile from its address or from the id itself.

    >>> normal_linkedin("https://www.linkedin.com/in/Ada-Example-123/?trk=x")
    'ada-example-123'
    """
    if plain := _PLAIN_LINKEDIN.match(value):
        return plain.group(1)
    text = value.strip()
    if "linkedin.com" in text.lower():
        parts = urlsplit(text if "//" in text else f"https://{text}")
        found = _LINKEDIN_PATH.match(parts.path)
        text = found.group(1) if found else ""
    text = unquote(text).strip("/").lower()
    return text if _LINKEDIN_ID.match(text) else ""


def normal_domain(value: str) -> str:
    """Return the host in ASCII without `www.`, "" if it is none.

    >>> normal_domain("https://www.Example.com/about")
    'example.com'
    """
    text = value.strip().lower()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    host = host.removeprefix("www.").rstrip(".")
    if "." not in host or " " in host:
        return ""
    try:
        # As in `normal_email`, or a company's site and its mail would be two companies.
        return host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return ""


def company_domain(email: str) -> str:
    """Return the domain of a work address, "" for a free-mail one."""
    domain = email.rpartition("@")[2]
    return "" if domain in FREE_MAIL else domain


@dataclass(frozen=True, slots=True)
class Keys:
    """What a person is known by, in normal form, strongest first: (kind, value)."""

    pairs: tuple[tuple[str, str], ...]
    phone: str


def keys_of(person: PersonFacts, *, phone_region: str) -> Keys:
    """Return the keys of what an event says about a person."""
    pairs = []
    if person.external_id:
        pairs.append(("external", person.external_id[:254]))
    for email in (person.email, *person.other_emails):
        if normal := normal_email(email):
            pairs.append(("email", normal))
    if linkedin := normal_linkedin(person.linkedin):
        pairs.append(("linkedin", linkedin))
    phone = normal_phone(person.phone, phone_region) if person.phone else ""
    return Keys(tuple(dict.fromkeys(pairs)), phone)


class Ambiguous(Exception):
    """Several leads fit; a person must say which."""

    def __init__(
        self, candidates: Sequence[int], why: str, shared: Mapping[int, str]
    ) -> None:
        """Say why. shared: lead -> what it has that the person has, "" for the same."""
        super().__init__(why)
        self.candidates, self.why, self.shared = tuple(candidates), why, shared

    def named(self, names: Mapping[int, str]) -> Ambiguous:
        """Return the same with leads called by their names. names: lead -> name."""
        told = ", ".join(
            names.get(one, f"lead {one}") + (f" ({by})" if by else "")
            for one, by in self.shared.items()
        )
        words = self.why.partition(":")[0]
        return Ambiguous(self.candidates, f"{words}: {told}.", self.shared)


def match(
    keys: Keys,
    by_key: Mapping[tuple[str, str], int],
    by_phone: Mapping[str, Sequence[int]],
) -> int | None:
    """Return the id of the one lead these keys belong to, None for nobody.

    The phone decides only where no key does: colleagues share one.
    Raises Ambiguous instead of taking the first of several.
    """
    hits = {by_key[pair]: pair for pair in keys.pairs if pair in by_key}
    if len(hits) > 1:
        told = ", ".join(
            f"{kind} {value}: lead {hits_id}" for hits_id, (kind, value) in hits.items()
        )
        raise Ambiguous(
            sorted(hits),
            f"These belong to different leads: {told}.",
            {one: f"{kind} {value}" for one, (kind, value) in hits.items()},
        )
    if hits:
        return next(iter(hits))
    if keys.pairs or not keys.phone:
        return None
    sharing = by_phone.get(keys.phone, ())
    if len(sharing) > 1:
        told = ", ".join(str(lead_id) for lead_id in sharing)
        raise Ambiguous(
            sharing,
            f"Several leads have {keys.phone}: {told}.",
            dict.fromkeys(sharing, ""),
        )
    return sharing[0] if sharing else None
