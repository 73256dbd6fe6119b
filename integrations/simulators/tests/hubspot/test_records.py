"""Single records behave as the contract's facts say."""

import pytest

from integrations.simulators.tests.hubspot.conftest import Api

CONTACTS = "/crm/v3/objects/contacts"


def codes(answer) -> list[str]:
    return [error["code"] for error in answer.json()["errors"]]


def test_a_taken_email_is_a_conflict_that_names_the_existing_id(api: Api) -> None:
    number = api.create("contacts", email="ann@example.com")

    answer = api.post(CONTACTS, {"properties": {"email": "ANN@example.com"}})

    assert answer.status_code == 409
    assert answer.json()["category"] == "CONFLICT"
    assert answer.json()["message"] == f"Contact already exists. Existing ID: {number}"


def test_moving_an_email_onto_another_contact_is_a_conflict(api: Api) -> None:
    ann = api.create("contacts", email="ann@example.com")
    bob = api.create("contacts", email="bob@example.com")

    answer = api.patch(
        f"{CONTACTS}/{bob}", {"properties": {"email": "ann@example.com"}}
    )

    assert answer.status_code == 409
    assert f"Existing ID: {ann}" in answer.json()["message"]


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"nope": "1"}, "PROPERTY_DOESNT_EXIST"),
        ({"email": "not an address"}, "INVALID_EMAIL"),
        ({"hs_lead_status": "New"}, "INVALID_OPTION"),
        ({"hubspotscore": "5"}, "READ_ONLY_VALUE"),
        ({"hs_email_optout": "maybe"}, "INVALID_OPTION"),
        ({"closedate": "yesterday"}, "INVALID_LONG"),
        ({"hubspot_owner_id": "9101"}, "INVALID_OWNER_ID"),
        ({"firstname": "x" * 65_537}, "INVALID_STRING_LENGTH"),
    ],
)
def test_a_bad_value_names_its_property_and_reason(api: Api, properties, code) -> None:
    answer = api.post(CONTACTS, {"properties": {"lastname": "Lee"} | properties})

    name = next(iter(properties))
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"
    assert codes(answer) == [code]
    assert answer.json()["errors"][0]["context"]["propertyName"] == [name]
    assert f'"error":"{code}","name":"{name}"' in answer.json()["message"]


@pytest.mark.parametrize("amount", ["twelve", "1,000", "NaN"])
def test_a_number_must_be_one(api: Api, amount) -> None:
    deal = {"dealname": "One", "dealstage": "closedwon", "amount": amount}

    answer = api.post("/crm/v3/objects/deals", {"properties": deal})

    assert codes(answer) == ["INVALID_INTEGER"]


@pytest.mark.parametrize("value", [5, True, ["a"], {"a": 1}])
def test_values_are_strings(api: Api, value) -> None:
    answer = api.post(CONTACTS, {"properties": {"firstname": value}})

    assert answer.status_code == 400
    assert "java.lang.String" in answer.json()["message"]


@pytest.mark.parametrize(
    ("kind", "properties", "missing"),
    [
        ("contacts", {"phone": "1"}, "email"),
        ("companies", {"city": "Lyon"}, "name"),
        ("deals", {"dealname": "One"}, "dealstage"),
        ("notes", {"hs_note_body": "x"}, "hs_timestamp"),
        ("emails", {"hs_timestamp": "2026-01-01T00:00:00Z"}, "hs_email_direction"),
    ],
)
def test_a_create_needs_its_required_properties(
    api: Api, kind, properties, missing
) -> None:
    answer = api.post(f"/crm/v3/objects/{kind}", {"properties": properties})

    assert answer.status_code == 400
    assert missing in answer.json()["context"]["properties"]


def test_a_deal_gets_the_default_pipeline_and_its_outcome(api: Api) -> None:
    made = api.create("deals", dealname="One", dealstage="closedwon", amount="10")

    names = "pipeline,hs_is_closed_won,hs_deal_stage_probability"
    read = api.get(f"/crm/v3/objects/deals/{made}?properties={names}").json()

    assert read["properties"]["pipeline"] == "default"
    assert read["properties"]["hs_is_closed_won"] == "true"
    assert read["properties"]["hs_deal_stage_probability"] == "1.0"


def test_a_stage_of_another_pipeline_is_refused(api: Api) -> None:
    deal = {"dealname": "One", "pipeline": "81204411", "dealstage": "closedwon"}

    answer = api.post("/crm/v3/objects/deals", {"properties": deal})

    assert codes(answer) == ["INVALID_OPTION"]


def test_lifecycle_stage_only_moves_forward_unless_cleared(api: Api) -> None:
    number = api.create("contacts", lastname="Lee", lifecyclestage="customer")
    path = f"{CONTACTS}/{number}"

    def stage_after(value: str) -> str | None:
        answer = api.patch(path, {"properties": {"lifecyclestage": value}})
        assert answer.status_code == 200
        stage: str | None = answer.json()["properties"]["lifecyclestage"]
        return stage

    assert stage_after("lead") == "customer"
    assert stage_after("") is None
    assert stage_after("lead") == "lead"
    assert stage_after("opportunity") == "opportunity"


def test_only_default_properties_come_back_unless_named(api: Api) -> None:
    number = api.create("contacts", email="ann@example.com", city="Lyon")

    plain = api.get(f"{CONTACTS}/{number}").json()["properties"]
    named = api.get(f"{CONTACTS}/{number}?properties=city,phone,nope").json()[
        "properties"
    ]

    assert set(plain) == {
        "createdate",
        "email",
        "firstname",
        "hs_object_id",
        "lastmodifieddate",
        "lastname",
    }
    assert (named["city"], named["phone"]) == ("Lyon", None)
    assert "nope" not in named
    assert "email" not in named


def test_an_empty_string_clears_a_value(api: Api) -> None:
    number = api.create("contacts", email="ann@example.com", city="Lyon")

    api.patch(f"{CONTACTS}/{number}", {"properties": {"city": ""}})

    read = api.get(f"{CONTACTS}/{number}?properties=city").json()
    assert read["properties"]["city"] is None


def test_records_are_found_by_email_and_by_additional_email(api: Api) -> None:
    extra = "a2@example.com;a3@example.com"
    number = api.create("contacts", email="a1@example.com", hs_additional_emails=extra)

    found = [
        api.get(f"{CONTACTS}/a{n}%40example.com?idProperty=email").json()["id"]
        for n in (1, 2, 3)
    ]
    taken = api.post(CONTACTS, {"properties": {"email": "a3@example.com"}})

    assert found == [number] * 3
    assert taken.status_code == 409


def test_a_property_that_is_not_unique_is_no_id(api: Api) -> None:
    api.create("companies", name="Fern", domain="fern.example.com")

    path = "/crm/v3/objects/companies/fern.example.com?idProperty=domain"

    assert api.get(path).status_code == 400


def test_a_custom_unique_property_is_enforced_and_is_an_id(api: Api) -> None:
    definition = {
        "name": "external_id",
        "label": "External ID",
        "type": "string",
        "fieldType": "text",
        "groupName": "dealinformation",
        "hasUniqueValue": True,
    }
    assert api.post("/crm/v3/properties/deals", definition).status_code == 201
    deal = {"dealname": "One", "dealstage": "closedwon", "external_id": "x/1 ü"}
    number = api.create("deals", **deal)

    again = api.post("/crm/v3/objects/deals", {"properties": deal})
    by_value = api.get("/crm/v3/objects/deals/x%2F1%20%C3%BC?idProperty=external_id")

    assert codes(again) == ["CONFLICTING_UNIQUE_VALUE"]
    assert f"{number} already has that value" in again.json()["message"]
    assert by_value.json()["id"] == number


def test_archived_records_leave_sight_and_free_their_email(api: Api) -> None:
    number = api.create("contacts", email="ann@example.com")

    assert api.delete(f"{CONTACTS}/{number}").status_code == 204

    assert api.get(f"{CONTACTS}/{number}").status_code == 404
    assert api.get(f"{CONTACTS}/{number}?archived=true").json()["archived"] is True
    assert api.delete(f"{CONTACTS}/{number}").status_code == 204
    assert api.create("contacts", email="ann@example.com") != number


def test_a_page_ends_with_the_id_of_the_next_record(api: Api) -> None:
    numbers = [api.create("contacts", lastname=str(n)) for n in range(5)]

    first = api.get(f"{CONTACTS}?limit=2").json()
    second = api.get(f"{CONTACTS}?limit=3&after={numbers[2]}").json()

    assert [record["id"] for record in first["results"]] == numbers[:2]
    assert first["paging"]["next"]["after"] == numbers[2]
    assert [record["id"] for record in second["results"]] == numbers[2:]
    assert "paging" not in second
    assert api.get(f"{CONTACTS}?limit=101").status_code == 400


def test_ids_are_unique_per_type_only(api: Api) -> None:
    contact = api.create("contacts", lastname="Lee")
    company = api.create("companies", name="Fern")

    assert contact == company


def test_a_merge_keeps_both_old_ids_usable_in_single_calls(api: Api) -> None:
    ann = api.create("contacts", email="ann@example.com", city="Lyon")
    bob = api.create("contacts", email="bob@example.com", city="Bonn", phone="123")

    merged = api.post(
        f"{CONTACTS}/merge", {"primaryObjectId": ann, "objectIdToMerge": bob}
    ).json()

    names = "email,city,phone,hs_additional_emails,hs_merged_object_ids"
    survivor = api.get(f"{CONTACTS}/{merged['id']}?properties={names}").json()
    batch = {"inputs": [{"id": ann, "properties": {"city": "Rome"}}]}
    assert merged["id"] not in (ann, bob)
    assert api.get(f"{CONTACTS}/{ann}").json()["id"] == merged["id"]
    assert api.get(f"{CONTACTS}/{bob}").json()["id"] == merged["id"]
    assert survivor["properties"]["city"] == "Lyon"
    assert survivor["properties"]["phone"] == "123"
    assert survivor["properties"]["hs_additional_emails"] == "bob@example.com"
    assert survivor["properties"]["hs_merged_object_ids"] == f"{ann};{bob}"
    assert api.post(f"{CONTACTS}/batch/update", batch).status_code == 404


def test_a_merge_can_keep_the_primary_id(api: Api, sim) -> None:
    sim.configure(merge_makes_new_id=False)
    ann = api.create("contacts", email="ann@example.com")
    bob = api.create("contacts", email="bob@example.com")
    company = api.create("companies", name="Fern")
    api.put(f"/crm/v4/objects/contacts/{bob}/associations/default/companies/{company}")

    merged = api.post(
        f"{CONTACTS}/merge", {"primaryObjectId": ann, "objectIdToMerge": bob}
    ).json()

    links = api.get(f"/crm/v4/objects/contacts/{ann}/associations/companies").json()
    assert merged["id"] == ann
    assert [link["toObjectId"] for link in links["results"]] == [company]


def test_gdpr_delete_leaves_nothing(api: Api, sim) -> None:
    number = api.create("contacts", email="ann@example.com")

    body = {"objectId": "ann@example.com", "idProperty": "email"}
    answer = api.post(f"{CONTACTS}/gdpr-delete", body)

    assert answer.status_code == 204
    assert api.get(f"{CONTACTS}/{number}?archived=true").status_code == 404
    assert sim.dump("contacts") == []


def test_a_lead_needs_its_contact(api: Api) -> None:
    contact = api.create("contacts", lastname="Lee")
    properties = {"hs_lead_name": "Lee"}
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 578}]

    alone = api.post("/crm/v3/objects/leads", {"properties": properties})
    joined = api.post(
        "/crm/v3/objects/leads",
        {
            "properties": properties,
            "associations": [{"to": {"id": contact}, "types": types}],
        },
    )

    assert (alone.status_code, joined.status_code) == (400, 201)


def test_writing_the_same_value_again_changes_nothing(api: Api, sim) -> None:
    number = api.create("contacts", email="ann@example.com", city="Lyon")
    before = sim.dump("contacts")

    api.patch(f"{CONTACTS}/{number}", {"properties": {"city": "Lyon"}})

    assert sim.dump("contacts") == before


def test_a_multiple_choice_takes_more_with_a_leading_semicolon(api: Api) -> None:
    ticket = api.create(
        "tickets",
        subject="Help",
        hs_pipeline_stage="1",
        hs_ticket_category="PRODUCT_ISSUE",
    )

    more = {"properties": {"hs_ticket_category": ";BILLING_ISSUE"}}
    answer = api.patch(f"/crm/v3/objects/tickets/{ticket}", more).json()

    assert answer["properties"]["hs_ticket_category"] == "PRODUCT_ISSUE;BILLING_ISSUE"


def test_an_unknown_type_or_path_is_refused(api: Api) -> None:
    assert api.get("/crm/v3/objects/unicorns").status_code == 400
    assert api.get("/crm/v3/nothing").status_code == 404
    assert api.call("PUT", CONTACTS).status_code == 404


def test_a_body_that_is_not_json_is_a_400(api: Api) -> None:
    answer = api.session.post(api.base_url + CONTACTS, data=b"{nope", timeout=10)

    assert answer.status_code == 400
    assert "Invalid input JSON" in answer.json()["message"]


def test_a_hidden_record_is_neither_shown_nor_named_as_deleted(api: Api, sim) -> None:
    number, other = (api.create("contacts", lastname=name) for name in "AB")
    sim.configure(hidden_records=number)
    inputs = {"inputs": [{"id": number}]}
    write = {"inputs": [{"id": number, "properties": {"lastname": "B"}}]}

    listed = api.get(CONTACTS).json()["results"]
    found = api.post(f"{CONTACTS}/search", {}).json()["results"]
    live = api.post(f"{CONTACTS}/batch/read", inputs)
    bin_ = api.post(f"{CONTACTS}/batch/read?archived=true", inputs)

    assert [one["id"] for one in listed] == [one["id"] for one in found] == [other]
    assert (live.status_code, live.json()["results"]) == (207, [])
    assert (bin_.status_code, bin_.json()["results"]) == (207, [])
    assert api.get(f"{CONTACTS}/{number}").status_code == 404
    assert api.post(f"{CONTACTS}/batch/update", write).status_code == 404

    sim.configure(hidden_records="")
    assert api.get(f"{CONTACTS}/{number}").status_code == 200
