"""What the shared suite needs to know of a vendor, and the rig it is run on.

A `Bench` says in the vendor's words what the suite speaks of; the vendor is a
simulator in a process of its own, which shares nothing with the connector.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.connectors import CONNECTORS
from integrations.connectors.base import Connector
from integrations.connectors.http import CallRecord, HttpClient
from integrations.records import Association, RemoteField, Write
from integrations.simulators.testing import TOKENS, RunningSimulator


@dataclass(frozen=True)
class Held:
    """A live record as the simulator has it."""

    id: str
    fields: Mapping[str, str | None]


@dataclass(frozen=True)
class Bench:
    """One vendor's words, and how its simulator is steered.

    `key`: a natural unique field of people; `text`, `other_text`: any writable text
    fields; `bad_key`: a value of `key` that the vendor refuses; `scan_page`: records in
    a page of a scan. `spellings`: fields of people, made where they are missing, with
    texts that all mean one value. `always`: fields of people that none can do without.

    The methods speak the control API that the simulators share; a vendor whose
    simulator differs overrides them.
    """

    vendor: str
    account_id: str
    people: str
    key: str
    text: str
    other_text: str
    bad_key: str
    activity: str
    activity_fields: Mapping[str, object]
    activity_text: str
    deals: str
    scan_page: int
    spellings: tuple[tuple[RemoteField, tuple[str, ...]], ...]
    always: Mapping[str, object] = field(default_factory=dict)

    def prepare(self, simulator: RunningSimulator) -> None:
        """Empty the account and take what delays or limits away."""
        simulator.reset(keep_tokens=False)
        simulator.configure(limits=False, index_delay_s=0)

    def narrow_token(self, simulator: RunningSimulator) -> str | None:
        """Return a token that may not write people, None where no token is such."""
        simulator.add_token("pat-narrow", ["oauth"])
        return "pat-narrow"

    def held(self, simulator: RunningSimulator, object_type: str) -> list[Held]:
        """Return the live records, from behind the API."""
        return [
            Held(str(one["id"]), one["properties"])
            for one in simulator.dump(object_type)
            if not one.get("archived")
        ]

    def seed_people(
        self,
        simulator: RunningSimulator,
        count: int,
        *,
        name: str = "p",
        changed_at: datetime | None = None,
    ) -> list[str]:
        """Make people with keys of their own; return their ids."""
        fields = {self.key: name + "{n}@example.com", self.text: "Person {n}"}
        entry: dict[str, Any] = {"object": self.people, "properties": fields}
        if changed_at is not None:
            entry["updatedAt"] = changed_at.isoformat()
        ids: list[str] = simulator.seed([entry | {"count": count}])[self.people]
        return ids

    def pass_time(self, simulator: RunningSimulator, seconds: float) -> None:
        """Put the vendor's clock forward."""
        simulator.configure(clock_skew_s=seconds)

    def merge(self, rig: "Rig", primary: str, other: str) -> str | None:
        """Merge two people as somebody there would; return the survivor's id, None
        where the vendor knows no merging."""
        return None


@dataclass
class Rig:
    """A connector, the simulator it speaks to and what was observed."""

    bench: Bench
    simulator: RunningSimulator
    calls: list[CallRecord] = field(default_factory=list)

    def connector(self, token: str | None = None, **options: Any) -> Connector:
        given = TOKENS[self.bench.vendor] if token is None else token
        entry = CONNECTORS[self.bench.vendor]
        client = HttpClient(
            self.simulator.base_url,
            lambda refused=None: given,
            vendor=self.bench.vendor,
            parse_error=entry.parse_error,
            request_id_headers=entry.request_id_headers,
            **({"on_call": self.calls.append} | options),
        )
        return entry.make(client)

    def written(self) -> list[int]:
        """Return how many records each call carried that wrote some."""
        return [call.inputs for call in self.calls if call.method != "GET"]

    def own_key(self) -> str:
        return CONNECTORS[self.bench.vendor].spec.own_key.name

    def add_own_key(self, object_type: str) -> None:
        self.connector().ensure_fields(object_type, [self.own_field()])
        self.calls.clear()

    def own_field(self) -> RemoteField:
        own = CONNECTORS[self.bench.vendor].spec.own_key
        return RemoteField(own.name, own.label, "text", unique=True, group=own.group)

    def person(self, number: int, **more: object) -> Write:
        bench = self.bench
        return Write(
            f"person-{number}",
            bench.people,
            None,
            bench.key,
            f"person{number}@example.com",
            {**bench.always, bench.text: f"Person {number}"} | more,
        )

    def note(self, number: int, *ties: Association) -> Write:
        """A create, which no vendor lets us repeat."""
        bench = self.bench
        return Write(
            f"note-{number}",
            bench.activity,
            None,
            self.own_key(),
            f"note-key-{number}",
            {**bench.activity_fields, bench.activity_text: f"Text {number}"},
            ties,
            mode="create",
        )

    def held(self, object_type: str) -> list[Held]:
        return self.bench.held(self.simulator, object_type)
