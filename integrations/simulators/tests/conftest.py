"""What every simulator is held to runs once for each vendor."""

from collections.abc import Iterator

import pytest

from integrations.simulators.testing import RunningSimulator
from integrations.simulators.tests.benches import Bench
from integrations.simulators.tests.client import Client
from integrations.simulators.tests.hubspot.bench import HUBSPOT
from integrations.simulators.tests.salesforce.bench import SALESFORCE

BENCHES: dict[str, Bench] = {bench.vendor: bench for bench in (HUBSPOT, SALESFORCE)}


@pytest.fixture(params=sorted(BENCHES))
def bench(request: pytest.FixtureRequest) -> Bench:
    return BENCHES[request.param]


@pytest.fixture
def sim(bench: Bench, request: pytest.FixtureRequest) -> RunningSimulator:
    found: RunningSimulator = request.getfixturevalue(f"{bench.vendor}_simulator")
    return found


@pytest.fixture
def client(bench: Bench, sim: RunningSimulator) -> Iterator[Client]:
    found = bench.client(sim.base_url)
    yield found
    found.session.close()
