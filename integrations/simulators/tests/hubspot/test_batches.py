"""Batches: at most 100, all or nothing, 207 only where the contract allows it."""

import pytest

from integrations.simulators.tests.hubspot.conftest import Api

CONTACTS = "/crm/v3/objects/contacts"


def inputs(*emails: str, traced: bool = False) -> dict[str, list]:
    made: list[dict] = [{"properties": {"email": email}} for email in emails]
    if traced:
        made = [item | {"objectWriteTraceId": f"t{n}"} for n, item in enumerate(made)]
    return {"inputs": made}


def upsert(*values: str, by: str = "email", **properties: str) -> dict[str, list]:
    return {
        "inputs": [
            {"id": value, "idProperty": by, "properties": properties}
            for value in values
        ]
    }


def test_more_than_a_hundred_inputs_are_refused(api: Api) -> None:
    many = inputs(*(f"p{n}@example.com" for n in range(101)))

    answer = api.post(f"{CONTACTS}/batch/create", many)

    assert answer.status_code == 400
    assert "100" in answer.json()["message"]


@pytest.mark.parametrize("body", [{}, {"inputs": []}, {"inputs": ["x"]}, []])
def test_a_batch_needs_a_list_of_inputs(api: Api, body) -> None:
    assert api.post(f"{CONTACTS}/batch/create", body).status_code == 400


def test_a_batch_without_traces_fails_as_a_whole(api: Api, sim) -> None:
    api.create("contacts", email="ann@example.com")
    body = inputs("new@example.com", "ann@example.com", "bad", "also new@example.com")

    answer = api.post(f"{CONTACTS}/batch/create", body)

    assert answer.status_code == 409
    assert len(sim.dump("contacts")) == 1


def test_a_batch_with_traces_applies_the_good_inputs(api: Api) -> None:
    api.create("contacts", email="ann@example.com")
    body = inputs("new@example.com", "ann@example.com", "bad", traced=True)

    answer = api.post(f"{CONTACTS}/batch/create", body)

    payload = answer.json()
    assert answer.status_code == 207
    assert payload["numErrors"] == 2
    assert [record["objectWriteTraceId"] for record in payload["results"]] == ["t0"]
    assert [e["context"]["objectWriteTraceId"] for e in payload["errors"]] == [
        ["t1"],
        ["t2"],
    ]
    assert [e["category"] for e in payload["errors"]] == [
        "CONFLICT",
        "VALIDATION_ERROR",
    ]


def test_traces_must_be_unique_to_count(api: Api, sim) -> None:
    body = inputs("new@example.com", "bad", traced=True)
    for item in body["inputs"]:
        item["objectWriteTraceId"] = "same"

    assert api.post(f"{CONTACTS}/batch/create", body).status_code == 400
    assert sim.dump() == {}


def test_the_same_email_twice_in_one_batch_is_a_conflict(api: Api, sim) -> None:
    body = inputs("new@example.com", "NEW@example.com")

    assert api.post(f"{CONTACTS}/batch/create", body).status_code == 409
    assert sim.dump() == {}


def test_upsert_creates_and_updates_and_says_which(api: Api) -> None:
    ann = api.create("contacts", email="ann@example.com")

    body = upsert("ann@example.com", "bob@example.com", city="Lyon")
    answer = api.post(f"{CONTACTS}/batch/upsert", body)

    found = {r["id"]: r["new"] for r in answer.json()["results"]}
    assert answer.status_code == 200
    assert found.pop(ann) is False
    assert list(found.values()) == [True]


def test_upsert_by_email_is_all_or_nothing_even_with_traces(api: Api, sim) -> None:
    api.create("contacts", email="ann@example.com")
    body = upsert("bob@example.com", "cleo@example.com")
    body["inputs"][1]["properties"] = {"email": "ann@example.com"}
    for number, item in enumerate(body["inputs"]):
        item["objectWriteTraceId"] = f"t{number}"

    answer = api.post(f"{CONTACTS}/batch/upsert", body)

    assert answer.status_code == 409
    assert len(sim.dump("contacts")) == 1


def test_upsert_by_a_unique_property_may_fail_in_part(api: Api) -> None:
    unique_property(api)
    body = upsert("1", "2", by="external_id", firstname="Ann")
    body["inputs"][1]["properties"] = {"email": "bad"}
    for number, item in enumerate(body["inputs"]):
        item["objectWriteTraceId"] = f"t{number}"

    answer = api.post(f"{CONTACTS}/batch/upsert", body)

    assert answer.status_code == 207
    assert [r["objectWriteTraceId"] for r in answer.json()["results"]] == ["t0"]


def test_upsert_by_a_property_that_is_not_unique_is_refused(api: Api) -> None:
    answer = api.post(f"{CONTACTS}/batch/upsert", upsert("Ann", by="firstname"))

    assert answer.status_code == 400
    assert "non-unique 0-1 property" in answer.json()["message"]


def test_upsert_with_the_same_id_twice_is_refused(api: Api) -> None:
    body = upsert("ann@example.com", "ANN@example.com")

    assert api.post(f"{CONTACTS}/batch/upsert", body).status_code == 400


def test_update_by_email_works_alone_but_not_in_a_batch(api: Api) -> None:
    api.create("contacts", email="ann@example.com")
    body = upsert("ann@example.com", city="Lyon")

    batch = api.post(f"{CONTACTS}/batch/update", body)
    alone = api.patch(
        f"{CONTACTS}/ann%40example.com?idProperty=email",
        {"properties": {"city": "Lyon"}},
    )

    assert batch.status_code == 400
    assert "non-unique 0-1 property" in batch.json()["message"]
    assert alone.status_code == 200


def test_update_of_an_unknown_id_fails_the_batch(api: Api, sim) -> None:
    ann = api.create("contacts", email="ann@example.com")
    changes = {"properties": {"city": "Lyon"}}

    body = {"inputs": [{"id": ann} | changes, {"id": "999"} | changes]}
    answer = api.post(f"{CONTACTS}/batch/update", body)

    assert answer.status_code == 404
    assert "city" not in sim.dump("contacts")[0]["properties"]


def test_read_answers_207_for_what_it_misses(api: Api) -> None:
    ann = api.create("contacts", email="ann@example.com", city="Lyon")

    body = {"properties": ["city"], "inputs": [{"id": ann}, {"id": "999"}]}
    answer = api.post(f"{CONTACTS}/batch/read", body)

    assert answer.status_code == 207
    assert [r["properties"]["city"] for r in answer.json()["results"]] == ["Lyon"]
    assert answer.json()["errors"][0]["context"] == {"ids": ["999"]}


def test_read_finds_by_a_unique_property(api: Api) -> None:
    unique_property(api)
    ann = api.create("contacts", email="ann@example.com", external_id="7")

    body = {"properties": [], "idProperty": "external_id", "inputs": [{"id": "7"}]}
    answer = api.post(f"{CONTACTS}/batch/read", body)

    assert [record["id"] for record in answer.json()["results"]] == [ann]


def test_archive_is_quiet_about_the_unknown(api: Api, sim) -> None:
    ann = api.create("contacts", email="ann@example.com")

    answer = api.post(
        f"{CONTACTS}/batch/archive", {"inputs": [{"id": ann}, {"id": "9"}]}
    )

    assert answer.status_code == 204
    assert sim.dump("contacts")[0]["archived"] is True


def unique_property(api: Api) -> None:
    definition = {
        "name": "external_id",
        "label": "External ID",
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
        "hasUniqueValue": True,
    }
    assert api.post("/crm/v3/properties/contacts", definition).status_code == 201
