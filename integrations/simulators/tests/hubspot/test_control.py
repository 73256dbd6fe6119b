"""The control API: seeing everything, seeding, and surviving a kill."""

import json
import time

import pytest

from integrations.simulators.testing import HUB_ID, RunningSimulator, SimulatorError
from integrations.simulators.tests.hubspot.conftest import Api
from integrations.simulators.tests.hubspot.test_oauth import exchange, refresh

CONTACTS = "/crm/v3/objects/contacts"


def test_the_log_tells_every_request(api: Api, sim) -> None:
    since = time.time()
    api.get(f"{CONTACTS}/999")
    body = {
        "inputs": [{"properties": {"email": f"p{n}@example.com"}} for n in range(3)]
    }
    api.post(f"{CONTACTS}/batch/create", body)

    lines = sim.requests_since(since)

    told = [(x["method"], x["template"], x["status"], x["inputs"]) for x in lines]
    assert told == [
        ("GET", f"{CONTACTS}/{{id}}", 404, 0),
        ("POST", f"{CONTACTS}/batch/create", 201, 3),
    ]
    assert lines[0]["path"] == f"{CONTACTS}/999"
    assert lines[0]["caller"] == "private:4100001"
    assert sim.requests_since(time.time() + 1) == []


def test_the_dump_shows_records_and_their_associations(api: Api, sim) -> None:
    sim.seed(
        [
            {"object": "contacts", "key": "ann", "properties": {"lastname": "Lee"}},
            {"object": "companies", "key": "fern", "properties": {"name": "Fern"}},
        ],
        [{"from": ["contacts", "ann"], "to": ["companies", "fern"], "typeId": 1}],
    )

    dump = sim.dump()

    assert dump["contacts"][0]["properties"]["lastname"] == "Lee"
    assert dump["contacts"][0]["associations"] == {
        "companies": [{"id": "101", "types": [279, 1]}]
    }


def test_a_silent_change_leaves_no_trace(api: Api, sim) -> None:
    number = api.create("contacts", lastname="Lee", city="Lyon")
    before = sim.history("contacts", number)

    sim.seed(
        [
            {
                "object": "contacts",
                "id": number,
                "silent": True,
                "properties": {"city": "Bonn"},
            }
        ]
    )

    after = api.get(f"{CONTACTS}/{number}?properties=city").json()
    assert after["properties"]["city"] == "Bonn"
    assert sim.history("contacts", number) == before


def test_a_person_may_change_records_and_read_only_values(api: Api, sim) -> None:
    number = api.create("contacts", lastname="Lee")
    change = {"object": "contacts", "id": number}

    sim.seed([change | {"properties": {"city": "Bonn"}}])
    sim.seed([change | {"system": True, "properties": {"hubspotscore": "42"}}])

    fields = sim.history("contacts", number)["fields"]
    assert [v["sourceType"] for v in fields["city"]] == ["CRM_UI"]
    assert fields["hubspotscore"][0]["value"] == "42"


def test_history_keeps_every_value_and_its_source(api: Api, sim) -> None:
    number = api.create("contacts", lastname="Lee", city="Lyon")
    api.patch(f"{CONTACTS}/{number}", {"properties": {"city": "Bonn"}})
    api.patch(f"{CONTACTS}/{number}", {"properties": {"city": ""}})

    history = sim.history("contacts", number)
    read = api.get(f"{CONTACTS}/{number}?propertiesWithHistory=city").json()

    assert [v["value"] for v in history["fields"]["city"]] == ["Lyon", "Bonn", ""]
    assert {v["sourceType"] for v in history["fields"]["city"]} == {"INTEGRATION"}
    assert len(history["writes"]) == 3
    newest_first = [v["value"] for v in read["propertiesWithHistory"]["city"]]
    assert newest_first == ["", "Bonn", "Lyon"]


def test_seeding_is_checked_like_any_write(sim) -> None:
    with pytest.raises(SimulatorError, match="INVALID_EMAIL"):
        sim.seed([{"object": "contacts", "properties": {"email": "bad"}}])


def test_a_skewed_clock_shows_in_dates(api: Api, sim) -> None:
    sim.configure(clock_skew_s=300)
    number = api.create("contacts", lastname="Lee")

    answer = api.get(f"{CONTACTS}/{number}")

    stamp = answer.json()["createdAt"][:16]
    expected = {
        time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() + 300 - back))
        for back in (0, 60)
    }
    assert stamp in expected


def test_killing_it_loses_nothing_it_confirmed(tmp_path) -> None:
    with RunningSimulator(data=tmp_path, flags=["--no-limits"]) as sim:
        api = Api(sim.base_url)
        granted = exchange(sim)
        company = api.create("companies", name="Fern")
        gone = api.create("contacts", email="gone@example.com")
        api.delete(f"{CONTACTS}/{gone}")
        contact = api.create("contacts", email="ann@example.com")
        api.patch(f"{CONTACTS}/{contact}", {"properties": {"city": "Lyon"}})
        path = f"/crm/v4/objects/contacts/{contact}/associations/companies/{company}"
        api.put(
            path, [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
        )
        definition = {
            "name": "shoe_size",
            "label": "Shoe",
            "type": "number",
            "fieldType": "number",
            "groupName": "contactinformation",
        }
        api.post("/crm/v3/properties/contacts", definition)
        sim.configure(search_limit=77)
        before, history = sim.dump(), sim.history("contacts", contact)

        sim.restart()

        again = Api(sim.base_url)
        taken = again.post(CONTACTS, {"properties": {"email": "ann@example.com"}})
        assert sim.dump() == before
        assert sim.history("contacts", contact) == history
        assert taken.status_code == 409
        assert again.get("/crm/v3/properties/contacts/shoe_size").status_code == 200
        assert sim.control("GET", "config")["search_limit"] == 77
        assert refresh(sim, granted["refresh_token"]).status_code == 200


def test_a_journal_whose_lines_were_named_otherwise_is_still_read(tmp_path) -> None:
    lines = [
        {"h": 0, "ops": [["doc", "private", "pat-old", {"hub_id": HUB_ID}]]},
        {"h": HUB_ID, "ops": [["new", "contacts", 101, 1, {"city": "Oslo"}, "", ""]]},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "hubspot.jsonl").write_text(text)

    with RunningSimulator(data=tmp_path) as sim:
        assert sim.dump("contacts")[0]["properties"]["city"] == "Oslo"
        assert "pat-old" in sim.control("GET", "tokens")["private"]


def test_the_statistics_leave_out_what_was_erased(api: Api, sim) -> None:
    kept, erased, archived = (api.create("contacts", lastname=n) for n in "ABC")
    api.delete(f"{CONTACTS}/{archived}")

    for number in (erased, archived):
        body = {"objectId": number}
        assert api.post(f"{CONTACTS}/gdpr-delete", body).status_code == 204

    assert sim.stats()["records"] == {"contacts": 1}
    assert [record["id"] for record in sim.dump("contacts")] == [kept]
