"""People who work in the simulated CRMs, and edit there while we look away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import requests

from crmsync.core.models import WorkItem
from crmsync.core.queue import now
from integrations.models import Connection, FieldMapping, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.sync.fetches import fetch_due
from integrations.sync.outbox import WHEN_ASKED
from integrations.sync.pull import pull_due
from integrations.sync.push import push_due
from integrations.sync.runs import runs_due

CONTACTS = "/crm/v3/objects/contacts"


class HubSpotUser:
    """Somebody with the CRM open in their browser."""

    def __init__(self, simulator: RunningSimulator) -> None:
        self.simulator = simulator
        self.session = requests.Session()
        simulator.add_token("pat-a-person")
        self.session.headers["Authorization"] = "Bearer pat-a-person"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Make one call of the vendor's API."""
        answer = self.session.request(
            method, self.simulator.base_url + path, json=body, timeout=30
        )
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def make(self, **properties: str) -> str:
        """Make a contact; return its id."""
        made = self.call("POST", CONTACTS, {"properties": properties})
        return str(made["id"])

    def make_many(self, people: Sequence[Mapping[str, str]]) -> list[str]:
        """Make contacts, a hundred a call; return their ids, in no order."""
        ids = []
        for start in range(0, len(people), 100):
            inputs = [{"properties": dict(one)} for one in people[start : start + 100]]
            path = f"{CONTACTS}/batch/create"
            made = self.call("POST", path, {"inputs": inputs})
            ids += [str(one["id"]) for one in made["results"]]
        return ids

    def edit(self, remote_id: str, **properties: str) -> None:
        """Change a contact."""
        self.call("PATCH", f"{CONTACTS}/{remote_id}", {"properties": properties})

    def edit_many(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Change contacts, a hundred a call."""
        pairs = [{"id": one, "properties": dict(p)} for one, p in changes.items()]
        for start in range(0, len(pairs), 100):
            body = {"inputs": pairs[start : start + 100]}
            self.call("POST", f"{CONTACTS}/batch/update", body)

    def delete(self, remote_id: str) -> None:
        """Move a contact to the recycle bin."""
        self.call("DELETE", f"{CONTACTS}/{remote_id}")

    def merge(self, winner: str, loser: str) -> str:
        """Merge two contacts; return the id of what they became."""
        body = {"primaryObjectId": winner, "objectIdToMerge": loser}
        return str(self.call("POST", f"{CONTACTS}/merge", body)["id"])

    def sees(self, remote_id: str, *names: str) -> dict[str, str | None]:
        """Return what a contact has now."""
        query = "&".join(f"properties={name}" for name in names)
        found = self.call("GET", f"{CONTACTS}/{remote_id}?{query}")
        return {name: found["properties"].get(name) for name in names}


class SalesforceUser:
    """Somebody with Salesforce open in their browser."""

    def __init__(self, simulator: RunningSimulator) -> None:
        self.simulator = simulator

    def make(self, object_type: str, **values: str) -> str:
        """Make a record; return its id."""
        body = {"object": object_type, "values": values}
        made = self.simulator.control("POST", "create", body)
        return str(made["ids"][object_type][0])

    def edit(self, object_type: str, remote_id: str, **values: str) -> None:
        """Change a record."""
        body = {"object": object_type, "id": remote_id, "values": values}
        self.simulator.control("POST", "edit", body)

    def convert(self, lead_id: str, **options: object) -> dict[str, str]:
        """Convert a lead; return the ids of what it became."""
        done = self.simulator.control("POST", "convert", {"id": lead_id, **options})
        return dict(done)

    def merge(self, object_type: str, master: str, loser: str) -> None:
        """Merge a record into another."""
        body = {"object": object_type, "master": master, "losers": [loser]}
        self.simulator.control("POST", "merge", body)

    def has(self, object_type: str) -> list[dict[str, str]]:
        """Return the fields of the records that are not deleted, ids among them."""
        found = self.simulator.dump(object_type)
        return [
            {"Id": one["id"], **one["properties"]}
            for one in found
            if not one.get("archived")
        ]


def both_ways(mapping: ObjectMapping, **rules: Mapping[str, object]) -> ObjectMapping:
    """Let a mapping go both ways. rules: remote field -> columns of its row."""
    mapping.direction = ObjectMapping.Direction.BOTH
    mapping.engaged_only = False
    mapping.save()
    for name, columns in rules.items():
        FieldMapping.objects.filter(mapping=mapping, destination=name).update(**columns)
    return mapping


def make_due() -> None:
    """Let the time pass that rows wait, except those that wait to be asked for."""
    WorkItem.objects.exclude(not_before=WHEN_ASKED).update(not_before=now())


def only(connection: Connection, *objects: str) -> list[ObjectMapping]:
    """Leave these mappings active, both ways."""
    ObjectMapping.objects.update(active=False)
    found = ObjectMapping.objects.filter(
        connection=connection, remote_object__in=objects
    )
    found.update(active=True)
    return [both_ways(one) for one in found.order_by("pk")]


def polled(connection: Connection, remote_object: str, **changes: str) -> ObjectMapping:
    """Leave one mapping active, both ways, with these changes; polled from now on."""
    [found] = only(connection, remote_object)
    ObjectMapping.objects.filter(pk=found.pk).update(**changes)
    found.refresh_from_db()
    pull.ask_pull(found)
    sync(1)
    return found


def sync(rounds: int = 3) -> None:
    """Let the workers do everything there is to do."""
    for _ in range(rounds):
        make_due()
        runs_due()
        fetch_due()
        pull_due()
        push_due()
