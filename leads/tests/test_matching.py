"""What people and companies are known by, in normal form, and who fits."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email

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
    normal_phone,
)

ADA, KIM = ("email", "ada@example.com"), ("email", "kim@example.com")
PROFILE, EXTERNAL = ("linkedin", "ada-example"), ("external", "lgm:1")


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada.Lovelace@EXAMPLE.Com ", "ada.lovelace@example.com"),
        ("ada+tag@example.com", "ada+tag@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@example", ""),
        ("ada@@example.com", ""),
        ("ada example.com", ""),
        ("ada@example.com, kim@example.com", ""),
        ("", ""),
        ("a" * 250 + "@example.com", ""),
    ],
)
def test_address_in_normal_form(given: str, normal: str) -> None:
    assert normal_email(given) == normal
    assert normal_email(normal) == normal


LONG_LABEL, LONG_DOMAIN = "a" * 63, ".".join(["a" * 60] * 5)


@pytest.mark.parametrize("domain", ["example.com", "sub.example.co.uk", "e.io"])
@pytest.mark.parametrize(
    "address",
    [
        *("ada@{}", "a.b+c_d-e@{}", ".ada@{}", "ada.@{}", "a..b@{}", "@{}", "a b@{}"),
        *("ada@-{}", "ada@a-.{}", "ada@a--b.{}", "ada@ab--c.{}", "ada@xn--a.{}"),
        *("ada@{}.", "ada@.{}", "ada@{}.local", "ada@{}.onion", "ada@{}.test"),
        *("ada@{}.invalid", "ada@{}.1", "ada@{}.c1", "ada@{}.x", "ada@1.2.{}"),
        *(f"ada@{LONG_LABEL}.{{}}", f"ada@a{LONG_LABEL}.{{}}"),
        *(f"ada@{LONG_DOMAIN}.{{}}", f"{'a' * 240}@{{}}", f"{'a' * 243}@{{}}"),
        *("ada\n@{}", "ada@{}\n", "İ@{}", "\u212a@{}", "ada@ﬁ.{}", "a'b@{}"),
        '"a b"@{}',
    ],
)
def test_what_looks_plain_is_what_the_whole_standard_says(
    address: str, domain: str
) -> None:
    given = address.format(domain)

    assert normal_email(given) == by_the_book(given)


def by_the_book(given: str) -> str:
    """Return the normal form by the library alone."""
    try:
        found = validate_email(
            given.strip(), check_deliverability=False, test_environment=True
        )
    except EmailNotValidError:
        return ""
    return f"{found.local_part}@{found.ascii_domain}".lower()


@pytest.mark.parametrize(
    ("given", "region", "normal"),
    [
        ("(202) 555-0143", "US", "+12025550143"),
        ("030 123456", "DE", "+4930123456"),
        ("+49 (0)30 123456", "US", "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("030 123456 ext. 7", "DE", "+4930123456"),
        ("tomorrow", "DE", ""),
        ("123", "US", ""),
        ("", "DE", ""),
        ("030 123456", "no such region", ""),
    ],
)
def test_phone_in_normal_form(given: str, region: str, normal: str) -> None:
    assert normal_phone(given, region) == normal
    assert normal_phone(normal, region) == normal


@pytest.mark.parametrize("country", sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
def test_a_number_that_looks_plain_is_what_the_library_makes_of_it(
    country: int,
) -> None:
    rng = random.Random(country)
    given = [
        f"+{country}{prefix}{rng.randrange(10**length):0{length}}"
        for prefix in ("", "0", "00", "1", "8")
        for length in range(2, 12)
    ]

    assert [normal_phone(one) for one in given] == list(map(by_the_library, given))


def by_the_library(given: str) -> str:
    number = phonenumbers.parse(given, "US")
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://www.linkedin.com/in/Ada-Example-123/?trk=x", "ada-example-123"),
        ("http://de.linkedin.com/in/ada-example", "ada-example"),
        ("linkedin.com/in/ada-example/de", "ada-example"),
        ("https://www.LinkedIn.com/IN/Ada-Example", "ada-example"),
        ("https://www.linkedin.com/in/j%C3%BCrgen", "jürgen"),
        ("https://www.linkedin.com/sales/lead/ACwAA1,NAME_SEARCH,x1", "acwaa1"),
        ("https://www.linkedin.com/sales/people/ACwAA1,other,x2", "acwaa1"),
        ("ada-example", "ada-example"),
        ("https://www.linkedin.com/company/fern", ""),
        ("https://www.linkedin.com/", ""),
        ("ada example", ""),
        ("x", ""),
        ("", ""),
    ],
)
def test_linkedin_id_in_normal_form(given: str, normal: str) -> None:
    assert normal_linkedin(given) == normal
    assert normal_linkedin(normal) == normal


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://www.Example.com/about?x=1", "example.com"),
        ("example.com.", "example.com"),
        ("shop.example.co.uk:8080", "shop.example.co.uk"),
        ("ada@example.com", "example.com"),
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("localhost", ""),
        ("not a domain", ""),
        ("http://[::1", ""),
        ("", ""),
    ],
)
def test_domain_in_normal_form(given: str, normal: str) -> None:
    assert normal_domain(given) == normal
    assert normal_domain(normal) == normal


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ada@fern.example.org", "fern.example.org"),
        ("ada@gmail.com", ""),
        ("ada@web.de", ""),
        ("", ""),
    ],
)
def test_company_is_known_by_a_work_address_only(email: str, domain: str) -> None:
    assert company_domain(email) == domain


def test_keys_come_strongest_first_and_each_once() -> None:
    person = PersonFacts(
        email="Ada@Example.com",
        other_emails=("ada@example.com", "kim@example.com", "nonsense"),
        linkedin="linkedin.com/in/ada-example",
        external_id="lgm:1",
        phone="030 123456",
    )

    keys = keys_of(person, phone_region="DE")

    assert keys == Keys((EXTERNAL, ADA, KIM, PROFILE), "+4930123456")


@pytest.mark.parametrize(
    ("pairs", "phone", "by_key", "by_phone", "lead_id"),
    [
        ((ADA,), "", {ADA: 1}, {}, 1),
        ((ADA, PROFILE), "", {PROFILE: 2}, {}, 2),
        ((ADA, PROFILE), "", {ADA: 1, PROFILE: 1}, {}, 1),
        ((ADA,), "", {KIM: 1}, {}, None),
        ((), "", {}, {}, None),
        ((), "+4930123456", {}, {"+4930123456": [3]}, 3),
        ((), "+4930123456", {}, {}, None),
        # Colleagues share a phone: it decides nothing about a person with a key.
        ((ADA,), "+4930123456", {}, {"+4930123456": [3]}, None),
    ],
)
def test_the_one_lead_that_fits_is_found(
    pairs: tuple[tuple[str, str], ...],
    phone: str,
    by_key: dict[tuple[str, str], int],
    by_phone: dict[str, list[int]],
    lead_id: int | None,
) -> None:
    assert match(Keys(pairs, phone), by_key, by_phone) == lead_id


@pytest.mark.parametrize(
    ("keys", "by_key", "by_phone", "candidates", "why"),
    [
        (Keys((ADA, PROFILE), ""), {ADA: 2, PROFILE: 1}, {}, (1, 2), "ada-example"),
        (Keys((ADA, KIM), ""), {ADA: 1, KIM: 2}, {}, (1, 2), "kim@example.com"),
        (Keys((), "+49301"), {}, {"+49301": [4, 7]}, (4, 7), "+49301"),
    ],
)
def test_several_that_fit_are_named_and_none_is_taken(
    keys: Keys,
    by_key: dict[tuple[str, str], int],
    by_phone: dict[str, list[int]],
    candidates: tuple[int, ...],
    why: str,
) -> None:
    with pytest.raises(Ambiguous) as raised:
        match(keys, by_key, by_phone)

    assert raised.value.candidates == candidates
    assert why in str(raised.value)
