"""The control API: seeing everything, seeding, and surviving a kill."""

import time

import pytest
import requests

from integrations.simulators.testing import RunningSimulator, SimulatorError
from integrations.simulators.tests.conftest import Api
from integrations.simulators.tests.test_oauth import exchange, refresh

CONTACTS = "/crm/v3/objects/contacts"


def test_the_panel_is_a_page(sim) -> None:
    page = requests.get(f"{sim.base_url}/__sim/", timeout=10)

    assert page.headers["Content-Type"].startswith("text/html")
    assert "drop_after_apply" in page.text


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


def test_the_statistics_count_by_route(api: Api, sim) -> None:
    api.get(f"{CONTACTS}/1")
    api.get(f"{CONTACTS}/2")
    api.create("contacts", lastname="Lee")

    stats = sim.stats()

    assert stats["total"] == 3
    assert stats["routes"][f"GET {CONTACTS}/{{id}}"]["count"] == 2
    assert stats["by_status"] == {"404": 2, "201": 1}
    assert stats["records"] == {"contacts": 1}


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


def test_settings_are_checked_before_any_is_changed(sim) -> None:
    with pytest.raises(SimulatorError, match="no such setting"):
        sim.configure(search_limit=9, speed="fast")

    assert sim.control("GET", "config")["search_limit"] == 5


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


def test_a_torn_last_line_is_cut_off(tmp_path) -> None:
    with RunningSimulator(data=tmp_path) as sim:
        Api(sim.base_url).create("contacts", email="ann@example.com")
    with (tmp_path / "hubspot.jsonl").open("ab") as journal:
        journal.write(b'{"h": 4100001, "ops": [["new", "con')

    with RunningSimulator(data=tmp_path) as sim:
        Api(sim.base_url).create("contacts", email="bob@example.com")
    with RunningSimulator(data=tmp_path) as sim:
        assert len(sim.dump("contacts")) == 2


def test_fresh_starts_empty(tmp_path) -> None:
    with RunningSimulator(data=tmp_path) as sim:
        Api(sim.base_url).create("contacts", email="ann@example.com")

    with RunningSimulator(data=tmp_path, flags=["--fresh"]) as sim:
        assert sim.dump() == {}


def test_a_reset_forgets_records_and_keeps_tokens(api: Api, sim) -> None:
    granted = exchange(sim)
    api.create("contacts", lastname="Lee")

    sim.reset()

    assert sim.dump() == {}
    assert sim.stats()["total"] == 0
    assert refresh(sim, granted["refresh_token"]).status_code == 200


def test_flags_choose_the_app_and_the_tokens() -> None:
    flags = ["--client-id", "mine", "--client-secret", "s", "--token", "pat-mine"]
    with RunningSimulator(flags=flags) as sim:
        form = {
            "client_id": "mine",
            "client_secret": "s",
            "grant_type": "refresh_token",
        }
        url = f"{sim.base_url}/oauth/v3/token"

        refused = requests.post(url, data=form, timeout=10).json()

        assert refused["status"] == "BAD_REFRESH_TOKEN"
        assert Api(sim.base_url, "pat-mine").get(CONTACTS).status_code == 200
        assert Api(sim.base_url).get(CONTACTS).status_code == 401


@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_within_two_seconds_of_being_asked(busy) -> None:
    with RunningSimulator() as sim, requests.Session() as session:
        session.get(f"{sim.base_url}/__sim/stats", timeout=10)
        if busy:
            sim.set_fault("latency", seconds=30)
            with pytest.raises(requests.Timeout):
                session.get(f"{sim.base_url}{CONTACTS}", timeout=0.1)

        started = time.monotonic()
        sim.stop()

        assert time.monotonic() - started < 2


def test_the_bare_address_leads_to_the_panel(sim) -> None:
    page = requests.get(sim.base_url, timeout=10)

    assert page.url.endswith("/__sim/")
    assert sim.stats()["total"] == 0
