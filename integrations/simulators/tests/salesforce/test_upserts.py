"""Writing by external id, one record or two hundred at a time."""

from typing import Any

import pytest

from integrations.simulators.tests.salesforce import contract
from integrations.simulators.tests.salesforce.conftest import V

KEYS = ("Lead", "Contact")
COLLECTION = "/composite/sobjects"


def person(number: int, kind: str = "Contact", **more: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind}, "LastName": f"P{number}", **more}


@pytest.fixture(autouse=True)
def keys(sim) -> None:
    for kind in KEYS:
        sim.control("POST", "fields", {
            "full_name": f"{kind}.Ext__c",
            "metadata": {"type": "Text", "label": "Ext", "length": 40,
                         "externalId": True},
        })  # fmt: skip


def test_an_upsert_creates_then_updates(api) -> None:
    path = "/sobjects/Contact/Ext__c/a%2F1"

    made = api.patch(path, {"LastName": "Marsh"})
    changed = api.patch(path, {"FirstName": "Ann"})
    read = api.get(path)

    assert (made.status_code, changed.status_code) == (201, 200)
    for answer, exchange in ((made, "upsert.created"), (changed, "upsert.updated")):
        known = contract.recorded(exchange)
        assert contract.shape(answer.json()) == contract.shape(known)
        assert answer.json()["created"] is known["created"]
    assert (read.json()["Name"], read.json()["Ext__c"]) == ("Ann Marsh", "a/1")


def test_older_versions_say_nothing_of_an_update(api) -> None:
    path = "/services/data/v45.0/sobjects/Contact/Ext__c/1"
    api.patch(path, {"LastName": "Marsh"})

    answer = api.patch(path, {"LastName": "Keller"})

    assert (answer.status_code, answer.content) == (204, b"")


def test_update_only_never_creates(api) -> None:
    answer = api.patch(
        "/sobjects/Contact/Ext__c/1?updateOnly=true", {"LastName": "Marsh"}
    )

    assert answer.status_code == 404
    assert api.query("SELECT COUNT() FROM Contact")["totalSize"] == 0


def test_several_matches_write_nothing_and_are_listed(api) -> None:
    found = {api.create("Contact", LastName="x", Ext__c="dup") for _ in range(2)}

    answer = api.patch("/sobjects/Contact/Ext__c/dup", {"LastName": "y"})

    assert answer.status_code == 300
    assert set(answer.json()) == {f"{V}/sobjects/Contact/{i}" for i in found}
    assert (
        api.query("SELECT COUNT() FROM Contact WHERE LastName = 'y'")["totalSize"] == 0
    )


@pytest.mark.parametrize("body", [{"Ext__c": "1"}, {"Id": "003Fh0000000001IAA"}])
def test_the_key_is_not_repeated_in_the_body(api, body) -> None:
    answer = api.patch("/sobjects/Contact/Ext__c/1", body | {"LastName": "Marsh"})

    assert api.refused(answer) == (400, "INVALID_FIELD")


def test_a_field_that_is_no_key_is_not_found(api) -> None:
    answer = api.patch("/sobjects/Contact/Title/x", {"LastName": "Marsh"})

    known = contract.recorded("error.bad_external_id_field")
    assert answer.status_code == 404
    assert answer.json()[0]["message"] == known[0]["message"].replace("Namez", "Title")


def test_keys_ignore_case(api) -> None:
    api.patch("/sobjects/Contact/Email/Ann@Example.com", {"LastName": "Marsh"})

    answer = api.patch("/sobjects/Contact/Email/ann@example.COM", {"Title": "Buyer"})

    assert answer.json()["created"] is False


def test_unique_values_are_there_once(api, sim) -> None:
    sim.control("POST", "fields", {
        "full_name": "Contact.Only__c",
        "metadata": {"type": "Text", "label": "Only", "length": 40, "unique": True,
                     "externalId": True},
    })  # fmt: skip
    first = api.create("Contact", LastName="Marsh", Only__c="1")

    answer = api.post("/sobjects/Contact", {"LastName": "Keller", "Only__c": "1"})

    known = contract.recorded("error.duplicate_value")[0]["message"]
    expected = known.replace("External_Id__c", "Only__c").rpartition(" ")[0]
    assert api.refused(answer) == (400, "DUPLICATE_VALUE")
    assert answer.json()[0]["message"] == f"{expected} {first[:15]}"


# -- collections


def test_a_collection_answers_in_order_with_the_bad_rows_marked(api) -> None:
    rows = [person(1), {"attributes": {"type": "Contact"}}, person(3)]

    answer = api.post(COLLECTION, {"records": rows})

    assert answer.status_code == 200
    assert [row["success"] for row in answer.json()] == [True, False, True]
    assert contract.problems("CollectionResponse", answer.json()) == []


def test_all_or_none_takes_the_good_rows_back(api) -> None:
    rows = [{"attributes": {"type": "Contact"}}, person(2)]

    answer = api.post(COLLECTION, {"allOrNone": True, "records": rows})

    assert answer.json() == contract.recorded("collections.create.allOrNone_failed")
    assert api.query("SELECT COUNT() FROM Contact")["totalSize"] == 0


def test_all_or_none_restores_what_was_updated(api) -> None:
    identifier = api.create("Contact", LastName="Marsh", Ext__c="1")
    rows = [person(1, id=identifier, Ext__c="2"), person(2, id=identifier, Nope="x")]

    api.patch(COLLECTION, {"allOrNone": True, "records": rows})

    assert api.get("/sobjects/Contact/Ext__c/1").json()["LastName"] == "Marsh"
    assert api.get("/sobjects/Contact/Ext__c/2").status_code == 404


def test_updates_need_ids(api) -> None:
    answer = api.patch(COLLECTION, {"records": [person(1), person(2)]})

    assert answer.json() == contract.recorded("collections.update.no_ids")


def test_no_record_is_no_request(api) -> None:
    answer = api.post(COLLECTION, {"records": []})

    assert answer.json() == contract.recorded("collections.create.bad_request")


@pytest.mark.parametrize("count", [201, 250])
def test_more_than_200_records_are_refused(api, count: int) -> None:
    answer = api.post(COLLECTION, {"records": [person(n) for n in range(count)]})

    assert answer.status_code == 400


def test_types_may_alternate_ten_times(api) -> None:
    rows = [person(n, KEYS[n % 2], Company="x") for n in range(11)]

    answer = api.post(COLLECTION, {"records": rows})

    assert answer.status_code == 400


def test_an_upsert_collection_says_what_was_created(api) -> None:
    api.create("Contact", LastName="Old", Ext__c="A-1")
    rows = [person(n, Ext__c=f"A-{n}") for n in range(3)]

    answer = api.patch(f"{COLLECTION}/Contact/Ext__c", {"records": rows})

    assert [row["created"] for row in answer.json()] == [True, False, True]
    assert contract.problems("CollectionResponse", answer.json()) == []


def test_a_key_twice_in_one_request_fails_all_that_share_it(api) -> None:
    rows = [person(1, Ext__c="A-1"), person(2, Ext__c="a-1"), person(3, Ext__c="A-3")]

    answer = api.patch(f"{COLLECTION}/Contact/Ext__c", {"records": rows}).json()

    known = contract.recorded("collections.upsert.partial")[1]["errors"][0]
    assert [row["success"] for row in answer] == [False, False, True]
    assert answer[0]["errors"][0] == known | {"fields": ["Ext__c"]}


def test_a_key_of_several_records_is_refused_in_its_row(api) -> None:
    for _ in range(2):
        api.create("Contact", LastName="x", Ext__c="dup")

    answer = api.patch(
        f"{COLLECTION}/Contact/Ext__c", {"records": [person(1, Ext__c="dup")]}
    ).json()

    assert answer[0]["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"


def test_a_collection_reads_and_deletes_by_ids(api) -> None:
    made = [api.create("Contact", LastName=f"P{n}") for n in range(3)]
    listed = ",".join(made)

    read = api.get(f"{COLLECTION}/Contact?ids={listed}&fields=LastName").json()
    posted = api.post(f"{COLLECTION}/Contact", {"ids": made, "fields": ["Id"]}).json()
    gone = api.delete(f"{COLLECTION}?ids={listed},{made[0]}&allOrNone=false").json()

    assert [row["LastName"] for row in read] == ["P0", "P1", "P2"]
    assert [row["Id"] for row in posted] == made
    assert [row["success"] for row in gone] == [True, True, True, False]
    assert gone[3]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_a_partial_batch_fault_locks_the_chosen_rows(api, sim) -> None:
    sim.set_fault("partial_batch", positions=[1])

    answer = api.post(COLLECTION, {"records": [person(n) for n in range(3)]}).json()

    codes = [row["errors"][0]["statusCode"] for row in answer if not row["success"]]
    assert ([r["success"] for r in answer], codes) == (
        [True, False, True],
        ["UNABLE_TO_LOCK_ROW"],
    )


def test_two_hundred_records_cost_little(api, sim) -> None:
    rows = [person(n, Email=f"p{n}@example.com", Ext__c=f"{n}") for n in range(200)]

    for _ in range(5):
        api.patch(f"{COLLECTION}/Contact/Ext__c", {"records": rows})

    fastest = min(line["ms"] for line in sim.requests_since())
    assert fastest < 20  # 0.1 ms a record
