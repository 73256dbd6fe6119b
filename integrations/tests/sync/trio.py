"""The hub, HubSpot and Salesforce with the same people, and somebody who edits in each.

What is entered in a CRM is entered in its browser, not through the API that is counted.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Literal

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from integrations.models import Connection, Link, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.sync import outbox, pull
from integrations.sync.push import push_due
from integrations.tests.sync.crm import both_ways, sync
from leads.facts import Origin
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

Actor = Literal["hub", "hubspot", "salesforce"]
ACTORS: tuple[Actor, ...] = ("hub", "hubspot", "salesforce")
# field -> what each CRM calls it
FIELDS: Mapping[str, tuple[str, str]] = {
    "first_name": ("firstname", "FirstName"),
    "last_name": ("lastname", "LastName"),
    "job_title": ("jobtitle", "Title"),
    "company_name": ("company", "Company"),
    "city": ("city", "City"),
    "country": ("country", "Country"),
}
OBJECTS: Mapping[Actor, str] = {"hubspot": "contacts", "salesforce": "Lead"}
HERE = Origin("user", "1", "Ada Example")
LATER = timedelta(days=1)

# number of the person -> field -> value
Edits = Mapping[int, Mapping[str, str]]


@dataclass(slots=True)
class Trio:
    """People by number, each a lead here, a contact there and a lead there."""

    workspace: Workspace
    hubspot: RunningSimulator
    salesforce: RunningSimulator
    mappings: Mapping[Actor, ObjectMapping]
    leads: list[int] = field(default_factory=list)
    ids: dict[Actor, list[str]] = field(default_factory=dict)

    def populate(self, count: int) -> None:
        """Make people here and let them come to both CRMs."""
        rows = [
            {"email": f"p{n}@customer.example.org", **dict.fromkeys(FIELDS, "Start")}
            for n in range(count)
        ]
        made = records.create(self.workspace, "lead", rows, origin=HERE)
        self.leads = [one.pk for one in made]
        self.rest()
        for actor, mapping in self.mappings.items():
            rows_ = Link.objects.filter(connection=mapping.connection)
            links = dict(rows_.values_list("record_id", "remote_id"))
            self.ids[actor] = [links[one] for one in self.leads]

    # --- what people do ---------------------------------------------------------------

    def edit(self, actor: Actor, edits: Edits) -> None:
        """Let somebody enter values in one of the three."""
        if actor == "hub":
            changes = [Edit(self.leads[n], dict(one)) for n, one in edits.items()]
            records.update(self.workspace, "lead", changes, origin=HERE)
            return
        place = ACTORS.index(actor) - 1
        simulator = self.hubspot if actor == "hubspot" else self.salesforce
        entered = [
            {
                "object": OBJECTS[actor],
                "id": self.ids[actor][number],
                "properties": {FIELDS[name][place]: one[name] for name in one},
            }
            for number, one in edits.items()
        ]
        simulator.seed(entered)

    # --- what workers do --------------------------------------------------------------

    def pull(self, actor: Actor) -> None:
        """Poll one CRM."""
        self._hold()
        pull.ask_pull(self.mappings[actor], soon=True)
        pull.pull_due()

    def push(self, actor: Actor) -> None:
        """Push all there is to one CRM."""
        self._hold()
        rows = WorkItem.objects.filter(kind=outbox.KIND)
        rows = rows.filter(group=str(self.mappings[actor].pk))
        rows.update(not_before=queue.now())
        while push_due():
            pass

    def _hold(self) -> None:
        WorkItem.objects.update(not_before=queue.now() + LATER)

    def rest(self) -> None:
        """Let the workers do all there is to do, however slow the machine is."""
        for mapping in self.mappings.values():
            pull.ask_pull(mapping)
        sync()
        while push_due():
            pass
        sync(1)

    # --- how it stands ----------------------------------------------------------------

    def values(self) -> list[dict[Actor, dict[str, str]]]:
        """Return by person what each of the three has in each field."""
        here = {row.pk: row for row in Lead.objects.filter(pk__in=self.leads)}
        there = self._dumps()
        return [
            {
                "hub": {name: str(getattr(here[lead], name)) for name in FIELDS},
                "hubspot": there["hubspot"][self.ids["hubspot"][number]],
                "salesforce": there["salesforce"][self.ids["salesforce"][number]],
            }
            for number, lead in enumerate(self.leads)
        ]

    def _dumps(self) -> dict[Actor, dict[str, dict[str, str]]]:
        dumps = {
            "hubspot": self.hubspot.dump("contacts"),
            "salesforce": self.salesforce.dump("Lead"),
        }
        return {
            actor: {
                one["id"]: {
                    name: one["properties"].get(FIELDS[name][place]) or ""
                    for name in FIELDS
                }
                for one in dumps[actor]
            }
            for place, actor in enumerate(OBJECTS)
        }

    def counts(self) -> tuple[int, int]:
        """Return how many people each CRM has."""
        return len(self.hubspot.dump("contacts")), len(self.salesforce.dump("Lead"))

    def writes(self) -> int:
        """Return how many records have been written through the APIs."""
        return sum(
            route["inputs"]
            for simulator in (self.hubspot, self.salesforce)
            for name, route in simulator.stats()["routes"].items()
            if _writes(name)
        )


def _writes(route: str) -> bool:
    method, _, path = route.partition(" ")
    reads = ("search", "batch/read", "query", "composite/sobjects/{object}")
    return method in {"POST", "PATCH", "PUT"} and not any(one in path for one in reads)


def trio_of(
    workspace: Workspace,
    connections: Mapping[Actor, Connection],
    simulators: Mapping[Actor, RunningSimulator],
) -> Trio:
    """Return the three, kept in step both ways by people alone."""
    rows = ObjectMapping.objects.select_related("connection", "workspace")
    mappings = {
        actor: both_ways(
            rows.get(connection=connections[actor], remote_object=OBJECTS[actor])
        )
        for actor in OBJECTS
    }
    used = [one.pk for one in mappings.values()]
    ObjectMapping.objects.exclude(pk__in=used).update(active=False)
    return Trio(
        workspace, simulators["hubspot"], simulators["salesforce"], mappings=mappings
    )


# --- random edits ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entered:
    """One value that somebody entered. fresh: nobody else ever enters it."""

    tick: int
    actor: Actor
    value: str
    fresh: bool


# person -> field -> what was entered, in order
Story = list[dict[str, list[Entered]]]


def random_edits(
    rng: random.Random, story: Story, tick: int, *, chance: float
) -> dict[Actor, dict[int, dict[str, str]]]:
    """Let each actor edit a field of some people; note it in the story.

    Mostly new values, at times one that others enter as well, or one from before.
    """
    edits: dict[Actor, dict[int, dict[str, str]]] = {actor: {} for actor in ACTORS}
    for number, told in enumerate(story):
        for actor in ACTORS:
            if rng.random() >= chance:
                continue
            name = rng.choice(list(FIELDS))
            value, fresh = f"{actor} {tick}", True
            if rng.random() < 0.15:
                value, fresh = rng.choice(["Start", "Same", "Other"]), False
            one = Entered(tick, actor, value, fresh)
            told.setdefault(name, []).append(one)
            edits[actor][number] = {name: value}
    return edits


def lasts(entered: Iterable[Entered]) -> dict[Actor, Entered]:
    """Return what each actor entered last."""
    return {one.actor: one for one in entered}


def must_clash(entered: Sequence[Entered]) -> bool:
    """Tell whether two actors met with different values, whatever the work between.

    A value from before hides an edit: a field that is as it was has not changed.
    """
    ticks = [one.tick for one in entered]
    return all(one.fresh for one in entered) and len(ticks) != len(set(ticks))


def shuffled_work(
    rng: random.Random, trio: Trio, *, most: int = 4
) -> list[Callable[[], None]]:
    """Return some of what workers do, in some order."""
    jobs: list[Callable[[], None]] = [
        partial(act, actor) for actor in OBJECTS for act in (trio.pull, trio.push)
    ]
    return rng.sample(jobs, rng.randint(0, most))
