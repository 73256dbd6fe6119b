"""Contacts of opportunities: made once, the first is the primary one, in few calls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integrations import errors
from integrations.connectors.salesforce.spec import OWN_KEY
from integrations.records import Association, Write
from integrations.tests.connectors.salesforce.conftest import Org

DEAL = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


def roles(org: Org) -> list[tuple[str, str, bool]]:
    """Return (opportunity, contact, whether it is the primary one) of each role."""
    return sorted(
        (one["OpportunityId"], one["ContactId"], bool(one.get("IsPrimary")))
        for one in org.held("OpportunityContactRole")
    )


def opportunities(org: Org, count: int = 1, **more: object) -> list[str]:
    fields: dict[str, object] = {**DEAL, **more}
    return org.seed("Opportunity", count, **fields)


def of(contact: str) -> Association:
    return Association("Contact", contact)


def deals(count: int, contacts: list[str]) -> list[Write]:
    return [
        Write(
            str(n), "Opportunity", None, OWN_KEY, f"key-{n}", DEAL, (of(contact),),
            mode="create",
        )
        for n, contact in zip(range(count), contacts, strict=True)
    ]  # fmt: skip


def calls(org: Org) -> tuple[int, int]:
    """Return how many reads and writes were made."""
    return len(org.paths("GET")), len(org.paths("POST", "PATCH", "DELETE"))


def test_a_new_opportunity_takes_its_contact_along_in_the_same_call(org: Org) -> None:
    org.made("Opportunity")
    contacts = org.seed("Contact", 250, LastName="A")

    results = org.connector().write("Opportunity", deals(250, contacts))

    ids = [str(one.remote_id) for one in results]
    assert {one.error for one in results} == {None}
    assert roles(org) == sorted(
        (d, c, True) for d, c in zip(ids, contacts, strict=True)
    )
    assert calls(org) == (0, 2)


def test_opportunities_that_are_there_get_contacts_in_few_calls(org: Org) -> None:
    contacts = org.seed("Contact", 250, LastName="A")
    there = opportunities(org, 250)
    ties = [(deal, of(one)) for deal, one in zip(there, contacts, strict=True)]

    made = org.connector().associate("Opportunity", ties)

    assert set(made) == {None}
    assert roles(org) == sorted((d, tie.to_id, True) for d, tie in ties)
    assert calls(org) == (2, 2)


def test_a_contact_that_has_a_role_gets_no_second_one(org: Org) -> None:
    (one,) = org.seed("Contact", LastName="A")
    (deal,) = opportunities(org, ContactId=one)
    ties = [(deal, of(one)), (deal[:15], of(one))]

    made = org.connector().associate("Opportunity", ties)

    assert made == [None, None]
    assert roles(org) == [(deal, one, True)]
    assert calls(org) == (1, 0)


def test_the_same_tie_twice_in_one_batch_makes_one_role(org: Org) -> None:
    (one,) = org.seed("Contact", LastName="A")
    (deal,) = opportunities(org)

    made = org.connector().associate("Opportunity", [(deal, of(one))] * 2)

    assert made == [None, None]
    assert roles(org) == [(deal, one, True)]


def test_another_contact_leaves_the_primary_one_alone(org: Org) -> None:
    one, other, third = org.seed("Contact", 3, LastName="A")
    (deal,) = opportunities(org, ContactId=one)
    (bare,) = opportunities(org)
    ties = [(deal, of(other)), (bare, of(other)), (bare, of(third))]

    org.connector().associate("Opportunity", ties)

    assert roles(org) == sorted(
        [
            (deal, one, True),
            (deal, other, False),
            (bare, other, True),
            (bare, third, False),
        ]
    )


def test_the_primary_contact_is_told_first(org: Org) -> None:
    one, other = org.seed("Contact", 2, LastName="A")
    (deal,) = opportunities(org, ContactId=one)
    connector = org.connector()
    role: dict[str, object] = {"OpportunityId": deal, "ContactId": other}
    org.seed("OpportunityContactRole", 1, **role, IsPrimary=True)

    assert connector.associations("Opportunity", "Contact", [deal]) == {
        deal: [other, one]
    }


@pytest.mark.parametrize("fault", ["drop_after_apply", "empty_2xx", "missing_results"])
def test_a_lost_answer_is_settled_by_looking(org: Org, fault: str) -> None:
    contacts = org.seed("Contact", 3, LastName="A")
    there = opportunities(org, 3)
    ties = [(deal, of(one)) for deal, one in zip(there, contacts, strict=True)]
    org.simulator.set_fault(fault, method="POST", count=1)

    made = org.connector().associate("Opportunity", ties)

    assert made == [None] * 3
    assert roles(org) == sorted((d, tie.to_id, True) for d, tie in ties)


def test_a_call_that_did_nothing_is_not_repeated_blindly(org: Org) -> None:
    (one,) = org.seed("Contact", LastName="A")
    (deal,) = opportunities(org)
    org.simulator.set_fault("500", method="POST", count=1)
    connector = org.connector()

    (failed,) = connector.associate("Opportunity", [(deal, of(one))])
    (again,) = connector.associate("Opportunity", [(deal, of(one))])

    assert isinstance(failed, errors.OutcomeUnknown)
    assert again is None
    assert roles(org) == [(deal, one, True)]


def test_one_contact_that_is_gone_costs_the_others_nothing(org: Org) -> None:
    (one,) = org.seed("Contact", LastName="A")
    first, other = opportunities(org, 2)
    ties = [(first, of("003000000000001AAA")), (other, of(one))]

    bad, good = org.connector().associate("Opportunity", ties)

    assert isinstance(bad, errors.SyncError)
    assert good is None
    assert roles(org) == [(other, one, True)]


def test_all_roles_of_a_contact_go_with_its_tie_and_no_others(org: Org) -> None:
    one, other = org.seed("Contact", 2, LastName="A")
    (deal,) = opportunities(org, ContactId=one)
    for role in ("Evaluator", "Influencer"):
        org.seed("OpportunityContactRole", OpportunityId=deal, ContactId=one, Role=role)
    org.seed("OpportunityContactRole", OpportunityId=deal, ContactId=other)
    connector = org.connector()
    org.calls.clear()

    parted = connector.dissociate("Opportunity", [(deal, of(one))])
    again = connector.dissociate("Opportunity", [(deal, of(one))])

    assert (parted, again) == ([None], [None])
    assert roles(org) == [(deal, other, False)]
    assert calls(org) == (2, 1)


def test_an_upsert_ties_what_it_found_or_made(org: Org) -> None:
    org.made("Opportunity")
    (one,) = org.seed("Contact", LastName="A")
    write = replace(deals(1, [one])[0], mode="upsert")
    connector = org.connector()

    connector.write("Opportunity", [write])
    connector.write("Opportunity", [write])

    assert [told[1:] for told in roles(org)] == [(one, True)]
