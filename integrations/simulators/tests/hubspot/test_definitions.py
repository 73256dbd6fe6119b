"""Properties, pipelines, owners, custom objects, lists, forms and sequences."""

import pytest

from integrations.simulators.tests.hubspot.conftest import Api

PROPERTIES = "/crm/v3/properties/contacts"


def definition(name: str, **more: object) -> dict:
    base = {"name": name, "label": name, "type": "string", "fieldType": "text"}
    return base | {"groupName": "contactinformation"} | more


def test_definitions_say_what_may_be_written(api: Api) -> None:
    found = {p["name"]: p for p in api.get(PROPERTIES).json()["results"]}

    assert found["hubspotscore"]["calculated"] is True
    assert found["hubspotscore"]["modificationMetadata"]["readOnlyValue"] is True
    assert found["email"]["modificationMetadata"]["readOnlyValue"] is False
    assert found["hubspot_owner_id"]["referencedObjectType"] == "OWNER"
    assert [o["value"] for o in found["lifecyclestage"]["options"]][:2] == [
        "subscriber",
        "lead",
    ]
    assert len(found) >= 40


def test_stages_are_the_options_of_the_stage_property(api: Api) -> None:
    stage = api.get("/crm/v3/properties/deals/dealstage").json()

    values = [option["value"] for option in stage["options"]]
    assert {"closedwon", "150270003"} <= set(values)


def test_a_property_is_made_changed_and_removed(api: Api) -> None:
    assert api.post(PROPERTIES, definition("shoe_size")).status_code == 201
    assert api.post(PROPERTIES, definition("shoe_size")).status_code == 409

    renamed = api.patch(f"{PROPERTIES}/shoe_size", {"label": "Shoe"}).json()
    gone = api.delete(f"{PROPERTIES}/shoe_size")

    write = api.post(
        "/crm/v3/objects/contacts", {"properties": {"lastname": "L", "shoe_size": "9"}}
    )
    assert (renamed["label"], gone.status_code) == ("Shoe", 204)
    assert write.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    assert api.get(f"{PROPERTIES}/shoe_size").status_code == 404
    assert api.get(f"{PROPERTIES}/shoe_size?archived=true").status_code == 200


def test_an_object_has_at_most_ten_unique_properties(api: Api) -> None:
    answers = [
        api.post(PROPERTIES, definition(f"key_{n}", hasUniqueValue=True)).status_code
        for n in range(11)
    ]

    assert answers == [201] * 10 + [400]


def test_uniqueness_cannot_be_switched_on_later(api: Api) -> None:
    api.post(PROPERTIES, definition("key"))

    assert api.patch(f"{PROPERTIES}/key", {"hasUniqueValue": True}).status_code == 400


@pytest.mark.parametrize(
    "bad",
    [
        definition("Upper"),
        definition("x", type="number"),
        definition("x", type="unheard"),
        {"name": "x"},
    ],
)
def test_a_bad_definition_is_refused(api: Api, bad) -> None:
    assert api.post(PROPERTIES, bad).status_code == 400


def test_built_in_properties_stay(api: Api) -> None:
    assert api.delete(f"{PROPERTIES}/email").status_code == 400


def test_properties_come_in_batches_too(api: Api) -> None:
    made = api.post(
        f"{PROPERTIES}/batch/create",
        {"inputs": [definition("a1"), definition("email")]},
    )
    read = api.post(
        f"{PROPERTIES}/batch/read",
        {"archived": False, "inputs": [{"name": "a1"}, {"name": "nope"}]},
    )

    assert (made.status_code, read.status_code) == (207, 207)
    assert [p["name"] for p in read.json()["results"]] == ["a1"]


def test_groups_hold_properties(api: Api) -> None:
    group = {"name": "shoes", "label": "Shoes", "displayOrder": 3}

    assert api.post(f"{PROPERTIES}/groups", group).status_code == 201
    assert api.post(f"{PROPERTIES}/groups", group).status_code == 409
    names = [g["name"] for g in api.get(f"{PROPERTIES}/groups").json()["results"]]
    assert {"shoes", "contactinformation"} <= set(names)


def test_pipelines_and_stages_can_be_made_and_used(api: Api) -> None:
    stages = [{"label": "Only", "displayOrder": 0, "metadata": {"probability": "0.5"}}]
    made = api.post(
        "/crm/v3/pipelines/deals",
        {"label": "Renewals", "displayOrder": 2, "stages": stages},
    ).json()
    stage = made["stages"][0]["id"]

    api.create("deals", dealname="One", pipeline=made["id"], dealstage=stage)
    refused = api.delete(f"/crm/v3/pipelines/deals/{made['id']}/stages/{stage}")
    more = api.post(
        f"/crm/v3/pipelines/deals/{made['id']}/stages",
        {"label": "Next", "displayOrder": 1, "metadata": {}},
    )

    assert refused.status_code == 400
    assert more.status_code == 201
    assert len(api.get("/crm/v3/pipelines/deals").json()["results"]) == 3


def test_owners_are_found_by_email_and_have_two_ids(api: Api) -> None:
    owner = api.get("/crm/v3/owners?email=bruno.keller@example.com").json()["results"][
        0
    ]
    by_user = api.get(f"/crm/v3/owners/{owner['userId']}?idProperty=userId").json()
    former = api.get("/crm/v3/owners?archived=true").json()["results"][0]

    assert (owner["id"], by_user["id"]) == ("71002", "71002")
    assert "userId" not in former


def test_owners_are_paged(api: Api) -> None:
    first = api.get("/crm/v3/owners/?limit=3").json()
    rest = api.get(f"/crm/v3/owners/?after={first['paging']['next']['after']}").json()

    assert [len(first["results"]), len(rest["results"])] == [3, 2]


def test_a_custom_object_lives_like_the_others(api: Api) -> None:
    schema = {
        "name": "capsules",
        "labels": {"singular": "Capsule", "plural": "Capsules"},
        "requiredProperties": ["title"],
        "searchableProperties": ["title"],
        "primaryDisplayProperty": "title",
        "properties": [
            {"name": "title", "label": "Title", "type": "string", "fieldType": "text"},
            {
                "name": "external_id",
                "label": "Key",
                "type": "string",
                "fieldType": "text",
                "hasUniqueValue": True,
            },
        ],
        "associatedObjects": ["0-1"],
    }
    made = api.post("/crm-object-schemas/v3/schemas", schema).json()
    contact = api.create("contacts", lastname="Lee")

    item = {"id": "k1", "idProperty": "external_id", "properties": {"title": "Autumn"}}
    path = f"/crm/v3/objects/{made['objectTypeId']}"
    first = api.post(f"{path}/batch/upsert", {"inputs": [item]}).json()["results"][0]
    again = api.post(f"{path}/batch/upsert", {"inputs": [item]}).json()["results"][0]
    link = api.put(
        f"/crm/v4/objects/p_capsules/{first['id']}/associations/default/0-1/{contact}"
    )

    assert (first["new"], again["new"], again["id"]) == (True, False, first["id"])
    assert link.status_code == 200
    assert api.post(path, {"properties": {"external_id": "k2"}}).status_code == 400
    assert api.post("/crm-object-schemas/v3/schemas", schema).status_code == 409
    assert api.delete("/crm-object-schemas/v3/schemas/capsules").status_code == 400


def test_a_schema_with_a_bad_property_leaves_nothing(api: Api) -> None:
    schema = {
        "name": "broken",
        "labels": {},
        "requiredProperties": [],
        "properties": [{"name": "Bad Name", "label": "x", "type": "string"}],
        "associatedObjects": [],
    }

    assert api.post("/crm-object-schemas/v3/schemas", schema).status_code == 400
    assert api.get("/crm/v3/objects/broken").status_code == 400


def test_list_members_come_and_go(api: Api) -> None:
    contact = api.create("contacts", lastname="Lee")
    made = api.post(
        "/crm/v3/lists",
        {"name": "Friends", "objectTypeId": "0-1", "processingType": "MANUAL"},
    ).json()["list"]
    members = f"/crm/v3/lists/{made['listId']}/memberships"

    added = api.put(f"{members}/add", [contact, "999"]).json()
    page = api.get(members).json()
    removed = api.put(f"{members}/remove", [contact]).json()

    assert added["recordsIdsAdded"] == [contact]
    assert added["recordIdsMissing"] == ["999"]
    assert [item["recordId"] for item in page["results"]] == [contact]
    assert removed["recordIdsRemoved"] == [contact]
    assert api.get("/crm/v3/lists/object-type-id/0-1/name/Friends").status_code == 200


def test_dynamic_lists_refuse_members(api: Api) -> None:
    made = api.post(
        "/crm/v3/lists",
        {"name": "Live", "objectTypeId": "0-1", "processingType": "DYNAMIC"},
    ).json()["list"]

    answer = api.put(f"/crm/v3/lists/{made['listId']}/memberships/add", ["1"])

    assert answer.status_code == 400


def test_a_form_submission_makes_or_updates_the_contact(api: Api, sim) -> None:
    guid = "0b8f1c1e-5a55-4a3a-9d3f-2f8f3e9f0a11"
    path = f"/submissions/v3/integration/submit/4100001/{guid}"
    email = {"objectTypeId": "0-1", "name": "email", "value": "ann@example.com"}

    for city in ("Lyon", "Bonn"):
        field = {"objectTypeId": "0-1", "name": "city", "value": city}
        assert api.post(path, {"fields": [email, field]}).status_code == 200

    read = api.get(f"/form-integrations/v1/submissions/forms/{guid}").json()
    assert [r["properties"]["city"] for r in sim.dump("contacts")] == ["Bonn"]
    assert len(read["results"]) == 2
    assert api.post(path, {"fields": [email], "submittedAt": 1}).status_code == 400


def test_a_contact_is_enrolled_in_a_sequence_by_a_connected_mailbox(api: Api) -> None:
    contact = api.create("contacts", email="ann@example.com")
    sequence = api.get("/automation/v4/sequences?userId=9101").json()["results"][0]
    path = "/automation/v4/sequences/enrollments"
    body = {"sequenceId": sequence["id"], "contactId": contact}

    stranger = api.post(f"{path}?userId=9101", body | {"senderEmail": "x@example.com"})
    enrolled = api.post(
        f"{path}?userId=9101", body | {"senderEmail": "ada.marsh@example.com"}
    )

    assert stranger.status_code == 400
    assert enrolled.json()["toEmail"] == "ann@example.com"
    assert api.get(f"{path}/contact/{contact}").json()["sequenceId"] == sequence["id"]


def test_a_contact_is_enrolled_in_a_workflow_by_email(api: Api) -> None:
    api.create("contacts", email="ann@example.com")
    path = "/automation/v2/workflows/7/enrollments/contacts"

    assert api.post(f"{path}/ann@example.com").status_code == 204
    assert api.delete(f"{path}/ann@example.com").status_code == 204
    assert api.post(f"{path}/nobody@example.com").status_code == 404
