"""One simulator process for these tests, and a client that speaks to it."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from integrations.simulators.hubspot import Options, build
from integrations.simulators.server import SimulatorServer
from integrations.simulators.testing import PRIVATE_TOKEN, RunningSimulator
from integrations.simulators.tests.client import Client
from integrations.simulators.tests.hubspot.contract import Exchange
from integrations.simulators.wire import Request, request_of, wsgi_app


class Api(Client):
    """Calls a simulator with a private app's token."""

    def __init__(self, base_url: str, token: str = PRIVATE_TOKEN) -> None:
        super().__init__(base_url, token)

    def create(self, kind: str, **properties: str) -> str:
        """Create a record and return its id."""
        answer = self.post(f"/crm/v3/objects/{kind}", {"properties": properties})
        assert answer.status_code == 201, answer.text
        number: str = answer.json()["id"]
        return number

    def search(self, kind: str, *filters: dict[str, Any], **more: Any) -> Any:
        """Search with one filter group and return the answer's JSON."""
        body = {"filterGroups": [{"filters": list(filters)}], **more}
        answer = self.post(f"/crm/v3/objects/{kind}/search", body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def sim(hubspot_simulator: RunningSimulator) -> RunningSimulator:
    return hubspot_simulator


@pytest.fixture
def api(sim: RunningSimulator) -> Iterator[Api]:
    client = Api(sim.base_url)
    yield client
    client.session.close()


class Recorded:
    """A simulator in this process that remembers what was said."""

    def __init__(self) -> None:
        settings = {"limits": False, "index_delay_s": 0}
        self.simulator = build(Options(settings=settings))
        self.exchanges: list[Exchange] = []
        self._lock = threading.Lock()
        self._app = wsgi_app(self.simulator.handle)
        self.server = SimulatorServer(self._record, host="127.0.0.1", port=0)

    def _record(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        request = request_of(environ)
        answered: list[int] = []

        def note(status: str, headers: list[tuple[str, str]]) -> None:
            answered.append(int(status.split()[0]))
            start_response(status, headers)

        body = b"".join(
            wsgi_app(lambda _: self._handle(request))(_empty(environ), note)
        )
        with self._lock:
            self.exchanges.append(
                Exchange(
                    method=request.method,
                    path=request.path,
                    query=request.query,
                    content_type=request.header("Content-Type"),
                    sent=request.body,
                    status=answered[0],
                    received=body,
                )
            )
        return [body]

    def _handle(self, request: Request) -> Any:
        return self.simulator.handle(request)


def _empty(environ: dict[str, Any]) -> dict[str, Any]:
    return environ | {"CONTENT_LENGTH": "0"}


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    found = Recorded()
    found.server.start()
    yield found
    found.server.stop()
    found.simulator.close()
