"""Every connector of the table, held against the contract."""

from collections.abc import Iterator

import pytest

from integrations.connectors import CONNECTORS
from integrations.simulators.testing import RunningSimulator
from integrations.tests.connectors.contract import BENCHES, ConnectorContract, Rig


@pytest.fixture(scope="module", params=sorted(CONNECTORS))
def running(request: pytest.FixtureRequest) -> Iterator[tuple[str, RunningSimulator]]:
    with RunningSimulator(request.param) as simulator:
        yield request.param, simulator


@pytest.fixture
def rig(running: tuple[str, RunningSimulator]) -> Rig:
    vendor, simulator = running
    simulator.reset(keep_tokens=False)
    simulator.configure(limits=False, index_delay_s=0)
    return Rig(BENCHES[vendor], simulator)


class TestContract(ConnectorContract):
    """The suite itself is in `contract`."""


def test_every_connector_has_a_bench() -> None:
    assert set(BENCHES) == set(CONNECTORS)
