"""Every connector of the table, held against the contract."""

from collections.abc import Iterator

import pytest

from integrations.connectors import CONNECTORS
from integrations.simulators.testing import RunningSimulator
from integrations.tests.connectors.benches import Bench, Rig
from integrations.tests.connectors.contract import WritingContract
from integrations.tests.connectors.contract_reading import ReadingContract
from integrations.tests.connectors.contract_setup import SetUpContract
from integrations.tests.connectors.hubspot.bench import HUBSPOT_BENCH
from integrations.tests.connectors.salesforce.bench import SALESFORCE_BENCH

BENCHES: dict[str, Bench] = {
    bench.vendor: bench for bench in (HUBSPOT_BENCH, SALESFORCE_BENCH)
}


@pytest.fixture(scope="module", params=sorted(CONNECTORS))
def running(request: pytest.FixtureRequest) -> Iterator[tuple[str, RunningSimulator]]:
    with RunningSimulator(request.param) as simulator:
        yield request.param, simulator


@pytest.fixture
def rig(running: tuple[str, RunningSimulator]) -> Rig:
    vendor, simulator = running
    BENCHES[vendor].prepare(simulator)
    return Rig(BENCHES[vendor], simulator)


class TestWriting(WritingContract):
    """The suite itself is in `contract`."""


class TestReading(ReadingContract):
    """The suite itself is in `contract_reading`."""


class TestSetUp(SetUpContract):
    """The suite itself is in `contract_setup`."""


def test_every_connector_has_a_bench() -> None:
    assert set(BENCHES) == set(CONNECTORS)
