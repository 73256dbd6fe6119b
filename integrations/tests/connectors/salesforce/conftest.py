"""A connector, the org it speaks to and what was observed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from integrations.connectors.http import HttpClient
from integrations.connectors.messages import CallRecord
from integrations.connectors.salesforce.bulk import Patience
from integrations.connectors.salesforce.connector import SalesforceConnector
from integrations.connectors.salesforce.errors import parse_error
from integrations.connectors.salesforce.spec import OWN_KEY
from integrations.records import RemoteField, Write
from integrations.simulators.testing import SALESFORCE_TOKEN, RunningSimulator

QUICK = Patience(wait_s=20.0, first_poll_s=0.02)


@dataclass
class Org:
    """One org of the simulator, and a connector to it."""

    simulator: RunningSimulator
    calls: list[CallRecord] = field(default_factory=list)
    patience: Patience = QUICK

    def connector(
        self, token: Callable[..., str] | None = None, **options: Any
    ) -> SalesforceConnector:
        client = HttpClient(
            self.simulator.base_url,
            token or (lambda refused=None: SALESFORCE_TOKEN),
            vendor="salesforce",
            parse_error=parse_error,
            on_call=self.calls.append,
            **options,
        )
        return SalesforceConnector(client, self.patience)

    def seed(self, object_type: str, count: int = 1, **fields: object) -> list[str]:
        entry = {"object": object_type, "properties": fields, "count": count}
        made: list[str] = self.simulator.seed([entry])[object_type]
        return made

    def held(self, object_type: str) -> list[dict[str, Any]]:
        """Return the fields of the live records."""
        dumped = self.simulator.dump(object_type)
        return [one["properties"] for one in dumped if not one["archived"]]

    def made(self, *objects: str) -> None:
        """Make our key field on these."""
        key = RemoteField(OWN_KEY, "crmsync id", "text", unique=True)
        for name in objects:
            (field_,) = self.connector().ensure_fields(name, [key])
            assert field_.refusal is None
        self.calls.clear()

    def paths(self, *methods: str) -> list[str]:
        """Return what was called, without the part that all paths begin with."""
        asked = methods or ("GET", "POST", "PUT", "PATCH", "DELETE")
        return [
            one.path.removeprefix("/services/data/v64.0/")
            for one in self.calls
            if one.method in asked
        ]


@pytest.fixture
def org(salesforce_simulator: RunningSimulator) -> Org:
    return Org(salesforce_simulator)


def lead(number: int = 1, **more: object) -> Write:
    """An upsert of a lead by its e-mail, with our key beside it."""
    fields = {
        OWN_KEY: f"key-{number}",
        "LastName": f"Doe {number}",
        "Company": "Example",
        **more,
    }
    mail = f"person{number}@example.com"
    return Write(f"lead-{number}", "Lead", None, "Email", mail, fields)
