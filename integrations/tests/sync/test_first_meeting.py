"""A person of both CRMs meets the hub, and the two never agreed on anything."""

from __future__ import annotations

import pytest

from integrations.sync import pull
from integrations.tests.sync.crm import HubSpotUser, SalesforceUser, sync
from integrations.tests.sync.fields import add_field
from integrations.tests.sync.trio import Trio
from leads.models import Lead

PERSON = {"firstname": "Ada", "lastname": "Example", "company": "Fern"}
EMAIL = "ada@customer.example.org"


def meet(trio: Trio) -> None:
    for mapping in trio.mappings.values():
        pull.ask_pull(mapping, soon=True)
        pull.pull_due()
    sync(4)


@pytest.mark.parametrize(
    ("in_hubspot", "in_salesforce"), [(True, False), (False, True)]
)
def test_who_opted_out_in_one_crm_is_out_everywhere_when_they_meet(
    trio: Trio, in_hubspot: bool, in_salesforce: bool
) -> None:
    add_field(trio, "optout", "bool", rule="restrictive")
    marketer, seller = HubSpotUser(trio.hubspot), SalesforceUser(trio.salesforce)
    told = str(in_hubspot).lower()
    contact = marketer.make(email=EMAIL, optout=told, **PERSON)
    given = {"LastName": "Example", "Company": "Fern", "Email": EMAIL}
    seller.make("Lead", **given, Optout__c=in_salesforce)  # type: ignore[arg-type]

    meet(trio)

    assert Lead.objects.get().custom == {"optout": True}
    assert marketer.sees(contact, "optout") == {"optout": "true"}
    assert [str(one["Optout__c"]) for one in seller.has("Lead")] == ["True"]


def test_choices_of_both_crms_are_kept_when_they_meet(trio: Trio) -> None:
    options = ["blue", "green", "red"]
    add_field(trio, "colours", "multi_enum", options=options, rule="union")
    marketer, seller = HubSpotUser(trio.hubspot), SalesforceUser(trio.salesforce)
    contact = marketer.make(email=EMAIL, colours="red", **PERSON)
    given = {"LastName": "Example", "Company": "Fern", "Email": EMAIL}
    seller.make("Lead", **given, Colours__c="blue;green")

    meet(trio)

    assert Lead.objects.get().custom == {"colours": options}
    assert marketer.sees(contact, "colours") == {"colours": "blue;green;red"}
    assert [one["Colours__c"] for one in seller.has("Lead")] == ["blue;green;red"]
