"""Every simulator's process: it survives a kill, its flags, and how it ends."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from integrations.simulators.testing import RunningSimulator
from integrations.simulators.tests.benches import Bench
from integrations.simulators.tests.test_oauth import SignedIn


@pytest.fixture
def kept(bench: Bench, tmp_path: Path) -> Iterator[RunningSimulator]:
    flags = ["--no-limits"]
    with RunningSimulator(bench.vendor, data=tmp_path, flags=flags) as found:
        yield found


def test_killing_it_loses_nothing_it_confirmed(bench, kept) -> None:
    client = bench.client(kept.base_url)
    person = SignedIn(bench, kept)
    first, gone = (
        client.post(bench.collection, bench.one(number)).json()["id"]
        for number in (1, 2)
    )
    client.delete(f"{bench.collection}/{gone}")
    client.patch(f"{bench.collection}/{first}", bench.edited("Oslo"))
    kept.configure(daily_limit=77)
    before = (kept.dump(), kept.history(bench.people, first))

    kept.restart()

    again = bench.client(kept.base_url)
    third = again.post(bench.collection, bench.one(3)).json()["id"]
    assert (kept.dump()[bench.people][:2]) == before[0][bench.people]
    assert kept.history(bench.people, first) == before[1]
    assert third not in (first, gone)
    assert kept.control("GET", "config")["daily_limit"] == 77
    assert person.refresh().status_code == 200


def test_a_torn_last_line_is_cut_off(bench, tmp_path) -> None:
    with RunningSimulator(bench.vendor, data=tmp_path) as sim:
        bench.client(sim.base_url).post(bench.collection, bench.one(1))
    with (tmp_path / f"{bench.vendor}.jsonl").open("ab") as journal:
        journal.write(b'{"account": "", "ops": [["new", "con')

    with RunningSimulator(bench.vendor, data=tmp_path) as sim:
        bench.client(sim.base_url).post(bench.collection, bench.one(2))
    with RunningSimulator(bench.vendor, data=tmp_path) as sim:
        assert len(sim.dump(bench.people)) == 2


def test_fresh_starts_empty(bench, tmp_path) -> None:
    with RunningSimulator(bench.vendor, data=tmp_path) as sim:
        bench.client(sim.base_url).post(bench.collection, bench.one())

    with RunningSimulator(bench.vendor, data=tmp_path, flags=["--fresh"]) as sim:
        assert sim.dump() == {}


def test_flags_choose_the_app_the_tokens_and_settings(bench) -> None:
    flags = ["--client-id", "mine", "--client-secret", "s", "--app-name", "Fern App"]
    flags += ["--token", bench.another_token, "--set", "daily_limit=5"]
    with RunningSimulator(bench.vendor, flags=flags) as sim:
        page = SignedIn.page(bench, sim, client_id="mine")
        unknown = SignedIn.page(bench, sim)
        mine = bench.client(sim.base_url, bench.another_token).get(bench.reading)
        usual = bench.client(sim.base_url).get(bench.reading)
        config = sim.control("GET", "config")

    assert (page.status_code, unknown.status_code) == (200, 400)
    assert "Fern App" in page.text
    assert (mine.status_code, usual.status_code) == (200, 401)
    assert config["daily_limit"] == 5


@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_within_two_seconds_of_being_asked(bench, busy) -> None:
    with RunningSimulator(bench.vendor) as sim, requests.Session() as session:
        session.get(f"{sim.base_url}/__sim/stats", timeout=10)
        if busy:
            sim.set_fault("latency", seconds=30)
            with pytest.raises(requests.Timeout):
                session.get(f"{sim.base_url}{bench.template}", timeout=0.1)

        started = time.monotonic()
        sim.stop()

        assert time.monotonic() - started < 2
