"""What people and administrators do in the browser, and what the API then says."""

from typing import Any

import pytest

from integrations.simulators.testing import SALESFORCE_TOKEN, SALESFORCE_USER_ID
from integrations.simulators.tests.salesforce import contract
from integrations.simulators.tests.salesforce.conftest import NO_RULE
from integrations.simulators.tests.salesforce.test_setup import names_and_texts, soap

LEAD = {
    "FirstName": "Ann",
    "LastName": "Marsh",
    "Company": "Fern",
    "Email": "ann@example.com",
    "City": "Lyon",
}


def convert_by_soap(api, lead: str, **more: Any) -> dict[str, str]:
    wanted = {
        "convertedStatus": "Closed - Converted",
        "doNotCreateOpportunity": "true",
        "leadId": lead,
        **more,
    }
    inside = "".join(
        f"<urn:{name}>{value}</urn:{name}>" for name, value in wanted.items()
    )
    body = (
        '<urn:convertLead xmlns:urn="urn:partner.soap.sforce.com">'
        f"<urn:leadConverts>{inside}</urn:leadConverts></urn:convertLead>"
    )
    return dict(names_and_texts(soap(api, "u", body)))


def test_a_person_converts_a_lead(api, sim) -> None:
    lead = api.create("Lead", **LEAD)
    task = api.create("Task", Subject="Call", WhoId=lead)
    campaign = api.create("Campaign", Name="Autumn")
    member = api.create("CampaignMember", CampaignId=campaign, LeadId=lead)

    done = sim.control("POST", "convert", {"id": lead, "opportunity_name": "Big"})
    read = api.get(f"/sobjects/Lead/{lead}").json()
    contact = api.get(f"/sobjects/Contact/{done['contact_id']}").json()

    assert read["IsConverted"] is True
    assert read["Status"] == "Closed - Converted"
    assert read["ConvertedAccountId"] == done["account_id"] == contact["AccountId"]
    assert read["ConvertedContactId"] == done["contact_id"]
    assert read["ConvertedOpportunityId"] == done["opportunity_id"]
    assert (contact["Name"], contact["MailingCity"]) == ("Ann Marsh", "Lyon")
    assert api.get(f"/sobjects/Task/{task}").json()["WhoId"] == done["contact_id"]
    moved = api.get(f"/sobjects/CampaignMember/{member}").json()
    assert moved["ContactId"] == done["contact_id"]


def test_soap_converts_a_lead_into_an_existing_contact(api) -> None:
    lead = api.create("Lead", **LEAD)
    account = api.create("Account", Name="Fern")
    contact = api.create("Contact", LastName="Marsh", Title="Buyer", AccountId=account)

    done = convert_by_soap(api, lead, accountId=account, contactId=contact)
    read = api.get(f"/sobjects/Contact/{contact}").json()

    assert done["success"] == "true"
    assert (done["accountId"], done["contactId"]) == (account, contact)
    assert done["opportunityId"] == ""
    assert (read["Title"], read["Email"]) == ("Buyer", "ann@example.com")
    contract.need_contract()
    response = (contract.CONTRACT / "soap" / "convert-lead.response.xml").read_text()
    assert set(dict(names_and_texts(response))) == set(done)


def test_a_converted_lead_cannot_be_changed_or_converted_again(api, sim) -> None:
    lead = api.create("Lead", **LEAD)
    sim.control("POST", "convert", {"id": lead})

    write = api.patch(f"/sobjects/Lead/{lead}", {"City": "Oslo"}, headers=NO_RULE)
    again = convert_by_soap(api, lead)

    assert api.refused(write) == (400, "CANNOT_UPDATE_CONVERTED_LEAD")
    assert (again["success"], again["statusCode"]) == (
        "false",
        "CANNOT_UPDATE_CONVERTED_LEAD",
    )


def test_a_wrong_status_converts_nothing(api) -> None:
    lead = api.create("Lead", **LEAD)

    done = convert_by_soap(api, lead, convertedStatus="Working - Contacted")

    assert done["statusCode"] == "INVALID_STATUS"
    assert api.query("SELECT COUNT() FROM Contact")["totalSize"] == 0


def test_there_is_no_rest_conversion(api) -> None:
    assert api.post("/actions/standard/convertLead", {"inputs": []}).status_code == 404


def test_a_merge_leaves_a_trace_and_moves_the_children(api, sim) -> None:
    winner, loser = (api.create("Contact", LastName=name) for name in ("Win", "Lose"))
    task = api.create("Task", Subject="Call", WhoId=loser)

    sim.control("POST", "merge", {
        "object": "Contact", "master": winner, "losers": [loser],
        "values": {"Title": "Buyer"},
    })  # fmt: skip
    text = f"SELECT Id, IsDeleted, MasterRecordId FROM Contact WHERE Id = '{loser}'"
    trace = api.get("/queryAll", params={"q": text}).json()["records"][0]

    assert (trace["IsDeleted"], trace["MasterRecordId"]) == (True, winner)
    assert api.query(text)["totalSize"] == 0
    assert api.get(f"/sobjects/Contact/{winner}").json()["Title"] == "Buyer"
    assert api.get(f"/sobjects/Task/{task}").json()["WhoId"] == winner
    assert api.get(f"/sobjects/Contact/{loser}").status_code == 404


def test_undelete_brings_a_record_back_with_a_new_stamp(api, sim) -> None:
    lead = api.create("Lead", **LEAD)
    api.delete(f"/sobjects/Lead/{lead}")
    sim.configure(clock_skew_s=300)

    sim.control("POST", "undelete", {"object": "Lead", "id": lead})

    read = api.get(f"/sobjects/Lead/{lead}").json()
    assert read["IsDeleted"] is False
    assert read["SystemModstamp"] > read["CreatedDate"]
    assert api.values("SELECT Id FROM Lead WHERE Email = 'ann@example.com'") == [lead]


def test_a_silent_change_moves_no_stamp(api, sim) -> None:
    lead = api.create("Lead", **LEAD)
    before = api.get(f"/sobjects/Lead/{lead}").json()
    sim.configure(clock_skew_s=300)

    sim.control("POST", "silent", {
        "object": "Lead", "id": lead, "values": {"City": "Oslo"},
    })  # fmt: skip

    after = api.get(f"/sobjects/Lead/{lead}").json()
    address = before["Address"] | {"city": "Oslo"}
    assert after == before | {"City": "Oslo", "Address": address}
    assert sim.history("Lead", lead)["fields"]["City"][-1]["sourceType"] == "SILENT"


def test_seeded_records_may_share_a_stamp_and_refer_to_one_another(api, sim) -> None:
    made = sim.seed([
        {"object": "Account", "properties": {"Name": "Fern"}, "key": "fern",
         "SystemModstamp": "2026-01-01T00:00:00Z"},
        {"object": "Contact", "properties": {"LastName": "P{n}", "AccountId": "@fern"},
         "count": 3, "SystemModstamp": "2026-01-01T00:00:00Z"},
    ])  # fmt: skip

    text = "SELECT Id FROM Contact WHERE SystemModstamp = 2026-01-01T00:00:00Z"
    assert sorted(api.values(text)) == made["Contact"]
    assert {r["properties"]["AccountId"] for r in sim.dump("Contact")} == set(
        made["Account"]
    )


# -- rules


def test_a_validation_rule_speaks_with_the_admins_words(api, sim) -> None:
    sim.control("POST", "validation-rules", {
        "object": "Lead", "field": "Phone", "regex": r"^\+", "message": "Start with +.",
    })  # fmt: skip

    good = api.post("/sobjects/Lead", LEAD | {"Phone": "+33 1"})
    bad = api.post("/sobjects/Lead", LEAD | {"Phone": "01"})
    later = api.patch(f"/sobjects/Lead/{good.json()['id']}", {"Phone": "02"})

    assert good.status_code == 201
    assert bad.json() == later.json()
    assert bad.json() == [
        {
            "message": "Start with +.",
            "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "fields": ["Phone"],
        }
    ]


@pytest.mark.parametrize(
    ("rule", "value"),
    [({"lacks": True}, None), ({"lacks": "x"}, "abc"), ({"contains": "b"}, "abc")],
)
def test_rules_about_what_is_lacking(api, sim, rule, value) -> None:
    more = {"object": "Lead", "field": "Title", "message": "No.", "top": True}
    sim.control("POST", "validation-rules", more | rule)

    answer = api.post("/sobjects/Lead", LEAD | {"Title": value})

    assert api.refused(answer) == (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert answer.json()[0]["fields"] == []


def test_an_alert_rule_can_be_passed_and_a_block_rule_cannot(api, sim) -> None:
    rule = {"object": "Contact", "fields": ["Email"], "name": "Contacts_DR"}
    first = api.create("Contact", LastName="Marsh", Email="a@example.com")
    again = {"LastName": "Keller", "Email": "A@example.com"}
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}

    sim.control("POST", "duplicate-rules", rule | {"action": "alert"})
    alert = api.post("/sobjects/Contact", again)
    passed = api.post("/sobjects/Contact", again, headers=allow)
    sim.control("POST", "duplicate-rules", rule | {"action": "block"})
    block = api.post("/sobjects/Contact", again, headers=allow)

    found = alert.json()[0]["duplicateResut"]
    known = contract.recorded("error.duplicates_detected")[0]
    assert contract.shape(alert.json()[0]) == contract.shape(known)
    assert found["matchResults"][0]["matchRecords"][0]["record"]["Id"] == first
    assert (found["allowSave"], passed.status_code) == (True, 201)
    assert block.json()[0]["duplicateResut"]["allowSave"] is False


def test_a_locked_row_can_be_retried(api, sim) -> None:
    lead = api.create("Lead", **LEAD)
    sim.control("POST", "locks", {"ids": [lead], "times": 1})

    first = api.patch(f"/sobjects/Lead/{lead}", {"City": "Oslo"})
    second = api.patch(f"/sobjects/Lead/{lead}", {"City": "Oslo"})

    known = contract.recorded("error.lock")[0]
    assert contract.shape(first.json()[0]) == contract.shape(known)
    assert api.refused(first) == (400, "UNABLE_TO_LOCK_ROW")
    assert second.status_code == 204


def test_the_browser_is_not_held_back_by_permissions(api, sim) -> None:
    sim.configure(hidden_fields="Lead.Rating")
    lead = api.create("Lead", **LEAD)

    sim.control("POST", "edit", {
        "object": "Lead", "id": lead, "values": {"Rating": "Hot"},
    })  # fmt: skip

    assert sim.dump("Lead")[0]["properties"]["Rating"] == "Hot"
    assert "Rating" not in api.get(f"/sobjects/Lead/{lead}").json()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("edit", {"object": "Lead", "id": "x"}),
        ("edit", {"object": "Nope", "id": "x"}),
        ("convert", {"id": "x"}),
        ("merge", {"object": "Lead", "master": "x"}),
        ("config", {"nope": 1}),
        ("seed", {"records": [{"object": "Lead", "properties": {}}]}),
        ("validation-rules", {"object": "Lead", "field": "Nope"}),
        ("events", {"objects": ["Lead"]}),
        ("nowhere", {}),
    ],
)
def test_senseless_controls_are_refused(api, path: str, body) -> None:
    answer = api.session.post(f"{api.base_url}/__sim/{path}", json=body, timeout=10)

    assert 400 <= answer.status_code < 500


def test_the_panel_and_its_data_are_there(api, sim) -> None:
    page = api.session.get(f"{api.base_url}/", timeout=10)
    users = next(iter(sim.control("GET", "orgs").values()))["users"]

    assert "Salesforce simulator" in page.text
    assert users["integration.user@fernhill.example.com"] == SALESFORCE_USER_ID
    assert SALESFORCE_TOKEN in sim.control("GET", "tokens")["fixed"]


# --- contacts of opportunities --------------------------------------------------------

DEAL = {"Name": "Robots", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


def roles_of(api, deal: str) -> dict[str, bool]:
    found = api.query(
        "SELECT ContactId, IsPrimary FROM OpportunityContactRole "
        f"WHERE OpportunityId = '{deal}'"
    )
    return {one["ContactId"]: one["IsPrimary"] for one in found["records"]}


def contact_of(api, deal: str) -> Any:
    return api.get(f"/sobjects/Opportunity/{deal}").json()["ContactId"]


def test_a_contact_given_with_a_new_opportunity_is_its_primary_one(api) -> None:
    ann = api.create("Contact", LastName="Marsh")

    deal = api.create("Opportunity", **DEAL, ContactId=ann)

    assert roles_of(api, deal) == {ann: True}
    assert contact_of(api, deal) == ann


def test_an_opportunity_has_one_primary_contact_and_names_it(api) -> None:
    ann, ben = (api.create("Contact", LastName=name) for name in ("Marsh", "Moor"))
    deal = api.create("Opportunity", **DEAL, ContactId=ann)
    before = api.get(f"/sobjects/Opportunity/{deal}").json()["SystemModstamp"]

    role = {"OpportunityId": deal, "ContactId": ben, "IsPrimary": True}
    made = api.create("OpportunityContactRole", **role)

    assert roles_of(api, deal) == {ann: False, ben: True}
    assert contact_of(api, deal) == ben
    assert api.get(f"/sobjects/Opportunity/{deal}").json()["SystemModstamp"] == before
    api.delete(f"/sobjects/OpportunityContactRole/{made}")
    assert roles_of(api, deal) == {ann: False}
    assert contact_of(api, deal) is None


def test_a_contact_of_an_opportunity_is_changed_by_its_roles_alone(api) -> None:
    ann = api.create("Contact", LastName="Marsh")
    deal = api.create("Opportunity", **DEAL)

    refused = api.patch(f"/sobjects/Opportunity/{deal}", {"ContactId": ann})

    assert api.refused(refused) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_a_conversion_makes_one_role_of_the_contact(api, sim) -> None:
    lead = api.create("Lead", **LEAD)

    done = sim.control("POST", "convert", {"id": lead, "opportunity_name": "Big"})

    assert roles_of(api, done["opportunity_id"]) == {done["contact_id"]: True}
