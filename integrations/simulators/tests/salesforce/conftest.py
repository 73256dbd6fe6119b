"""One simulator process for these tests, and a client that speaks to it."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integrations.simulators.testing import (  # noqa: F401
    SALESFORCE_TOKEN,
    RunningSimulator,
    salesforce_process,
    salesforce_simulator,
)

V = "/services/data/v64.0"
NO_RULE = {"Sforce-Auto-Assign": "FALSE"}


class Api:
    """Calls a simulator with a session id; answers are `requests` responses.

    Paths are below /services/data/v64.0 unless they begin with /services.
    """

    def __init__(self, base_url: str, token: str = SALESFORCE_TOKEN) -> None:
        self.base_url = base_url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def call(
        self, method: str, path: str, body: Any = None, **more: Any
    ) -> requests.Response:
        whole = path if path.startswith("/services") else V + path
        return self.session.request(
            method,
            self.base_url + whole,
            json=body,
            timeout=20,
            allow_redirects=False,
            **more,
        )

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("POST", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> requests.Response:
        return self.call("DELETE", path, **more)

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
def sim(salesforce_simulator: RunningSimulator) -> RunningSimulator:  # noqa: F811
    return salesforce_simulator


@pytest.fixture
def api(sim: RunningSimulator) -> Iterator[Api]:
    client = Api(sim.base_url)
    yield client
    client.session.close()
