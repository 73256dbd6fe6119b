"""Single records: made, read, changed, deleted, and refused as the contract says."""

import pytest

from integrations.simulators.testing import SALESFORCE_UI_USER_ID, SALESFORCE_USER_ID
from integrations.simulators.tests.salesforce import contract
from integrations.simulators.tests.salesforce.conftest import NO_RULE

LEAD = {"LastName": "Marsh", "Company": "Fern"}


def test_versions_are_listed_without_a_session(api) -> None:
    del api.session.headers["Authorization"]

    listed = api.get("/services/data").json()

    assert {"label", "url", "version"} == set(listed[0])
    assert "64.0" in [version["version"] for version in listed]


@pytest.mark.parametrize(("version", "status"), [("v30.0", 410), ("v99.0", 404)])
def test_other_versions_are_refused(api, version: str, status: int) -> None:
    assert api.get(f"/services/data/{version}/limits").status_code == status


def test_a_created_record_reads_back(api) -> None:
    made = api.post("/sobjects/Lead", LEAD | {"Email": "Ann@Example.com"})

    identifier = made.json()["id"]
    read = api.get(f"/sobjects/Lead/{identifier}?fields=Name,Email").json()

    assert made.status_code == 201
    assert contract.shape(made.json()) == contract.shape(contract.recorded("create.ok"))
    assert made.headers["Location"].endswith(f"/sobjects/Lead/{identifier}")
    assert made.headers["Sforce-Limit-Info"].startswith("api-usage=")
    assert (read["Name"], read["Email"]) == ("Marsh", "ann@example.com")
    assert read["attributes"]["type"] == "Lead"


def test_ids_are_accepted_with_15_and_18_characters(api) -> None:
    identifier = api.create("Lead", **LEAD)

    short = api.get(f"/sobjects/Lead/{identifier[:15]}?fields=Id").json()
    wrong = api.get(f"/sobjects/Lead/{identifier[:15]}AAA?fields=Id")

    assert short["Id"] == identifier
    assert api.refused(wrong) == (400, "MALFORMED_ID")


def test_an_update_answers_nothing_and_moves_the_stamps(api, sim) -> None:
    identifier = api.create("Lead", **LEAD)
    sim.control("POST", "edit", {
        "object": "Lead", "id": identifier, "values": {"City": "Lyon"},
        "at": "2026-01-02T03:04:05Z",
    })  # fmt: skip
    fields = "?fields=SystemModstamp,LastModifiedById"

    by_hand = api.get(f"/sobjects/Lead/{identifier}{fields}").json()
    answer = api.patch(f"/sobjects/Lead/{identifier}", {"City": "Oslo"})
    by_api = api.get(f"/sobjects/Lead/{identifier}{fields}").json()

    assert (answer.status_code, answer.content) == (204, b"")
    assert by_hand["SystemModstamp"] == "2026-01-02T03:04:05.000+0000"
    assert by_hand["LastModifiedById"] == SALESFORCE_UI_USER_ID
    assert by_api["SystemModstamp"] > by_hand["SystemModstamp"]
    assert by_api["LastModifiedById"] == SALESFORCE_USER_ID


def test_null_clears_and_an_absent_field_stays(api) -> None:
    identifier = api.create("Lead", **LEAD, City="Lyon", Title="Buyer")

    api.update("Lead", identifier, City=None)

    read = api.get(f"/sobjects/Lead/{identifier}?fields=City,Title").json()
    assert (read["City"], read["Title"]) == (None, "Buyer")


@pytest.mark.parametrize(
    ("values", "code", "exchange"),
    [
        ({"FirstName": "Ann"}, "REQUIRED_FIELD_MISSING", "error.required_field"),
        (LEAD | {"Nope": 1}, "INVALID_FIELD", "error.invalid_field_write"),
        (
            LEAD | {"MasterRecordId": None},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "error.field_not_writeable",
        ),
        (LEAD | {"LastName": "x" * 81}, "STRING_TOO_LONG", ""),
        (LEAD | {"Email": "not an address"}, "INVALID_EMAIL_ADDRESS", ""),
        (
            LEAD | {"CleanStatus": "Shiny"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "",
        ),
        (LEAD | {"OwnerId": "x"}, "MALFORMED_ID", "error.malformed_id"),
        (
            LEAD | {"OwnerId": "005Fh0000000zzz"},
            "INVALID_CROSS_REFERENCE_KEY",
            "",
        ),
        (LEAD | {"OwnerId": "005Fh0000000007"}, "INACTIVE_OWNER_OR_USER", ""),
        (LEAD | {"NumberOfEmployees": 10**9}, "NUMBER_OUTSIDE_VALID_RANGE", ""),
        (
            LEAD | {"NumberOfEmployees": "many"},
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            "",
        ),
    ],
)
def test_bad_values_are_refused(api, values, code: str, exchange: str) -> None:
    answer = api.post("/sobjects/Lead", values)

    assert api.refused(answer) == (400, code)
    assert contract.problems("RequestError", answer.json()) == []
    if exchange:
        known = contract.recorded(exchange)[0]
        assert known["errorCode"] == code


def test_unrestricted_picklists_take_any_value(api) -> None:
    identifier = api.create("Lead", **LEAD, LeadSource="Carrier pigeon")

    read = api.get(f"/sobjects/Lead/{identifier}?fields=LeadSource").json()

    assert read["LeadSource"] == "Carrier pigeon"


def test_deleted_records_are_gone_and_say_so(api) -> None:
    identifier = api.create("Lead", **LEAD)

    first = api.delete(f"/sobjects/Lead/{identifier}")
    again = api.delete(f"/sobjects/Lead/{identifier}")
    never = api.get("/sobjects/Lead/00QFh0000000zzz")

    assert first.status_code == 204
    assert again.json() == contract.recorded("error.entity_deleted")
    assert api.refused(again) == (404, "ENTITY_IS_DELETED")
    assert api.refused(never) == (404, "NOT_FOUND")


def test_unknown_objects_are_not_found(api) -> None:
    answer = api.get("/sobjects/Foo/001")

    assert answer.json() == contract.recorded("error.not_found_resource")


def test_a_stale_writer_can_ask_to_be_refused(api) -> None:
    identifier = api.create("Lead", **LEAD)
    old = {"If-Unmodified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}
    new = {"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"}

    write = api.patch(f"/sobjects/Lead/{identifier}", {"City": "x"}, headers=old)
    read = api.get(f"/sobjects/Lead/{identifier}", headers=new)

    odd = api.get(f"/sobjects/Lead/{identifier}", headers={"If-Modified-Since": "x"})

    assert (write.status_code, read.status_code, odd.status_code) == (412, 304, 400)


def test_a_parent_is_found_by_its_key_inside_the_body(api, sim) -> None:
    sim.control("POST", "fields", {
        "full_name": "Account.Ext__c",
        "metadata": {"type": "Text", "label": "Ext", "length": 40,
                     "externalId": True, "unique": True},
    })  # fmt: skip
    account = api.create("Account", Name="Fern", Ext__c="A-1")
    contact = api.create("Contact", LastName="Marsh", Account={"Ext__c": "a-1"})

    read = api.get(f"/sobjects/Contact/{contact}?fields=AccountId,Account.Name").json()
    lost = api.post("/sobjects/Contact", {"LastName": "x", "Account": {"Ext__c": "no"}})

    assert read["AccountId"] == account
    assert read["Account"]["Name"] == "Fern"
    assert api.refused(lost) == (400, "INVALID_FIELD")


def test_what_is_worked_out_cannot_be_written_and_reads_right(api) -> None:
    deal = api.create(
        "Opportunity",
        Name="Big",
        StageName="Closed Won",
        CloseDate="2026-05-01",
        Amount=200,
    )

    read = api.get(f"/sobjects/Opportunity/{deal}").json()
    write = api.patch(f"/sobjects/Opportunity/{deal}", {"IsWon": False})

    assert (read["IsClosed"], read["IsWon"], read["Probability"]) == (True, True, 100.0)
    assert (read["ExpectedRevenue"], read["FiscalQuarter"]) == (200.0, 2)
    assert api.refused(write) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_the_assignment_rule_takes_new_leads_unless_told_not_to(api) -> None:
    answer = api.post("/sobjects/Lead", LEAD)
    stolen = answer.json()["id"]
    kept = api.create("Lead", **LEAD)

    owners = {
        identifier: api.get(f"/sobjects/Lead/{identifier}?fields=OwnerId").json()
        for identifier in (stolen, kept)
    }

    assert owners[stolen]["OwnerId"] == "005Fh0000000006IAA"
    assert owners[kept]["OwnerId"] == SALESFORCE_USER_ID


def test_members_of_a_campaign_are_there_once(api) -> None:
    campaign = api.create("Campaign", Name="Autumn", IsActive=True)
    lead = api.create("Lead", **LEAD)
    member = {"CampaignId": campaign, "LeadId": lead}
    first = api.create("CampaignMember", **member)

    again = api.post("/sobjects/CampaignMember", member)
    strange = api.patch(f"/sobjects/CampaignMember/{first}", {"Status": "Bored"})
    read = api.get(f"/sobjects/CampaignMember/{first}").json()
    counts = api.get(f"/sobjects/Campaign/{campaign}").json()

    assert api.refused(again) == (400, "DUPLICATE_VALUE")
    assert api.refused(strange) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
    assert (read["Status"], read["LastName"], read["Type"]) == ("Sent", "Marsh", "Lead")
    assert (counts["NumberOfLeads"], counts["NumberOfResponses"]) == (1, 0)


def test_a_deleted_account_takes_its_contacts_along(api, sim) -> None:
    account = api.create("Account", Name="Fern")
    contact = api.create("Contact", LastName="Marsh", AccountId=account)

    api.delete(f"/sobjects/Account/{account}")
    gone = api.get(f"/sobjects/Contact/{contact}").status_code
    sim.control("POST", "undelete", {"object": "Account", "id": account})
    back = api.get(f"/sobjects/Contact/{contact}").status_code

    assert (gone, back) == (404, 200)


def test_methods_that_do_not_exist_are_405(api) -> None:
    assert api.call("PUT", "/sobjects/Lead", {}).status_code == 405


def test_history_tells_who_wrote_what(api, sim) -> None:
    headers = NO_RULE | {"Sforce-Call-Options": "client=crmsync"}
    made = api.post("/sobjects/Lead", LEAD | {"City": "Lyon"}, headers=headers)
    identifier = made.json()["id"]
    sim.control("POST", "edit", {
        "object": "Lead", "id": identifier, "values": {"City": "Oslo"},
        "user": "bruno.keller@example.com",
    })  # fmt: skip

    city = sim.history("Lead", identifier)["fields"]["City"]

    assert [(v["value"], v["sourceType"], v["sourceId"]) for v in city] == [
        ("Lyon", "API", "crmsync"),
        ("Oslo", "UI", "005Fh0000000003IAA"),
    ]
