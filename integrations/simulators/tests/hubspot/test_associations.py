"""Associations: both directions, replacing labels, one primary, batches."""

import pytest

from integrations.simulators.tests.hubspot.conftest import Api

V4 = "/crm/v4"


def spec(number: int, category: str = "HUBSPOT_DEFINED") -> dict:
    return {"associationCategory": category, "associationTypeId": number}


def types(api: Api, near: str, number: str, far: str) -> dict[str, list[int]]:
    answer = api.get(f"{V4}/objects/{near}/{number}/associations/{far}").json()
    return {
        item["toObjectId"]: sorted(kind["typeId"] for kind in item["associationTypes"])
        for item in answer["results"]
    }


@pytest.fixture
def contact(api: Api) -> str:
    return api.create("contacts", email="ann@example.com")


@pytest.fixture
def companies(api: Api) -> list[str]:
    return [api.create("companies", name=name) for name in ("Fern", "Quarry")]


def test_the_default_association_has_an_id_for_each_direction(
    api: Api, contact, companies
) -> None:
    path = (
        f"{V4}/objects/contacts/{contact}/associations/default/companies/{companies[0]}"
    )

    answer = api.put(path)

    specs = [
        r["associationSpec"]["associationTypeId"] for r in answer.json()["results"]
    ]
    assert (answer.status_code, specs) == (200, [279, 280])
    assert types(api, "contacts", contact, "companies") == {companies[0]: [279]}
    assert types(api, "companies", companies[0], "contacts") == {contact: [280]}


def test_a_primary_brings_the_plain_one_and_is_only_one(
    api: Api, contact, companies
) -> None:
    for company in companies:
        path = f"{V4}/objects/contacts/{contact}/associations/companies/{company}"
        assert api.put(path, [spec(1)]).status_code == 201

    assert types(api, "contacts", contact, "companies") == {
        companies[0]: [279],
        companies[1]: [1, 279],
    }
    assert types(api, "companies", companies[0], "contacts") == {contact: [280]}
    assert types(api, "companies", companies[1], "contacts") == {contact: [2, 280]}


def test_a_company_may_be_the_primary_of_many(api: Api, contact, companies) -> None:
    other = api.create("contacts", email="bob@example.com")
    for number in (contact, other):
        path = f"{V4}/objects/contacts/{number}/associations/companies/{companies[0]}"
        api.put(path, [spec(1)])

    assert types(api, "companies", companies[0], "contacts") == {
        contact: [2, 280],
        other: [2, 280],
    }


def test_an_id_of_the_other_direction_is_refused(api: Api, contact, companies) -> None:
    path = f"{V4}/objects/contacts/{contact}/associations/companies/{companies[0]}"

    assert api.put(path, [spec(280)]).status_code == 400
    assert types(api, "contacts", contact, "companies") == {}


def test_a_put_replaces_the_labels(api: Api, contact, companies) -> None:
    label = api.post(
        f"{V4}/associations/contacts/companies/labels",
        {"name": "advises", "label": "Advises", "inverseLabel": "Advised by"},
    ).json()["results"][0]
    path = f"{V4}/objects/contacts/{contact}/associations/companies/{companies[0]}"

    api.put(path, [spec(1)])
    answer = api.put(path, [spec(label["typeId"], "USER_DEFINED")])

    assert answer.json()["labels"] == ["Advises"]
    assert types(api, "contacts", contact, "companies") == {
        companies[0]: sorted([279, label["typeId"]])
    }


def test_labels_are_listed_with_the_plain_type_first(api: Api) -> None:
    found = api.get(f"{V4}/associations/contacts/companies/labels").json()["results"]

    assert found == [
        {"category": "HUBSPOT_DEFINED", "typeId": 279},
        {
            "category": "HUBSPOT_DEFINED",
            "typeId": 1,
            "label": "Contact with Primary Company",
        },
    ]


def test_deleting_removes_every_label_in_both_directions(
    api: Api, contact, companies
) -> None:
    path = f"{V4}/objects/contacts/{contact}/associations/companies/{companies[0]}"
    api.put(path, [spec(1)])

    assert api.delete(path).status_code == 204

    assert types(api, "contacts", contact, "companies") == {}
    assert types(api, "companies", companies[0], "contacts") == {}


def test_inline_associations_join_on_create(api: Api, contact) -> None:
    note = {
        "properties": {"hs_timestamp": "2026-01-01T00:00:00Z", "hs_note_body": "Hi"},
        "associations": [{"to": {"id": contact}, "types": [spec(202)]}],
    }

    number = api.post("/crm/v3/objects/notes", note).json()["id"]
    read = api.get(f"/crm/v3/objects/notes/{number}?associations=contacts").json()

    assert read["associations"]["contacts"]["results"] == [
        {"id": contact, "type": "note_to_contact"}
    ]
    assert types(api, "contacts", contact, "notes") == {number: [201]}


def test_an_inline_association_to_nothing_refuses_the_create(api: Api, sim) -> None:
    note = {
        "properties": {"hs_timestamp": "2026-01-01T00:00:00Z"},
        "associations": [{"to": {"id": "999"}, "types": [spec(202)]}],
    }

    assert api.post("/crm/v3/objects/notes", note).status_code == 400
    assert sim.dump() == {}


def test_reading_pages_by_partner_id(api: Api, sim, companies) -> None:
    sim.seed([{"object": "contacts", "count": 5, "properties": {"lastname": "L{n}"}}])
    base = f"{V4}/associations/companies/contacts/batch"
    pairs = [
        {"from": {"id": companies[0]}, "to": {"id": str(n)}} for n in range(101, 106)
    ]
    api.post(f"{base}/associate/default", {"inputs": pairs})

    path = f"{V4}/objects/companies/{companies[0]}/associations/contacts"
    first = api.get(f"{path}?limit=2").json()
    rest = api.get(f"{path}?limit=9&after={first['paging']['next']['after']}").json()

    seen = [item["toObjectId"] for item in first["results"] + rest["results"]]
    assert seen == [str(number) for number in range(101, 106)]
    assert "paging" not in rest


def test_batches_create_read_and_archive(api: Api, contact, companies) -> None:
    base = f"{V4}/associations/contacts/companies/batch"
    good = {"from": {"id": contact}, "to": {"id": companies[0]}, "types": [spec(279)]}
    bad = {"from": {"id": contact}, "to": {"id": "999"}, "types": [spec(279)]}

    made = api.post(f"{base}/create", {"inputs": [good, bad]})
    read = api.post(f"{base}/read", {"inputs": [{"id": contact}, {"id": "888"}]})
    gone = api.post(
        f"{base}/archive",
        {"inputs": [{"from": {"id": contact}, "to": [{"id": companies[0]}]}]},
    )

    assert (made.status_code, made.json()["numErrors"]) == (207, 1)
    assert read.status_code == 207
    assert read.json()["results"][0]["to"][0]["toObjectId"] == companies[0]
    assert gone.status_code == 204
    assert types(api, "contacts", contact, "companies") == {}


def test_archived_partners_are_not_shown(api: Api, contact, companies) -> None:
    path = (
        f"{V4}/objects/contacts/{contact}/associations/default/companies/{companies[0]}"
    )
    api.put(path)

    api.delete(f"/crm/v3/objects/companies/{companies[0]}")

    assert types(api, "contacts", contact, "companies") == {}


def test_more_inputs_than_allowed_are_refused(api: Api) -> None:
    base = f"{V4}/associations/contacts/companies/batch"

    assert api.post(f"{base}/read", {"inputs": [{"id": "1"}] * 1001}).status_code == 400
    assert api.post(f"{base}/create", {"inputs": [{}] * 2001}).status_code == 400


def test_a_customers_label_has_an_id_of_its_own_category(
    api: Api, contact, companies
) -> None:
    label = api.post(
        f"{V4}/associations/contacts/companies/labels",
        {"name": "advises", "label": "Advises", "inverseLabel": "Advised by"},
    ).json()["results"][0]
    base = f"{V4}/associations/contacts/companies/batch"
    kinds = [spec(1), spec(label["typeId"], "USER_DEFINED")]
    ends = {"from": {"id": contact}, "to": {"id": companies[0]}}

    api.post(f"{base}/create", {"inputs": [ends | {"types": kinds}]})
    read = api.post(f"{base}/read", {"inputs": [{"id": contact}]}).json()

    shown = read["results"][0]["to"][0]["associationTypes"]
    assert [(one["category"], one.get("label")) for one in shown] == [
        ("HUBSPOT_DEFINED", None),
        ("HUBSPOT_DEFINED", "Contact with Primary Company"),
        ("USER_DEFINED", "Advises"),
    ]


def test_a_batch_replaces_the_labels_too(api: Api, contact, companies) -> None:
    base = f"{V4}/associations/contacts/companies/batch"
    ends = {"from": {"id": contact}, "to": {"id": companies[0]}}

    for kind in (1, 279):
        api.post(f"{base}/create", {"inputs": [ends | {"types": [spec(kind)]}]})

    assert types(api, "contacts", contact, "companies") == {companies[0]: [279]}
