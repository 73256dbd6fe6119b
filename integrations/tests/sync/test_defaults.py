"""A default stands in a CRM for a blank of ours; it is no value, and no edit."""

from __future__ import annotations

import pytest

from integrations.models import Conflict, FieldMapping, Link
from integrations.tests.sync.crm import HubSpotUser, SalesforceUser
from integrations.tests.sync.fields import add_field
from integrations.tests.sync.trio import Trio
from leads.models import Lead


@pytest.fixture
def trio(trio: Trio) -> Trio:
    add_field(trio, "points", "number", default="0")
    trio.populate(1)
    return trio


@pytest.fixture
def marketer(trio: Trio) -> HubSpotUser:
    return HubSpotUser(trio.hubspot)


@pytest.fixture
def seller(trio: Trio) -> SalesforceUser:
    return SalesforceUser(trio.salesforce)


def points(trio: Trio) -> tuple[object, ...]:
    """Return what the person has in HubSpot, here and in Salesforce."""
    there = HubSpotUser(trio.hubspot).sees(trio.ids["hubspot"][0], "points")
    (lead,) = SalesforceUser(trio.salesforce).has("Lead")
    ours = Lead.objects.get().custom.get("points")
    return int(there["points"] or -1), ours, int(lead["Points__c"])


def test_a_default_is_remembered_as_theirs_and_our_blank_as_ours(trio: Trio) -> None:
    bases = {
        name: value
        for link in Link.objects.all()
        for name, value in link.base.items()
        if name.lower().startswith("points")
    }

    assert bases == {"points": ["0", ""], "Points__c": ["0", ""]}
    assert Lead.objects.get().custom.get("points") is None


def test_a_default_that_still_stands_does_not_win_over_a_value(
    trio: Trio, marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    marketer.edit(trio.ids["hubspot"][0], points="50")
    trio.pull("hubspot")
    seller.edit("Lead", trio.ids["salesforce"][0], City="Elsewhere")

    trio.pull("salesforce")
    trio.rest()

    assert points(trio) == (50, 50, 50)
    assert not Conflict.objects.exists()


def test_a_blank_that_both_were_remembered_by_is_no_edit_either(
    trio: Trio, marketer: HubSpotUser, seller: SalesforceUser
) -> None:
    for link in Link.objects.all():
        names = {n: v for n, v in link.base.items() if n.lower().startswith("points")}
        link.base |= dict.fromkeys(names, "")
        link.save(update_fields=["base"])
    marketer.edit(trio.ids["hubspot"][0], points="50")
    trio.pull("hubspot")
    seller.edit("Lead", trio.ids["salesforce"][0], City="Elsewhere")

    trio.pull("salesforce")
    trio.rest()

    assert points(trio) == (50, 50, 50)
    assert not Conflict.objects.exists()


def test_a_value_entered_over_a_default_is_taken(
    trio: Trio, seller: SalesforceUser
) -> None:
    seller.edit("Lead", trio.ids["salesforce"][0], Points__c="7")

    trio.rest()

    assert points(trio) == (7, 7, 7)


def test_a_default_entered_over_a_value_is_an_edit(
    trio: Trio, seller: SalesforceUser
) -> None:
    seller.edit("Lead", trio.ids["salesforce"][0], Points__c="7")
    trio.rest()

    seller.edit("Lead", trio.ids["salesforce"][0], Points__c="0")
    trio.rest()

    assert points(trio)[1:] == (0, 0)


def test_a_default_stays_where_blanks_are_news(
    trio: Trio, seller: SalesforceUser
) -> None:
    FieldMapping.objects.filter(source="custom.points").update(clear_blanks=True)
    seller.edit("Lead", trio.ids["salesforce"][0], City="Elsewhere")

    trio.rest()

    (lead,) = seller.has("Lead")
    assert int(lead["Points__c"]) == 0
    assert Lead.objects.get().custom.get("points") is None
