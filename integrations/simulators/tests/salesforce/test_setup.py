"""Describe, custom fields, permissions, and the SOAP that makes them."""

from typing import Any
from xml.etree import ElementTree

import pytest

from integrations.simulators.salesforce.catalogue import (
    standard_fields,
    standard_objects,
)
from integrations.simulators.testing import SALESFORCE_TOKEN, SALESFORCE_USER_ID
from integrations.simulators.tests.salesforce import contract

FIELD = {
    "FullName": "Lead.Ext_Id__c",
    "Metadata": {
        "type": "Text",
        "label": "Ext Id",
        "length": 64,
        "externalId": True,
        "unique": True,
    },
}
# Told apart only by what no synchronisation reads.
UNREAD = {"aggregatable", "byteLength", "extraTypeInfo", "searchPrefilterable"}
RECORDED = ("Lead", "Contact", "Account", "Opportunity", "Event")


def fields_of(api, kind: str = "Lead") -> dict[str, Any]:
    found = api.get(f"/sobjects/{kind}/describe").json()["fields"]
    return {field["name"]: field for field in found}


@pytest.mark.parametrize("name", RECORDED)
def test_the_catalogue_is_as_recorded(name: str) -> None:
    recorded = {f["name"]: f for f in contract.describe(name)["fields"]}
    kind = next(kind for kind in standard_objects() if kind.name == name)
    skipped = {"namePointing", "polymorphicForeignKey", "referenceTo"}

    wrong = [
        (made.name, key, shown[key], recorded[made.name][key])
        for made in standard_fields(kind)
        for shown in [made.describe()]
        for key in shown.keys() - UNREAD - (skipped if name == "Event" else set())
        if shown[key] != recorded[made.name][key] and made.name != "Id"
    ]

    assert wrong == []


def test_describe_has_the_recorded_keys(api) -> None:
    recorded = contract.describe("Lead")

    described = api.get("/sobjects/Lead/describe").json()

    assert set(described) >= set(recorded) - {
        "defaultImplementation",
        "extendedBy",
        "extendsInterfaces",
        "implementedBy",
        "implementsInterfaces",
    }
    assert set(described["fields"][0]) == set(recorded["fields"][0])


def test_all_objects_are_listed(api) -> None:
    recorded = contract.describe("_global")

    listed = api.get("/sobjects").json()

    known = {s["name"]: s["keyPrefix"] for s in recorded["sobjects"] if s["keyPrefix"]}
    shown = {s["name"]: s["keyPrefix"] for s in listed["sobjects"]}
    assert {n: p for n, p in known.items() if n != "Case"}.items() <= shown.items()
    assert set(listed["sobjects"][0]) <= set(recorded["sobjects"][0])


def test_a_describe_can_be_asked_for_only_if_changed(api, sim) -> None:
    first = api.get("/sobjects/Lead/describe")
    since = {"If-Modified-Since": first.headers["Last-Modified"]}

    same = api.get("/sobjects/Lead/describe", headers=since)
    sim.control("DELETE", "fields/Lead/Rating")
    changed = api.get("/sobjects/Lead/describe", headers=since)

    assert (same.status_code, changed.status_code) == (304, 200)
    assert "Rating" not in fields_of(api)


def test_hidden_fields_are_not_there_at_all(api, sim) -> None:
    sim.configure(hidden_fields="Lead.Rating", readonly_fields="Lead.Title")
    lead = {"LastName": "Marsh", "Company": "Fern"}

    shown = fields_of(api)
    write = api.post("/sobjects/Lead", lead | {"Rating": "Hot"})
    read = api.get("/query", params={"q": "SELECT Rating FROM Lead"})
    fixed = api.post("/sobjects/Lead", lead | {"Title": "Buyer"})

    assert "Rating" not in shown
    assert (shown["Title"]["createable"], shown["Title"]["updateable"]) == (
        False,
        False,
    )
    assert api.refused(write) == api.refused(read) == (400, "INVALID_FIELD")
    assert api.refused(fixed) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_a_field_made_by_api_needs_a_permission_set(api) -> None:
    made = api.post("/tooling/sobjects/CustomField", FIELD)
    before = "Ext_Id__c" in fields_of(api)

    grant(api, "Lead.Ext_Id__c")
    after = fields_of(api)["Ext_Id__c"]

    assert (made.status_code, before) == (201, False)
    assert (after["externalId"], after["unique"], after["length"]) == (True, True, 64)
    assert api.patch("/sobjects/Lead/Ext_Id__c/1", {"LastName": "a", "Company": "b"}).ok


def grant(api, *fields: str) -> None:
    listed = "".join(
        f"<fieldPermissions><field>{field}</field><readable>true</readable>"
        "<editable>true</editable></fieldPermissions>"
        for field in fields
    )
    soap(
        api,
        "m",
        '<upsertMetadata xmlns="http://soap.sforce.com/2006/04/metadata">'
        f'<metadata xsi:type="PermissionSet"><fullName>Sync</fullName>'
        f"<label>Sync</label>{listed}</metadata></upsertMetadata>",
    )
    found = api.values("SELECT Id FROM PermissionSet WHERE Name = 'Sync'")
    assignment = {"AssigneeId": SALESFORCE_USER_ID, "PermissionSetId": found[0]}
    api.create("PermissionSetAssignment", **assignment)


def soap(api, door: str, body: str, session: str = SALESFORCE_TOKEN) -> str:
    envelope = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Header>'
        "<SessionHeader><sessionId>"
        f"{session}</sessionId></SessionHeader></soapenv:Header>"
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    answer = api.session.post(
        f"{api.base_url}/services/Soap/{door}/64.0",
        data=envelope.encode(),
        headers={"Content-Type": "text/xml", "SOAPAction": '""'},
        timeout=10,
    )
    return str(answer.text)


def post_file(api, name: str) -> str:
    contract.need_contract()
    text = (contract.CONTRACT / "soap" / name).read_text()
    text = text.replace("TEST_ACCESS_TOKEN", SALESFORCE_TOKEN)
    answer = api.session.post(
        f"{api.base_url}/services/Soap/m/64.0", data=text.encode(), timeout=10
    )
    return str(answer.text)


def names_and_texts(xml: str) -> list[tuple[str, str]]:
    return [
        (e.tag.rpartition("}")[2], (e.text or "").strip())
        for e in ElementTree.fromstring(xml).iter()
    ]


def test_an_assignment_is_made_once(api) -> None:
    api.post("/tooling/sobjects/CustomField", FIELD)
    grant(api, "Lead.Ext_Id__c")
    found = api.values("SELECT Id FROM PermissionSet WHERE Name = 'Sync'")

    answer = api.post(
        "/sobjects/PermissionSetAssignment",
        {"AssigneeId": SALESFORCE_USER_ID, "PermissionSetId": found[0]},
    )

    known = contract.recorded("error.duplicate_permission_assignment")[0]
    assert answer.json()[0]["message"] == (
        f"Duplicate PermissionSetAssignment.  Assignee: {SALESFORCE_USER_ID[:15]}; "
        f"Permission Set: {found[0][:15]}"
    )
    assert contract.shape(answer.json()[0]) == contract.shape(known)


def test_the_recorded_metadata_requests_work(api) -> None:
    soap(
        api,
        "m",
        '<upsertMetadata><metadata xsi:type="CustomObject">'
        "<fullName>TestObject15__c</fullName><label>Test</label>"
        "<pluralLabel>Tests</pluralLabel></metadata></upsertMetadata>",
    )

    made = names_and_texts(post_file(api, "upsert-custom-fields.request.xml"))
    again = names_and_texts(post_file(api, "upsert-custom-fields.request.xml"))
    grants = names_and_texts(post_file(api, "upsert-permission-set.request.xml"))
    gone = names_and_texts(post_file(api, "delete-field.request.xml"))
    missing = names_and_texts(post_file(api, "delete-field.request.xml"))

    assert made.count(("success", "true")) == 6
    assert made.count(("created", "true")) == 6
    assert again.count(("created", "false")) == 6
    assert ("success", "true") in grants
    assert ("success", "true") in gone
    wrong = (contract.CONTRACT / "soap" / "delete-field.error.xml").read_text()
    assert dict(missing)["message"] == dict(names_and_texts(wrong))["message"]
    assert dict(missing)["statusCode"] == dict(names_and_texts(wrong))["statusCode"]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (
            {"type": "Checkbox", "label": "x", "required": True},
            "Can not specify 'required' for a CustomField of type Checkbox",
        ),
        (
            {"type": "LongTextArea", "label": "x", "length": 30},
            "Invalid length, minimum is: 256",
        ),
        (
            {"type": "Text", "label": "x", "length": 256},
            "Invalid length, maximum is: 255",
        ),
    ],
)
def test_bad_definitions_are_refused(api, metadata, message: str) -> None:
    body = {"FullName": "Lead.X__c", "Metadata": metadata}

    answer = api.post("/tooling/sobjects/CustomField", body)

    assert api.refused(answer) == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert answer.json()[0]["message"] == message


def test_activities_share_their_custom_fields(api, sim) -> None:
    sim.configure(api_fields_hidden=False)
    body = FIELD | {"FullName": "Activity.Ext_Id__c"}

    made = api.post("/tooling/sobjects/CustomField", body)
    alone = api.post("/tooling/sobjects/CustomField", FIELD | {"FullName": "Task.X__c"})

    assert made.status_code == 201
    assert alone.status_code == 400
    assert "Ext_Id__c" in fields_of(api, "Task")
    assert "Ext_Id__c" in fields_of(api, "Event")


def test_a_bad_session_is_a_fault(api) -> None:
    answer = soap(api, "m", "<upsertMetadata/>", session="nope")

    assert ("faultcode", "sf:INVALID_SESSION_ID") in names_and_texts(answer)


def test_a_picklist_value_can_go_while_in_use(api, sim) -> None:
    sim.control("POST", "picklists", {
        "object": "Opportunity", "field": "StageName", "remove": ["Prospecting"],
        "add": ["Discovery"], "restricted": True,
    })  # fmt: skip
    deal = {"Name": "Big", "CloseDate": "2026-05-01"}

    gone = api.post("/sobjects/Opportunity", deal | {"StageName": "Prospecting"})
    new = api.post("/sobjects/Opportunity", deal | {"StageName": "Discovery"})
    stages = api.values("SELECT ApiName FROM OpportunityStage ORDER BY SortOrder")

    assert api.refused(gone) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
    assert new.status_code == 201
    assert "Prospecting" not in stages
    assert stages[-1] == "Discovery"


def test_a_calculated_field_moves_no_stamp(api, sim) -> None:
    sim.control("POST", "fields", {
        "full_name": "Contact.Industry__c",
        "metadata": {"type": "Text", "label": "Industry", "length": 40,
                     "formula": "Account.Industry"},
    })  # fmt: skip
    account = api.create("Account", Name="Fern", Industry="Energy")
    contact = api.create("Contact", LastName="Marsh", AccountId=account)
    before = api.get(f"/sobjects/Contact/{contact}").json()

    api.update("Account", account, Industry="Retail")
    after = api.get(f"/sobjects/Contact/{contact}").json()
    write = api.patch(f"/sobjects/Contact/{contact}", {"Industry__c": "x"})

    assert (before["Industry__c"], after["Industry__c"]) == ("Energy", "Retail")
    assert before["SystemModstamp"] == after["SystemModstamp"]
    assert fields_of(api, "Contact")["Industry__c"]["calculated"] is True
    assert api.refused(write) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_a_hidden_record_is_in_no_answer(api, sim) -> None:
    lead = api.create("Lead", LastName="Marsh", Company="Fern")
    sim.configure(hidden_records=lead)
    named = {"q": f"SELECT Id FROM Lead WHERE Id = '{lead}'"}
    body = {"records": [{"attributes": {"type": "Lead"}, "id": lead, "Title": "X"}]}

    live, deleted = api.get("/query", params=named), api.get("/queryAll", params=named)
    [written] = api.patch("/composite/sobjects", body).json()

    assert live.json()["records"] == deleted.json()["records"] == []
    assert api.get(f"/sobjects/Lead/{lead}").status_code == 404
    assert written["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
