"""What becomes of writes: found, made, refused, ambiguous, lost."""

from dataclasses import replace
from typing import Any

import pytest

from integrations import errors
from integrations.connectors.salesforce.bulk import Patience
from integrations.connectors.salesforce.spec import OWN_KEY
from integrations.records import Association, Write
from integrations.tests.connectors.salesforce.conftest import Org, lead


def test_people_are_looked_up_in_one_query_and_made_by_our_key(org: Org) -> None:
    org.made("Lead")

    results = org.connector().write("Lead", [lead(n) for n in range(5)])

    assert [one.error for one in results] == [None] * 5
    assert {one.created for one in results} == {True}
    assert org.paths() == ["query", f"composite/sobjects/Lead/{OWN_KEY}"]
    assert {one["Email"] for one in org.held("Lead")} == {
        f"person{n}@example.com" for n in range(5)
    }


def test_a_person_who_is_there_is_updated_whatever_the_case_of_the_mail(
    org: Org,
) -> None:
    org.made("Lead")
    (there,) = org.seed(
        "Lead", LastName="Old", Company="C", Email="person1@example.com"
    )
    write = replace(lead(), key_value="Person1@Example.com")

    (result,) = org.connector().write("Lead", [write])

    assert (result.error, result.remote_id, result.created) == (None, there, False)
    (held,) = org.held("Lead")
    assert (held["LastName"], held[OWN_KEY]) == ("Doe 1", "key-1")


def test_of_several_with_one_mail_none_is_taken(org: Org) -> None:
    org.made("Lead")
    twins = org.seed("Lead", 2, LastName="A", Company="C", Email="person1@example.com")

    first, second = org.connector().write("Lead", [lead(1), lead(2)])

    assert isinstance(first.error, errors.RecordRejected)
    assert first.error.code == "AMBIGUOUS_MATCH"
    assert (first.error.field, first.error.value) == ("Email", "person1@example.com")
    assert all(one in first.error.message for one in twins)
    assert second.error is None
    assert {one["LastName"] for one in org.held("Lead")} == {"A", "Doe 2"}


def test_a_person_who_was_converted_is_linked_to_be_followed(org: Org) -> None:
    org.made("Lead")
    (gone,) = org.seed("Lead", LastName="A", Company="C", Email="person1@example.com")
    org.simulator.control("POST", "convert", {"id": gone})

    (result,) = org.connector().write("Lead", [lead()])

    assert isinstance(result.error, errors.DuplicateFound)
    assert result.error.existing_id == gone
    assert len(org.held("Lead")) == 1


def test_a_living_lead_comes_before_a_converted_one(org: Org) -> None:
    org.made("Lead")
    mail = "person1@example.com"
    gone, living = org.seed("Lead", 2, LastName="A", Company="C", Email=mail)
    org.simulator.control("POST", "convert", {"id": gone})

    (result,) = org.connector().write("Lead", [lead()])

    assert (result.error, result.remote_id) == (None, living)


def test_an_update_of_a_converted_lead_is_gone_by_its_code(org: Org) -> None:
    (gone,) = org.seed("Lead", LastName="A", Company="C")
    org.simulator.control("POST", "convert", {"id": gone})
    write = Write("w", "Lead", gone, None, None, {"LastName": "B"}, mode="update")

    (result,) = org.connector().write("Lead", [write])

    assert isinstance(result.error, errors.RecordGone)
    assert result.error.code == "CANNOT_UPDATE_CONVERTED_LEAD"


@pytest.mark.parametrize(
    ("fields", "kind", "field"),
    [
        ({"LastName": "x" * 200}, errors.RecordRejected, "LastName"),
        ({"LastName": ""}, errors.RecordRejected, "LastName"),
        ({"Nothing__c": "x"}, errors.Misconfigured, "Nothing__c"),
        ({"NumberOfEmployees": "many"}, errors.RecordRejected, None),
        ({"CleanStatus": "Nonsense"}, errors.RecordRejected, "CleanStatus"),
        ({"OwnerId": "005000000000009AAA"}, errors.RecordRejected, None),
        ({"CreatedDate": "2026-01-01T00:00:00Z"}, errors.Misconfigured, "CreatedDate"),
        ({"bad name": "x"}, errors.Misconfigured, "bad name"),
    ],
)
def test_a_row_that_is_refused_says_why_and_the_others_are_written(
    org: Org, fields: dict[str, object], kind: Any, field: Any
) -> None:
    org.made("Lead")

    good, bad, other = org.connector().write(
        "Lead", [lead(1), lead(2, **fields), lead(3)]
    )

    assert (good.error, other.error) == (None, None)
    assert isinstance(bad.error, kind)
    assert field is None or bad.error.field == field
    assert len(org.held("Lead")) == 2


@pytest.mark.parametrize(
    "kind", ["empty_2xx", "blank_2xx", "html_2xx", "truncated_json", "drop_after_apply"]
)
def test_an_upsert_whose_answer_is_lost_is_repeated_without_harm(
    org: Org, kind: str
) -> None:
    org.made("Lead")
    org.simulator.set_fault(kind, method="PATCH", count=1)
    writes = [lead(n) for n in range(3)]
    with pytest.raises(errors.Retryable):
        org.connector().write("Lead", writes)

    again = org.connector().write("Lead", writes)

    assert [one.error for one in again] == [None] * 3
    assert len(org.held("Lead")) == 3


def test_a_success_that_leaves_results_out_is_no_success(org: Org) -> None:
    org.made("Lead")
    org.simulator.set_fault("missing_results", method="PATCH", count=1)

    results = org.connector().write("Lead", [lead(n) for n in range(4)])

    assert {type(one.error) for one in results} == {errors.OutcomeUnknown}
    assert {one.remote_id for one in results} == {None}


@pytest.mark.parametrize("kind", ["500", "drop_after_apply"])
def test_a_create_whose_answer_is_lost_is_unknown(org: Org, kind: str) -> None:
    org.simulator.set_fault(kind, method="POST", count=1)
    write = Write("w", "Task", None, None, None, {"Subject": "Call"}, mode="create")

    (result,) = org.connector().write("Task", [write])

    assert isinstance(result.error, errors.OutcomeUnknown)


def test_a_task_goes_to_its_person_and_its_deal_in_one_call(org: Org) -> None:
    (person,) = org.seed("Contact", LastName="A")
    (opportunity,) = org.seed(
        "Opportunity", Name="D", StageName="Prospecting", CloseDate="2026-12-31"
    )
    ties = (Association("Contact", person), Association("Opportunity", opportunity))
    write = Write(
        "w", "Task", None, None, None, {"Subject": "Call"}, ties, mode="create"
    )

    (result,) = org.connector().write("Task", [write])

    assert result.error is None
    (task,) = org.held("Task")
    assert (task["WhoId"], task["WhatId"]) == (person, opportunity)
    assert org.paths() == ["composite/sobjects"]


def test_a_contact_of_an_opportunity_gets_a_role_there(org: Org) -> None:
    org.made("Opportunity")
    (person,) = org.seed("Contact", LastName="A")
    fields = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    tie = (Association("Contact", person),)
    write = Write("w", "Opportunity", None, OWN_KEY, "key-1", fields, tie)
    connector = org.connector()

    (result,) = connector.write("Opportunity", [write])
    (again,) = connector.write("Opportunity", [write])

    assert (result.error, again.error) == (None, None)
    assert len(org.held("OpportunityContactRole")) == 1
    ids = [str(result.remote_id)]
    assert connector.associations("Opportunity", "Contact", ids) == {ids[0]: [person]}
    assert connector.associations("Contact", "Opportunity", [person]) == {person: ids}
    assert connector.dissociate("Opportunity", [(ids[0], tie[0])]) == [None]
    assert connector.associations("Opportunity", "Contact", ids) == {ids[0]: []}


def test_a_member_of_a_campaign_is_added_once(org: Org) -> None:
    (campaign,) = org.seed("Campaign", Name="Spring")
    one, other = org.seed("Lead", 2, LastName="A", Company="C")
    tie = Association("Campaign", campaign)
    connector = org.connector()

    connector.associate("Lead", [(one, tie)])
    made = connector.associate("Lead", [(one, tie), (other, tie)])

    assert made == [None, None]
    members = org.held("CampaignMember")
    assert sorted(member["LeadId"] for member in members) == sorted([one, other])


def test_two_objects_that_cannot_be_tied_say_so_and_the_record_is_written(
    org: Org,
) -> None:
    org.made("Lead")
    tie = (Association("Account", "001000000000001AAA"),)

    (result,) = org.connector().write("Lead", [replace(lead(), associations=tie)])

    assert isinstance(result.error, errors.Unsupported)
    assert result.remote_id is not None


def test_no_rule_gives_our_records_to_others(org: Org) -> None:
    org.made("Lead")
    connector = org.connector()
    user_id = connector.check().user_id

    connector.write("Lead", [lead()])

    (held,) = org.held("Lead")
    assert held["OwnerId"] == user_id


# --- bulk -----------------------------------------------------------------------------


def by_own_key(count: int, **more: object) -> list[Write]:
    """Upserts of leads by our key."""
    writes = [lead(n, **more) for n in range(count)]
    return [
        replace(one, key_field=OWN_KEY, key_value=f"key-{n}")
        for n, one in enumerate(writes)
    ]


def test_thousands_go_in_one_job_and_each_row_finds_its_write(org: Org) -> None:
    org.made("Lead")
    writes = by_own_key(2500)
    writes[7] = replace(writes[7], fields={**writes[7].fields, "LastName": "x" * 200})

    results = org.connector().write("Lead", writes)

    bad = results.pop(7)
    assert isinstance(bad.error, errors.RecordRejected)
    assert {type(one.error) for one in results} == {type(None)}
    held = {one[OWN_KEY]: one["Id"] for one in org.held("Lead")}
    assert [one.remote_id for one in results] == [
        held[f"key-{n}"] for n in range(2500) if n != 7
    ]
    assert org.paths("PUT") == ["jobs/ingest/{job}/batches"]
    assert not [path for path in org.paths() if path.startswith("composite")]


def test_wide_rows_go_in_jobs_whose_results_can_be_read(org: Org) -> None:
    org.made("Lead")
    writes = by_own_key(2100, Description="x" * 4000)

    results = org.connector().write("Lead", writes)

    assert {type(one.error) for one in results} == {type(None)}
    assert len({one.remote_id for one in results}) == 2100
    # What is left over is few enough for a collection.
    assert len(org.paths("PUT")) == 2


def test_updates_go_in_bulk_and_clear_what_is_none(org: Org) -> None:
    ids = org.seed("Lead", 2100, LastName="A", Company="C", Title="Old", City="Old")
    writes = [
        Write(one, "Lead", one, None, None, {"Title": None, "Company": "D"})
        for one in ids
    ]

    results = org.connector().write("Lead", writes)

    assert {type(one.error) for one in results} == {type(None)}
    assert [one.remote_id for one in results] == ids
    held = org.held("Lead")
    assert {one.get("Title") for one in held} <= {None, ""}
    assert {(one["Company"], one["City"]) for one in held} == {("D", "Old")}


def test_a_job_that_takes_too_long_is_an_unknown_outcome(org: Org) -> None:
    org.made("Lead")
    org.simulator.configure(bulk_delay_s=60)
    org.patience = Patience(wait_s=0.1, first_poll_s=0.02)
    writes = [
        replace(lead(n), key_field=OWN_KEY, key_value=f"key-{n}") for n in range(2100)
    ]

    results = org.connector().write("Lead", writes)

    assert {type(one.error) for one in results} == {errors.OutcomeUnknown}


def test_a_job_with_an_unknown_column_blames_the_mapping(org: Org) -> None:
    org.made("Lead")
    writes = by_own_key(2100, Nothing__c="x")

    results = org.connector().write("Lead", writes)

    blamed = [one.error for one in results]
    assert all(isinstance(one, errors.Misconfigured) for one in blamed)
    assert {getattr(one, "field", "") for one in blamed} == {"Nothing__c"}


def test_an_upload_that_fails_is_raised_since_nothing_was_begun(org: Org) -> None:
    org.made("Lead")
    org.simulator.set_fault("500", method="PUT", count=1)
    writes = [
        replace(lead(n), key_field=OWN_KEY, key_value=f"key-{n}") for n in range(2100)
    ]

    with pytest.raises(errors.Retryable):
        org.connector().write("Lead", writes)
    assert org.held("Lead") == []
