"""What stood in both CRMs before crmsync was connected: known people, and others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.demo.cast import Cast
from integrations.demo.crm import Crm
from integrations.demo.people import Person
from leads.models import Lead


def fill(crms: Mapping[str, Crm], cast: Cast, strangers: Sequence[Person]) -> None:
    """Let marketing and sales have worked for a while, each in their own CRM.

    strangers: people that only one of the two knows.
    """
    half = len(strangers) // 2
    hubspot, salesforce = crms["hubspot"].simulated, crms["salesforce"].simulated
    hubspot.put("contacts", [_known_contact(one) for one in cast.in_hubspot])
    hubspot.put("contacts", [_contact(one) for one in strangers[:half]])
    salesforce.put("Lead", [_lead(one) for one in strangers[half:]])
    salesforce.put("Lead", [_known_lead(one) for one in cast.twice_there * 2])
    for lead in cast.in_salesforce:
        (account,) = salesforce.put("Account", [{"Name": lead.company_name}])
        salesforce.put("Contact", [_customer(lead, account)])


def _known_contact(lead: Lead) -> dict[str, object]:
    """Return who downloaded something once, and gave a mobile number."""
    return {
        "email": lead.email,
        "firstname": lead.first_name,
        "phone": f"+49 30 5550{lead.pk:04}",
    }


def _contact(person: Person) -> dict[str, object]:
    return {
        "email": person.email,
        "firstname": person.first_name,
        "lastname": person.last_name,
        "jobtitle": person.title,
        "company": person.company,
        "city": person.city,
        "country": person.country,
    }


def _lead(person: Person) -> dict[str, object]:
    return {
        "Email": person.email,
        "FirstName": person.first_name,
        "LastName": person.last_name,
        "Title": person.title,
        "Company": person.company,
        "City": person.city,
        "Country": person.country,
    }


def _known_lead(lead: Lead) -> dict[str, object]:
    return {
        "Email": lead.email,
        "LastName": lead.last_name,
        "Company": lead.company_name,
    }


def _customer(lead: Lead, account_id: str) -> dict[str, object]:
    return {
        "Email": lead.email,
        "FirstName": lead.first_name,
        "LastName": lead.last_name,
        "AccountId": account_id,
        "Phone": f"+44 20 7946 {lead.pk:04}",
    }
