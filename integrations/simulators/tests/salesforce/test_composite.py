"""Composite, batch, graph and tree requests."""

from typing import Any

from integrations.simulators.tests.salesforce import contract
from integrations.simulators.tests.salesforce.conftest import V


def part(name: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    made = {"referenceId": name, "method": method, "url": V + path}
    return made | ({"body": body} if body is not None else {})


def composite(api, *parts: dict[str, Any], all_or_none: bool = False) -> Any:
    body = {"compositeRequest": list(parts), "allOrNone": all_or_none}
    assert contract.problems("CompositeRequest", body) == []
    answer = api.post("/composite", body)
    assert answer.status_code == 200, answer.text
    assert contract.problems("CompositeResponse", answer.json()) == []
    return answer.json()["compositeResponse"]


ACCOUNT = part("acc", "POST", "/sobjects/Account", {"Name": "Fern"})
BAD = part("bad", "POST", "/sobjects/Contact", {})


def test_later_parts_refer_to_earlier_ones(api) -> None:
    contact = {"LastName": "Marsh", "AccountId": "@{acc.id}"}
    parts = composite(
        api,
        ACCOUNT,
        part("con", "POST", "/sobjects/Contact", contact),
        part("read", "GET", "/sobjects/Contact/@{con.id}?fields=Account.Name"),
        part("list", "GET", "/query?q=SELECT+Id+FROM+Account"),
        part("again", "GET", "/sobjects/Account/@{list.records[0].Id}?fields=Name"),
    )

    assert [p["httpStatusCode"] for p in parts] == [201, 201, 200, 200, 200]
    assert parts[2]["body"]["Account"]["Name"] == "Fern"
    assert parts[4]["body"]["Name"] == "Fern"
    assert parts[0]["httpHeaders"]["Location"].startswith(V)


def test_parts_fail_alone(api) -> None:
    parts = composite(api, BAD, ACCOUNT)

    assert [p["httpStatusCode"] for p in parts] == [400, 201]
    assert parts[0]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"


def test_all_or_none_takes_everything_back(api) -> None:
    parts = composite(api, ACCOUNT, BAD, part("x", "GET", "/limits"), all_or_none=True)

    known = contract.recorded("composite.rolled_back")["compositeResponse"][1]["body"]
    assert [p["httpStatusCode"] for p in parts] == [400, 400, 400]
    assert parts[0]["body"] == parts[2]["body"] == known
    assert api.query("SELECT COUNT() FROM Account")["totalSize"] == 0


def test_a_reference_to_nothing_is_halted(api) -> None:
    (answer,) = composite(
        api, part("x", "GET", "/sobjects/Account/@{no.records[0].Id}")
    )

    known = contract.recorded("composite.rolled_back")["compositeResponse"][0]
    expected = known["body"][0]["message"].replace("schoolRt", "no")
    assert answer["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert answer["body"][0]["message"] == expected


def test_a_composite_is_one_call_and_has_25_parts(api) -> None:
    before = _used(api)
    composite(api, *[part(f"p{n}", "GET", "/limits") for n in range(25)])
    after = _used(api)

    body = {"compositeRequest": [part(f"p{n}", "GET", "/limits") for n in range(26)]}
    assert after - before == 2
    assert api.post("/composite", body).status_code == 400


def test_each_part_of_a_batch_counts(api) -> None:
    before = _used(api)
    parts = [{"method": "GET", "url": "v64.0/limits"}] * 3
    bad = {"method": "POST", "url": "v64.0/sobjects/Lead", "richInput": {}}

    answer = api.post("/composite/batch", {"batchRequests": [*parts, bad]}).json()

    assert _used(api) - before == 5
    assert answer["hasErrors"] is True
    assert [r["statusCode"] for r in answer["results"]] == [200, 200, 200, 400]


def test_a_batch_may_halt(api) -> None:
    bad = {"method": "POST", "url": "v64.0/sobjects/Lead", "richInput": {}}
    body = {"haltOnError": True, "batchRequests": [bad, bad]}

    answer = api.post("/composite/batch", body).json()

    assert answer["results"][1]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"


def test_graphs_stand_alone(api) -> None:
    body = {
        "graphs": [
            {"graphId": "good", "compositeRequest": [ACCOUNT]},
            {"graphId": "bad", "compositeRequest": [ACCOUNT, BAD]},
        ]
    }

    answer = api.post("/composite/graph", body).json()["graphs"]

    assert [(g["graphId"], g["isSuccessful"]) for g in answer] == [
        ("good", True),
        ("bad", False),
    ]
    assert api.query("SELECT COUNT() FROM Account")["totalSize"] == 1


def test_a_tree_plants_parents_and_children(api) -> None:
    child = {"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": "Marsh"}
    tree = {
        "records": [
            {
                "attributes": {"type": "Account", "referenceId": "a"},
                "Name": "Fern",
                "Contacts": {"records": [child]},
            }
        ]
    }

    answer = api.post("/composite/tree/Account", tree)

    assert answer.status_code == 201
    assert [r["referenceId"] for r in answer.json()["results"]] == ["a", "c"]
    assert api.values("SELECT Id, Account.Name FROM Contact")[0]["Name"] == "Fern"


def _used(api) -> int:
    info = api.get("/limits").headers["Sforce-Limit-Info"]
    return int(info.partition("=")[2].partition("/")[0])
