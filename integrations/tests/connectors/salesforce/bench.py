"""Salesforce on the shared bench."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.records import RemoteField, RemoteOption
from integrations.simulators.testing import RunningSimulator
from integrations.tests.connectors.benches import Bench, Rig


@dataclass(frozen=True)
class SalesforceBench(Bench):
    """People are contacts; what they must have comes with each."""

    def prepare(self, simulator: RunningSimulator) -> None:
        """Empty the org and take its limits away."""
        simulator.reset(keep_tokens=False)
        simulator.configure(limits=False)

    def narrow_token(self, simulator: RunningSimulator) -> str | None:
        """Return None: rights are the user's, and scopes are not named."""
        return None

    def merge(self, rig: Rig, primary: str, other: str) -> str | None:
        """Merge two people as somebody there would; return the survivor's id."""
        body = {"object": self.people, "master": primary, "losers": [other]}
        merged = rig.simulator.control("POST", "merge", body)
        return str(merged["master"])

    def seed_people(
        self,
        simulator: RunningSimulator,
        count: int,
        *,
        name: str = "p",
        changed_at: datetime | None = None,
    ) -> list[str]:
        """Make people with addresses of their own; return their ids."""
        fields = {self.key: name + "{n}@example.com", self.text: "Person {n}"}
        entry: dict[str, Any] = {
            "object": self.people,
            "properties": fields | dict(self.always),
            "count": count,
        }
        if changed_at is not None:
            entry["updatedAt"] = changed_at.isoformat()
        ids: list[str] = simulator.seed([entry])[self.people]
        return ids


_COLOURS = tuple(RemoteOption(one, one.title()) for one in ("red", "green", "blue"))

SALESFORCE_BENCH = SalesforceBench(
    vendor="salesforce",
    account_id="00DFh0000000001MAA",
    people="Contact",
    key="Email",
    text="FirstName",
    other_text="Title",
    bad_key="not an address",
    activity="Task",
    activity_fields={"Status": "Not Started"},
    activity_text="Subject",
    deals="Opportunity",
    scan_page=2000,
    always={"LastName": "Doe"},
    spellings=(
        (RemoteField("seats", "Seats", "number"), ("10", "10.0", "1e1", " 10 ")),
        (RemoteField("partner", "Partner", "bool"), ("true", "TRUE")),
        (
            RemoteField("renewal", "Renewal", "date"),
            ("2026-02-28", "2026-02-28T00:00:00Z"),
        ),
        (
            RemoteField("seen", "Seen", "datetime"),
            (
                "2026-01-02T03:04:05Z",
                "2026-01-02T03:04:05.000+0000",
                "2026-01-02T04:04:05+01:00",
            ),
        ),
        (
            RemoteField("colours", "Colours", "multi_enum", _COLOURS),
            ("red;blue", "blue;red", ";blue;red;"),
        ),
        (RemoteField("motto", "Motto", "text"), ("Größe ;zählt",)),
    ),
)
