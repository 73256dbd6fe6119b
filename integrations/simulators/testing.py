"""A running simulator for tests and benchmarks: starts one, steers it, stops it.

    with RunningSimulator("hubspot") as sim:
        requests.get(sim.base_url + "/crm/v3/objects/contacts", headers=sim.headers)
        assert sim.stats()["total"] == 1

Standard library only. In pytest: `pytest_plugins = ["integrations.simulators.testing"]`
gives the fixtures `<name>_process`, one for the session, and `<name>_simulator`, the
same emptied for each test.
"""

import http.client
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 20.0

CLIENT_ID = "demo-client-id"
CLIENT_SECRET = "demo-client-secret"
PRIVATE_TOKEN = "pat-demo-token"
HUB_ID = 4100001
OTHER_HUB_ID = 4100002
SALESFORCE_TOKEN = "00DFh0000000001!demo-session"
SALESFORCE_PASSWORD = "demo-password"
SALESFORCE_ORG_ID = "00DFh0000000001MAA"
SALESFORCE_OTHER_ORG_ID = "00DQs0000000001MAA"
# The user the API works as, and one who works in the browser.
SALESFORCE_USER_ID = "005Fh0000000001IAA"
SALESFORCE_UI_USER_ID = "005Fh0000000002IAA"
TOKENS = {"hubspot": PRIVATE_TOKEN, "salesforce": SALESFORCE_TOKEN}
# Settings without which a test waits or is refused for its rate.
CALM: dict[str, dict[str, Any]] = {
    "hubspot": {"limits": False, "index_delay_s": 0},
    "salesforce": {"limits": False},
}


class SimulatorError(Exception):
    """The simulator did not start, or refused a control request."""


class RunningSimulator:
    """One simulator process on a free port.

    data: folder that keeps the records over `kill` and `restart`. flags: more
    command-line flags, e.g. ["--no-limits"].
    """

    def __init__(
        self,
        name: str = "hubspot",
        *,
        data: Path | None = None,
        flags: list[str] | None = None,
        port: int = 0,
    ) -> None:
        self.name = name
        self.data = data
        self.flags = flags or []
        self.port = port
        self.base_url = ""
        self.headers = {"Authorization": f"Bearer {TOKENS.get(name, PRIVATE_TOKEN)}"}
        self._process: subprocess.Popen[str] | None = None
        # Open for the life of the process, not of a block.
        self._stderr = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    # -- life

    def start(self) -> "RunningSimulator":
        """Start and wait until it listens; raises SimulatorError."""
        command = [sys.executable, "-m", "integrations.simulators", self.name]
        command += ["--port", str(self.port), *self.flags]
        if self.data is not None:
            command += ["--data", str(self.data)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        line = self._first_line()
        if " on http://" not in line:
            self.kill()
            self._stderr.seek(0)
            raise SimulatorError(line + self._stderr.read())
        self.base_url = line.rsplit(" ", 1)[1].strip()
        # The same port again after a restart: clients keep their base_url.
        self.port = urlsplit(self.base_url).port or 0
        return self

    def _first_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_TIMEOUT_S)
        return self._process.stdout.readline() if ready else ""

    def stop(self) -> None:
        """Ask it to end (SIGTERM) and wait."""
        if self._process is not None:
            self._process.terminate()
            self._ended()

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._ended()

    def restart(self) -> None:
        """Kill it and start it again on the same port."""
        self.kill()
        self.start()

    def _ended(self) -> None:
        assert self._process is not None
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def __enter__(self) -> "RunningSimulator":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._stderr.close()

    # -- control

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call /__sim/{path}; return the parsed answer; raises SimulatorError."""
        parts = urlsplit(self.base_url)
        assert parts.hostname is not None
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, f"/__sim/{path}", payload)
            reply = connection.getresponse()
            answer = json.loads(reply.read())
        finally:
            connection.close()
        if reply.status >= 300:
            raise SimulatorError(f"{method} {path}: {answer}")
        return answer

    def dump(self, object_name: str = "", *, hub_id: int | None = None) -> Any:
        """Return object -> records, or one object's records when it is named."""
        query: dict[str, object] = {"object": object_name} if object_name else {}
        if hub_id is not None:
            query["hub"] = hub_id
        found = self.control("GET", f"dump?{urlencode(query)}")
        return next(iter(found.values()), []) if object_name else found

    def stats(self) -> Any:
        """Return {total, inputs, by_status, routes, records}."""
        return self.control("GET", "stats")

    def requests_since(self, since: float = 0.0) -> list[dict[str, Any]]:
        """Return the request log from an epoch time on."""
        found: list[dict[str, Any]] = self.control("GET", f"log?since={since}")[
            "requests"
        ]
        return found

    def set_fault(self, kind: str, **rule: Any) -> Any:
        """Add a fault, e.g. set_fault("429", object="contacts", count=1)."""
        return self.control("POST", "faults", {"kind": kind, **rule})

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.control("DELETE", "faults")

    def configure(self, **settings: Any) -> Any:
        """Change settings, e.g. configure(limits=False, index_delay_s=0)."""
        return self.control("POST", "config", settings)

    def reset(self, *, keep_tokens: bool = True) -> None:
        """Forget records, definitions, faults, log; settings as at the start."""
        self.control("POST", "reset", {"keep_tokens": keep_tokens})

    def seed(
        self,
        records: list[dict[str, Any]],
        associations: list[dict[str, Any]] | None = None,
        *,
        hub_id: int | None = None,
        **more: Any,
    ) -> Any:
        """Put records in from outside the API; return object -> ids.

        more: what else a vendor's seeding takes, e.g. HubSpot's forms=[...].
        """
        query = f"?hub={hub_id}" if hub_id is not None else ""
        body = {"records": records, "associations": associations or [], **more}
        return self.control("POST", f"seed{query}", body)["ids"]

    def history(self, object_name: str, number: str) -> Any:
        """Return {fields: property -> versions, writes} of one record."""
        return self.control("GET", f"history/{quote(object_name)}/{quote(number)}")

    def set_webhooks(self, target_url: str, subscriptions: list[str]) -> Any:
        """Deliver these events, e.g. "contact.propertyChange:email", to a URL."""
        body = {"target_url": target_url, "subscriptions": subscriptions}
        return self.control("POST", "webhooks", body)

    def webhooks(self) -> Any:
        """Return {settings, subscriptions, waiting, deliveries}."""
        return self.control("GET", "webhooks")

    def add_token(self, token: str, scopes: list[str] | None = None) -> None:
        """Register a private app token."""
        self.control("POST", "tokens", {"token": token, "scopes": scopes})


def _process_of(name: str) -> Any:
    @pytest.fixture(scope="session", name=f"{name}_process")
    def process() -> Iterator[RunningSimulator]:
        """One simulator of this vendor for the whole session."""
        with RunningSimulator(name) as simulator:
            yield simulator

    return process


def _emptied(name: str) -> Any:
    @pytest.fixture(name=f"{name}_simulator")
    def simulator(request: pytest.FixtureRequest) -> RunningSimulator:
        """The session's simulator of this vendor, emptied, at its calmest."""
        found: RunningSimulator = request.getfixturevalue(f"{name}_process")
        found.reset(keep_tokens=False)
        found.configure(**CALM[name])
        return found

    return simulator


hubspot_process, hubspot_simulator = _process_of("hubspot"), _emptied("hubspot")
salesforce_process = _process_of("salesforce")
salesforce_simulator = _emptied("salesforce")


def wait_until(condition: Any, *, timeout_s: float = 10.0) -> Any:
    """Return the first true result of `condition()`; raises AssertionError."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError("the condition did not become true in time")
        time.sleep(0.02)
