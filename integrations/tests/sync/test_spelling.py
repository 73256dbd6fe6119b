"""What we spell our own way is not sent back to the CRM that told it."""

from __future__ import annotations

import pytest

from integrations.models import Connection, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.sync.spelling import SPELT
from integrations.tests.sync.crm import HubSpotUser, only, sync
from leads.models import Company

COMPANIES = "/crm/v3/objects/companies"


def test_a_domain_that_is_spelt_otherwise_here_stays_as_it_is_there(
    hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    (mapping,) = only(hubspot, "companies")
    assert isinstance(mapping, ObjectMapping)
    person = HubSpotUser(hubspot_simulator)
    given = {"name": "Moss", "domain": "https://www.Moss.example.com/about"}
    made = person.call("POST", COMPANIES, {"properties": given})
    pull.ask_pull(mapping, soon=True)
    sync(2)

    path = f"{COMPANIES}/{made['id']}"
    person.call("PATCH", path, {"properties": {"city": "Kiel"}})
    pull.ask_pull(mapping, soon=True)
    sync(3)

    company = Company.objects.get()
    there = person.call("GET", f"{path}?properties=domain")["properties"]
    assert (company.domain, company.city) == ("moss.example.com", "Kiel")
    assert there["domain"] == given["domain"]


@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("domain", " HTTPS://www.Fern.example.com/about ", "fern.example.com"),
        ("domain", "no domain", "no domain"),
        ("linkedin_id", "https://linkedin.com/in/Ada-E/", "ada-e"),
        (
            "linkedin_url",
            "linkedin.com/in/ada-e?x=1",
            "https://www.linkedin.com/in/ada-e",
        ),
        ("currency", "eur ", "EUR"),
        ("domain", "", ""),
        ("linkedin_url", "", ""),
    ],
)
def test_two_spellings_compare_as_one(name: str, theirs: str, ours: str) -> None:
    assert SPELT[name](theirs) == SPELT[name](SPELT[name](theirs)) == ours
