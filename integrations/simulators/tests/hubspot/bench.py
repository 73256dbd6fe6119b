"""HubSpot, as the shared tests speak to it."""

from dataclasses import dataclass

from integrations.simulators.testing import (
    HUB_ID,
    OTHER_HUB_ID,
    PRIVATE_TOKEN,
)
from integrations.simulators.tests.benches import Bench, Body, SignIn
from integrations.simulators.tests.hubspot.conftest import Api

CONTACTS = "/crm/v3/objects/contacts"


@dataclass(frozen=True, slots=True)
class _HubSpot(Bench):
    def person(self, number: int = 1) -> Body:
        return {"email": f"p{number}@example.com", "city": "Lyon"}

    def one(self, number: int = 1) -> Body:
        return {"properties": self.person(number)}

    def several(self, count: int) -> Body:
        return {"inputs": [self.one(number) for number in range(1, count + 1)]}

    def edited(self, city: str) -> Body:
        return {"properties": {"city": city}}


HUBSPOT = _HubSpot(
    vendor="hubspot",
    client=Api,
    token=PRIVATE_TOKEN,
    another_token="pat-another",
    people="contacts",
    collection=CONTACTS,
    template=CONTACTS,
    batch=f"{CONTACTS}/batch/create",
    reading=f"{CONTACTS}?limit=1",
    subject="contact.creation",
    delays="webhook",
    city="city",
    email="email",
    sign_in=SignIn(
        authorize="/oauth/authorize",
        token="/oauth/v3/token",
        extra={"scope": "oauth crm.objects.contacts.read crm.objects.contacts.write"},
        yes="connect",
        no="cancel",
        accounts=(str(HUB_ID), str(OTHER_HUB_ID)),
        code_ttl_s=60,
    ),
)
