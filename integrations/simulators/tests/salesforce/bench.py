"""Salesforce, as the shared tests speak to it."""

from dataclasses import dataclass

from integrations.simulators.testing import (
    SALESFORCE_ORG_ID,
    SALESFORCE_OTHER_ORG_ID,
    SALESFORCE_TOKEN,
)
from integrations.simulators.tests.benches import Bench, Body, SignIn
from integrations.simulators.tests.salesforce.conftest import Api, V

LEADS = "/sobjects/Lead"


@dataclass(frozen=True, slots=True)
class _Salesforce(Bench):
    def person(self, number: int = 1) -> Body:
        name = {"LastName": f"Lee {number}", "Company": "Fern"}
        return {**name, "Email": f"p{number}@example.com", "City": "Lyon"}

    def one(self, number: int = 1) -> Body:
        return self.person(number)

    def several(self, count: int) -> Body:
        kind = {"attributes": {"type": "Lead"}}
        return {"records": [kind | self.one(n) for n in range(1, count + 1)]}

    def edited(self, city: str) -> Body:
        return {"City": city}


SALESFORCE = _Salesforce(
    vendor="salesforce",
    client=Api,
    token=SALESFORCE_TOKEN,
    another_token="00Dx!another",
    people="Lead",
    collection=LEADS,
    template=f"{V}{LEADS}",
    batch="/composite/sobjects",
    reading="/limits",
    subject="Lead",
    delays="event",
    city="City",
    email="Email",
    sign_in=SignIn(
        authorize="/services/oauth2/authorize",
        token="/services/oauth2/token",
        extra={"scope": "api refresh_token id", "response_type": "code"},
        yes="allow",
        no="deny",
        accounts=(SALESFORCE_ORG_ID, SALESFORCE_OTHER_ORG_ID),
        code_ttl_s=900,
    ),
    # There is no 429 at this vendor: used-up allowances are a 403.
    statuses={"429": 403},
)
