"""The control API of every simulator: seeing everything, seeding, starting over."""

import time

import pytest
import requests

from integrations.simulators import SIMULATORS
from integrations.simulators.testing import SimulatorError
from integrations.simulators.tests.conftest import BENCHES


def test_every_simulator_has_a_bench() -> None:
    assert set(BENCHES) == set(SIMULATORS)


def test_the_panel_is_a_page(sim) -> None:
    page = requests.get(f"{sim.base_url}/__sim/", timeout=10)

    assert page.headers["Content-Type"].startswith("text/html")
    assert "drop_after_apply" in page.text


def test_the_bare_address_leads_to_the_panel(sim) -> None:
    page = requests.get(sim.base_url, timeout=10)

    assert page.url.endswith("/__sim/")
    assert sim.stats()["total"] == 0


def test_an_unknown_control_is_not_found(sim) -> None:
    answer = requests.get(f"{sim.base_url}/__sim/nonsense", timeout=10)

    assert answer.status_code == 404


def test_the_log_tells_every_request(bench, client, sim) -> None:
    since = time.time()
    client.post(bench.collection, {})
    client.post(bench.batch, bench.several(3))

    lines = sim.requests_since(since)

    assert [(x["method"], x["inputs"]) for x in lines] == [("POST", 0), ("POST", 3)]
    assert lines[0]["template"] == bench.template
    assert lines[0]["status"] == 400
    assert lines[0]["caller"]
    assert sim.requests_since(time.time() + 1) == []


def test_the_statistics_count_by_route(bench, client, sim) -> None:
    client.post(bench.collection, bench.one(1))
    client.post(bench.collection, bench.one(2))
    client.post(bench.collection, {})

    stats = sim.stats()

    route = stats["routes"][f"POST {bench.template}"]
    assert stats["total"] == route["count"] == 3
    assert stats["by_status"] == route["statuses"] == {"201": 2, "400": 1}
    assert stats["records"] == {bench.people: 2}


def test_the_control_api_is_not_counted(sim) -> None:
    for _ in range(3):
        sim.control("GET", "config")

    assert sim.stats()["total"] == 0
    assert sim.requests_since() == []


def test_seeding_makes_many_and_numbers_them(bench, sim) -> None:
    person = bench.person() | {bench.city: "Town {n}"}
    person = {k: "p{n}@example.com" if "@" in v else v for k, v in person.items()}
    people = {"object": bench.people, "count": 3, "properties": person}

    made = sim.seed([people])

    dump = sim.dump(bench.people)
    assert [record["id"] for record in dump] == made[bench.people]
    towns = [record["properties"][bench.city] for record in dump]
    assert towns == ["Town 1", "Town 2", "Town 3"]


def test_a_person_may_edit_delete_and_restore(bench, client, sim) -> None:
    number = client.post(bench.collection, bench.one()).json()["id"]
    record = {"object": bench.people, "id": number}

    def count() -> int:
        return sim.stats()["records"][bench.people]

    sim.seed([record | {"properties": {bench.city: "Bonn"}}])
    counts = [count()]
    sim.seed([record | {"archived": True}])
    counts.append(count())
    live = sim.control("GET", f"dump?object={bench.people}&archived=false")
    gone = sim.dump(bench.people)
    sim.seed([record | {"archived": False}])
    counts.append(count())

    assert counts == [1, 0, 1]
    assert live == {bench.people: []}
    assert gone[0]["archived"] is True
    assert sim.dump(bench.people)[0]["archived"] is False
    assert sim.dump(bench.people)[0]["properties"][bench.city] == "Bonn"


def test_a_person_is_offered_what_may_be_edited(bench, sim) -> None:
    offered = sim.control("GET", f"editable?object={bench.people}")["fields"]

    assert bench.city in offered
    assert not {"Id", "CreatedDate", "hs_object_id", "createdate"}.intersection(offered)


def test_history_keeps_every_value(bench, client, sim) -> None:
    number = client.post(bench.collection, bench.one()).json()["id"]
    client.patch(f"{bench.collection}/{number}", bench.edited("Bonn"))
    change = {"object": bench.people, "id": number}
    sim.seed([change | {"properties": {bench.city: "Oslo"}}])

    history = sim.history(bench.people, number)

    towns = [version["value"] for version in history["fields"][bench.city]]
    sources = [version["sourceType"] for version in history["fields"][bench.city]]
    assert towns == ["Lyon", "Bonn", "Oslo"]
    assert sources[0] == sources[1] != sources[2]
    assert history["writes"][-1]["changes"] == {bench.city: "Oslo"}


def test_an_object_nobody_has_is_refused(sim) -> None:
    with pytest.raises(SimulatorError, match="no such object"):
        sim.seed([{"object": "nonsense", "properties": {}}])
    with pytest.raises(SimulatorError, match="no such object"):
        sim.dump("nonsense")


def test_settings_are_checked_before_any_is_changed(sim) -> None:
    before = sim.control("GET", "config")

    with pytest.raises(SimulatorError, match="no such setting"):
        sim.configure(daily_limit=9, speed="fast")

    assert sim.control("GET", "config") == before


def test_the_date_header_follows_the_clock(bench, client, sim) -> None:
    sim.configure(clock_skew_s=-86_400 * 365)

    told = client.get(bench.reading).headers["Date"]

    assert str(time.gmtime(time.time() - 86_400 * 365).tm_year) in told


def test_a_reset_forgets_all_but_tokens(bench, client, sim) -> None:
    sim.add_token(bench.another_token)
    client.post(bench.collection, bench.one())
    sim.set_fault("401")
    sim.configure(daily_limit=7)

    sim.reset()

    other = bench.client(sim.base_url, bench.another_token)
    assert sim.dump() == {}
    assert sim.stats()["total"] == 0
    assert sim.control("GET", "config")["daily_limit"] != 7
    assert other.get(bench.reading).status_code == 200


def test_a_reset_may_forget_tokens_too(bench, sim) -> None:
    sim.add_token(bench.another_token)

    sim.reset(keep_tokens=False)

    other = bench.client(sim.base_url, bench.another_token)
    assert other.get(bench.reading).status_code == 401


def test_a_token_can_be_taken_away(bench, sim) -> None:
    sim.add_token(bench.another_token)
    other = bench.client(sim.base_url, bench.another_token)
    before = other.get(bench.reading).status_code

    sim.control("DELETE", f"tokens/{bench.another_token}")

    assert (before, other.get(bench.reading).status_code) == (200, 401)
