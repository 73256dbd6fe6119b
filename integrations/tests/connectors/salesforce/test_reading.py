"""What is read: merged, converted, deleted, wide and forbidden records."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations import errors
from integrations.records import Conversion, Filter, RemoteField
from integrations.tests.connectors.salesforce.conftest import Org

HOUR = timedelta(hours=1)


def test_the_id_of_a_merged_person_gives_the_survivor(org: Org) -> None:
    first, second, third = org.seed("Contact", 3, LastName="A")
    org.simulator.control(
        "POST", "merge", {"object": "Contact", "master": second, "losers": [third]}
    )
    org.simulator.control(
        "POST", "merge", {"object": "Contact", "master": first, "losers": [second]}
    )

    found = org.connector().fetch("Contact", [third, second], fields=["LastName"])

    assert [one.remote_id for one in found] == [first]
    assert set(found[0].other_ids) == {second, third}


def test_a_converted_lead_says_what_it_became(org: Org) -> None:
    (lead,) = org.seed("Lead", LastName="A", Company="C", Email="a@example.com")
    made = org.simulator.control("POST", "convert", {"id": lead})

    (found,) = org.connector().fetch("Lead", [lead], fields=["Email"])

    assert found.became == {
        "Contact": made["contact_id"],
        "Account": made["account_id"],
        "Opportunity": made["opportunity_id"],
    }


def test_a_conversion_of_ours_says_what_was_made(org: Org) -> None:
    one, other = org.seed("Lead", 2, LastName="A", Company="C")
    (account,) = org.seed("Account", Name="There")
    connector = org.connector()

    first, second = connector.convert(
        [
            Conversion(one, deal_name="Big <deal> & more", with_deal=True),
            Conversion(other, company_id=account),
        ]
    )

    assert (first.error, second.error) == (None, None)
    assert set(first.fields) == {"Contact", "Account", "Opportunity"}
    assert second.fields["Account"] == account
    assert "Opportunity" not in second.fields
    (deal,) = org.held("Opportunity")
    assert deal["Name"] == "Big <deal> & more"
    (read,) = connector.fetch("Lead", [one], fields=[])
    assert dict(read.became) == dict(first.fields)


def test_a_conversion_of_ours_gives_nothing_to_somebody_else(org: Org) -> None:
    (lead,) = org.seed("Lead", LastName="A", Company="C")
    (owner,) = {one["OwnerId"] for one in org.held("Lead")}

    org.connector().convert([Conversion(lead, with_deal=True)])

    objects = ("Lead", "Contact", "Account", "Opportunity")
    assert {one["OwnerId"] for name in objects for one in org.held(name)} == {owner}


def test_a_conversion_of_ours_sends_no_mail_and_says_that_it_is_ours(org: Org) -> None:
    (lead,) = org.seed("Lead", LastName="A", Company="C")

    org.connector().convert([Conversion(lead)])

    (sent,) = org.simulator.control("GET", "conversions")["conversions"]
    assert sent == {"lead_id": lead, "mails": [], "client": "crmsync"}


def test_a_lead_is_not_converted_twice(org: Org) -> None:
    (lead,) = org.seed("Lead", LastName="A", Company="C")
    connector = org.connector()
    connector.convert([Conversion(lead)])

    (again,) = connector.convert([Conversion(lead)])

    assert again.error is not None
    assert again.remote_id is None
    assert len(org.held("Contact")) == 1


def test_a_conversion_whose_answer_is_lost_is_unknown(org: Org) -> None:
    (lead,) = org.seed("Lead", LastName="A", Company="C")
    org.simulator.set_fault("drop_after_apply", method="POST", count=1)

    (result,) = org.connector().convert([Conversion(lead)])

    assert isinstance(result.error, errors.OutcomeUnknown)


def test_nothing_to_convert_is_no_call(org: Org) -> None:
    assert org.connector().convert([]) == []
    assert org.calls == []


def test_a_deletion_and_a_merge_are_told_apart(org: Org) -> None:
    kept, dropped, merged = org.seed("Contact", 3, LastName="A")
    connector = org.connector()
    connector.delete("Contact", [dropped])
    org.simulator.control(
        "POST", "merge", {"object": "Contact", "master": kept, "losers": [merged]}
    )
    now = datetime.now(UTC)

    page = connector.gone_since("Contact", now - HOUR, now + HOUR, None)

    told = {one.remote_id: one.merged_into for one in page.records}
    assert told == {dropped: None, merged: kept}


def test_more_fields_than_an_address_holds_are_read_all_the_same(org: Org) -> None:
    connector = org.connector()
    wanted = [
        RemoteField(f"A_rather_long_name_of_a_field_{n:03}", f"F{n}", "text")
        for n in range(230)
    ]
    made = connector.ensure_fields("Contact", wanted)
    names = [field.name for field in made]
    ends: dict[str, Any] = {names[0]: "first", names[-1]: "last"}
    (one,) = org.seed("Contact", LastName="A", **ends)
    org.calls.clear()

    (found,) = connector.fetch("Contact", [one], fields=names)

    assert (found.fields[names[0]], found.fields[names[-1]]) == ("first", "last")
    assert set(names) <= set(found.fields)
    assert org.paths() == ["query", "composite/sobjects/Contact"]


def test_many_mails_are_looked_up_in_addresses_that_are_taken(org: Org) -> None:
    mails = [f"a-rather-long-address-{n:04}@company.example.com" for n in range(900)]
    (one,) = org.seed("Contact", LastName="B", Email=mails[-1])

    found = org.connector().fetch("Contact", mails, fields=[], key_field="Email")

    assert [record.remote_id for record in found] == [one]
    assert len(org.calls) > 1


def test_a_quote_in_a_value_is_a_quote(org: Org) -> None:
    (one,) = org.seed("Account", Name='O\'Neil \\ Söhne "GmbH"')
    name = Filter("Name", "eq", 'O\'Neil \\ Söhne "GmbH"')

    page = org.connector().search("Account", [name], ["Name"], 10)

    assert [record.remote_id for record in page.records] == [one]


def test_a_search_by_number_and_by_time_is_understood(org: Org) -> None:
    (small,) = org.seed("Account", Name="S", NumberOfEmployees=5)
    org.seed("Account", Name="L", NumberOfEmployees=500)
    filters = [
        Filter("NumberOfEmployees", "lt", "100"),
        Filter("CreatedDate", "gt", "2020-01-01T00:00:00Z"),
    ]

    page = org.connector().search("Account", filters, ["Name"], 10)

    assert [record.remote_id for record in page.records] == [small]


def test_a_search_goes_on_where_it_stopped(org: Org) -> None:
    ids = org.seed("Account", 25, Name="A")
    connector = org.connector()
    name = [Filter("Name", "eq", "A")]

    first = connector.search("Account", name, [], 10)
    second = connector.search("Account", name, [], 10, cursor=first.cursor)
    third = connector.search("Account", name, [], 10, cursor=second.cursor)

    walked = [one.remote_id for p in (first, second, third) for one in p.records]
    assert sorted(walked) == sorted(ids)
    assert third.cursor is None


def test_an_object_that_is_not_there_is_the_mappings_fault(org: Org) -> None:
    connector = org.connector()
    now = datetime.now(UTC)

    with pytest.raises(errors.Misconfigured):
        connector.describe("Nothing__c")
    with pytest.raises(errors.Misconfigured):
        connector.changed_since("Nothing__c", now - HOUR, now, None, [])
    with pytest.raises(errors.Misconfigured):
        connector.count("Lead; DROP")
    with pytest.raises(errors.Misconfigured):
        connector.describe("../limits")


def test_a_field_that_is_hidden_from_us_is_the_mappings_fault(org: Org) -> None:
    with pytest.raises(errors.Misconfigured) as caught:
        org.connector().scan("Lead", None, ["Nothing__c"])

    assert caught.value.field == "Nothing__c"


def test_the_inactive_are_owners_too_and_queues_are_none(org: Org) -> None:
    owners = org.connector().owners()

    assert {one.active for one in owners} == {True, False}
    assert all(one.id.startswith("005") for one in owners)


def test_types_options_and_rules_of_fields_are_described(org: Org) -> None:
    fields = {one.name: one for one in org.connector().describe("Opportunity")}

    assert fields["OwnerId"].type == "owner"
    assert fields["Amount"].type == "number"
    assert fields["CloseDate"].type == "date"
    assert fields["CloseDate"].required
    assert fields["StageName"].type == "enum"
    assert "Closed Won" in {one.value for one in fields["StageName"].options}
    assert fields["ForecastCategoryName"].restricted
    assert fields["IsClosed"].read_only
    assert fields["ContactId"].read_only if "ContactId" in fields else True
    assert fields["Name"].max_length == 120


def test_a_key_of_ours_on_tasks_serves_events_too(org: Org) -> None:
    org.made("Task")
    org.made("Event")

    assert org.connector().count("Event") == 0


def test_an_expired_session_is_renewed_once(org: Org) -> None:
    asked: list[str | None] = []

    def token(refused: str | None = None) -> str:
        asked.append(refused)
        return "00DFh0000000001!demo-session" if refused else "00DFh!old"

    account = org.connector(token).check()

    assert account.id.startswith("00D")
    assert asked.count("00DFh!old") >= 1


def test_our_clock_is_measured_against_theirs(org: Org) -> None:
    connector = org.connector()

    connector.count("Lead")

    offset_s = connector._calls.http.clock_offset_s
    assert offset_s is not None
    assert abs(offset_s) < 2
