"""Marketing campaigns in batches."""

from typing import Any

import pytest

from integrations.simulators.tests.hubspot.conftest import Api

CAMPAIGNS = "/marketing/v3/campaigns"
BATCH = f"{CAMPAIGNS}/batch"
NOBODY = "00000000-0000-4000-8000-000000000000"


def made(sim, count: int) -> list[str]:
    """Seed campaigns called C1, C2, ...; return their ids."""
    one = {"object": "campaigns", "count": count, "properties": {"hs_name": "C{n}"}}
    ids: list[str] = sim.seed([one])["campaigns"]
    return ids


def inputs(*properties: Any) -> dict[str, Any]:
    return {"inputs": [{"properties": each} for each in properties]}


def ids_of(answer: Any) -> list[str]:
    return [found["id"] for found in answer.json()["results"]]


def test_no_result_is_at_the_place_of_its_input(api: Api) -> None:
    wanted = [f"C{n}" for n in range(4)]

    answer = api.post(f"{BATCH}/create", inputs(*({"hs_name": n} for n in wanted)))

    told = [found["properties"]["hs_name"] for found in answer.json()["results"]]
    assert (answer.status_code, answer.json()["status"]) == (201, "COMPLETE")
    assert sorted(told) == wanted
    assert not [1 for a, b in zip(told, wanted, strict=True) if a == b]


def test_what_is_good_in_a_batch_is_created(api: Api, sim) -> None:
    answer = api.post(
        f"{BATCH}/create",
        inputs({"hs_name": "Good"}, {"hs_name": "Bad", "hs_owner": "1"}, {}),
    )

    body = answer.json()
    assert (answer.status_code, body["numErrors"]) == (207, 2)
    assert [found["properties"] for found in body["results"]] == [{"hs_name": "Good"}]
    assert "forbidden for write" in body["errors"][0]["message"]
    assert [x["properties"]["hs_name"] for x in sim.dump("campaigns")] == ["Good"]


def test_a_batch_is_refused_whole_when_it_is_no_batch(api: Api, sim) -> None:
    fifty_one = inputs(*({"hs_name": f"C{n}"} for n in range(51)))
    not_text = inputs({"hs_name": "Good"}, {"hs_name": 7})
    refused: list[dict[str, Any]] = [fifty_one, not_text, {"inputs": []}, {}]

    for body in refused:
        assert api.post(f"{BATCH}/create", body).status_code == 400
    assert sim.dump("campaigns") == []


def test_fifty_is_the_most(api: Api) -> None:
    answer = api.post(
        f"{BATCH}/create", inputs(*({"hs_name": f"C{n}"} for n in range(50)))
    )

    assert len(ids_of(answer)) == 50


def test_reading_gives_each_campaign_once_with_what_the_query_names(
    api: Api, sim
) -> None:
    first, second = made(sim, 2)
    body = {
        "inputs": [{"id": first}, {"id": second}, {"id": first.upper()}],
        "properties": ["hs_utm"],
    }

    answer = api.post(f"{BATCH}/read?properties=hs_name", body)
    unnamed = api.post(f"{BATCH}/read", body)

    assert answer.status_code == 200
    assert ids_of(answer) == [second, first]
    assert [(x["properties"], x["assets"]) for x in answer.json()["results"]] == [
        ({"hs_name": "C2"}, {}),
        ({"hs_name": "C1"}, {}),
    ]
    assert [x["properties"] for x in unnamed.json()["results"]] == [{}, {}]


def test_campaigns_that_are_not_there_are_told(api: Api, sim) -> None:
    known, gone = made(sim, 2)
    api.delete(f"{CAMPAIGNS}/{gone}")
    body = {"inputs": [{"id": number} for number in (known, gone, NOBODY)]}

    answer = api.post(f"{BATCH}/read", body)

    assert (answer.status_code, answer.json()["numErrors"]) == (207, 2)
    assert ids_of(answer) == [known]
    assert answer.json()["errors"][0]["context"]["ids"] == [gone, NOBODY]


def test_an_id_that_is_no_guid_spoils_the_batch(api: Api, sim) -> None:
    known = made(sim, 1)[0]

    for number in ("101", 7, None):
        body = {"inputs": [{"id": known}, {"id": number, "properties": {}}]}
        assert api.post(f"{BATCH}/read", body).status_code == 400
        assert api.post(f"{BATCH}/update", body).status_code == 400


def test_updates_are_told_by_their_ids(api: Api, sim) -> None:
    first, second = made(sim, 2)
    change = {"hs_notes": "New", "hs_audience": ""}
    body = {
        "inputs": [
            {"id": first, "properties": change},
            {"id": second, "properties": {"hs_start_date": "tomorrow"}},
            {"id": NOBODY, "properties": change},
        ]
    }

    answer = api.post(f"{BATCH}/update", body)

    told = answer.json()
    assert (answer.status_code, ids_of(answer)) == (207, [first])
    assert told["results"][0]["properties"] == {"hs_notes": "New"}
    assert [e["context"]["ids"] for e in told["errors"]] == [[second], [NOBODY]]
    assert [x["properties"].get("hs_notes") for x in sim.dump("campaigns")] == [
        "New",
        None,
    ]


def test_an_id_may_not_be_updated_twice_in_a_batch(api: Api, sim) -> None:
    number = made(sim, 1)[0]
    one = {"id": number, "properties": {"hs_notes": "New"}}

    answer = api.post(f"{BATCH}/update", {"inputs": [one, one]})

    assert answer.status_code == 400


def test_archiving_answers_204_whatever_was_there(api: Api, sim) -> None:
    first, second = made(sim, 2)
    body = {"inputs": [{"id": first}, {"id": NOBODY}, {"id": "101"}]}

    answer = api.post(f"{BATCH}/archive", body)

    assert answer.status_code == 204
    assert [x["id"] for x in sim.dump("campaigns") if not x["archived"]] == [second]


@pytest.mark.parametrize("name", ["create", "update", "archive"])
def test_writing_needs_the_write_scope(sim, name) -> None:
    sim.add_token("pat-limited", ["marketing.campaigns.read"])
    body = {"inputs": [{"id": NOBODY, "properties": {"hs_name": "A"}}]}

    assert (
        Api(sim.base_url, "pat-limited").post(f"{BATCH}/{name}", body).status_code
        == 403
    )


def test_a_partial_batch_spoils_the_chosen_inputs(api: Api, sim) -> None:
    sim.set_fault("partial_batch", positions=[1])
    body = inputs({"hs_name": "A"}, {"hs_name": "B"}, {"hs_name": "C"})

    answer = api.post(f"{BATCH}/create", body)

    kept = [x["properties"]["hs_name"] for x in sim.dump("campaigns")]
    assert (answer.status_code, kept) == (207, ["A", "C"])
    lines = sim.requests_since()
    assert (lines[-1]["template"], lines[-1]["inputs"]) == (f"{BATCH}/create", 3)
