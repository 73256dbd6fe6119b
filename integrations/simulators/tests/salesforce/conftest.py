"""One simulator process for these tests, and a client that speaks to it."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integrations.simulators.testing import SALESFORCE_TOKEN, RunningSimulator
from integrations.simulators.tests.client import Client

V = "/services/data/v64.0"
NO_RULE = {"Sforce-Auto-Assign": "FALSE"}


class Api(Client):
    """Calls a simulator with a session id.

    Paths are below /services/data/v64.0 unless they begin with /services.
    """

    def __init__(self, base_url: str, token: str = SALESFORCE_TOKEN) -> None:
        super().__init__(base_url, token)

    def whole(self, path: str) -> str:
        return path if path.startswith("/services") else V + path

    def create(self, kind: str, **values: Any) -> str:
        """Create a record past the assignment rule, and return its id."""
        answer = self.post(f"/sobjects/{kind}", values, headers=NO_RULE)
        assert answer.status_code == 201, answer.text
        identifier: str = answer.json()["id"]
        return identifier

    def update(self, kind: str, identifier: str, **values: Any) -> None:
        """Change a record past the assignment rule."""
        path = f"/sobjects/{kind}/{identifier}"
        answer = self.patch(path, values, headers=NO_RULE)
        assert answer.status_code == 204, answer.text

    def query(self, text: str, **more: Any) -> Any:
        """Run a query and return its first page."""
        answer = self.get("/query", params={"q": text}, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def values(self, text: str) -> list[Any]:
        """Run a query and return each record's last selected value."""
        return [list(record.values())[-1] for record in self.query(text)["records"]]

    def refused(self, answer: requests.Response) -> tuple[int, str]:
        """Return (status, first error code)."""
        return answer.status_code, answer.json()[0]["errorCode"]


@pytest.fixture
def sim(salesforce_simulator: RunningSimulator) -> RunningSimulator:
    return salesforce_simulator


@pytest.fixture
def api(sim: RunningSimulator) -> Iterator[Api]:
    client = Api(sim.base_url)
    yield client
    client.session.close()
