"""Every order of four steps on one two-way field, through the real engine at once.

Three actors: somebody here, somebody in the CRM, and the workers, which push, fetch
what is there, or get a picture of it that is late. One record plays one order, so that
each step is a few calls for all of them. What must come out is said by `Ideal`, which
knows nothing of links, echoes, stamps or rows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from integrations.connectors.session import open_connector
from integrations.models import Connection, Link, ObjectMapping
from integrations.records import RemoteRecord
from integrations.simulators.testing import RunningSimulator
from integrations.sync import failures_in, intake, outbox, pull
from integrations.sync.fetches import fetch_due
from integrations.sync.push import push_due
from integrations.tests.sync.crm import HubSpotUser, both_ways, sync
from leads.facts import Origin
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")
# Longer than two clocks are apart as far as the engine can tell.
APART_S = 3.0
LONG = timedelta(days=1)
PAGE = 200
# What ours was, and what ours is when the orders begin; both were pushed by us, and the
# echoes of neither have come yet.
FORMER, FIRST = "Former", "First"


class Step(StrEnum):
    """What happens next to a record."""

    HUB_BACK = "hub user sets the former value"
    HUB_NEW = "hub user sets a new value"
    CRM_BACK = "CRM user sets the former value"
    CRM_NEW = "CRM user sets a new value"
    PUSH = "push"
    FETCH = "fetch"
    LATE = "a late picture"


Order = tuple[Step, ...]
ORDERS: tuple[Order, ...] = tuple(product(Step, repeat=4))


def value_of(step: Step, at: int) -> str:
    """Return what a person enters at their step."""
    if step in {Step.HUB_BACK, Step.CRM_BACK}:
        return FORMER
    return f"Hub {at}" if step is Step.HUB_NEW else f"CRM {at}"


# --- what must come out ---------------------------------------------------------------


@dataclass(slots=True)
class Ideal:
    """What happens to one field in a world without delays and double looks.

    seen: what the CRM had when last looked at, and when it came to have it; given: what
    of ours it has, None while ours was decided for and has still to go; asked: there is
    reason to push; past: what the CRM had after each step.
    """

    rule: str
    hub: str = FIRST
    crm: str = FIRST
    seen: str = FIRST
    given: str | None = FIRST
    hub_at: int = 0
    crm_at: int = 0
    asked: bool = False
    conflicts: int = 0
    crm_since: int = 0
    seen_since: int = 0
    past: list[tuple[str, int]] = field(default_factory=list)

    def play(self, order: Order) -> Ideal:
        """Play the order, then let everything come to rest."""
        self.past = [(FORMER, -1), (FIRST, 0)]
        for at, step in enumerate(order, 1):
            self._act(step, at)
            self.past.append((self.crm, self.crm_since))
        self._look(self.crm, self.crm_since)
        self._push(len(order) + 1)
        return self

    def _act(self, step: Step, at: int) -> None:
        if step in {Step.HUB_BACK, Step.HUB_NEW}:
            self._edit_here(value_of(step, at), at)
        elif step in {Step.CRM_BACK, Step.CRM_NEW}:
            if value_of(step, at) != self.crm:
                self.crm, self.crm_at, self.crm_since = value_of(step, at), at, at
        elif step is Step.PUSH:
            self._push(at)
        else:
            self._look(*self.past[-1 if step is Step.FETCH else -2])

    def _edit_here(self, value: str, at: int) -> None:
        if value != self.hub:
            self.hub, self.hub_at, self.asked = value, at, True

    def _push(self, at: int) -> None:
        if self.asked and self.hub != self.given:
            self._look(self.crm, self.crm_since)
        if self.asked and self.hub != self.given:
            self.crm = self.seen = self.given = self.hub
            self.crm_since = self.seen_since = at
        self.asked = False

    def _look(self, crm: str, since: int) -> None:
        if since < self.seen_since:
            return  # an old picture is no news
        theirs, ours = crm != self.seen, self.hub != self.given
        self.seen, self.seen_since = crm, since
        if crm == self.hub:
            self.given = crm
        elif theirs and ours:
            self.conflicts += 1
            self._take(crm) if self._crm_wins() else self._give()
        elif theirs:
            self._take(crm)
        elif ours:
            self._give()

    def _crm_wins(self) -> bool:
        by_time = self.crm_at > self.hub_at
        return by_time if self.rule == "latest" else self.rule == "crm"

    def _take(self, crm: str) -> None:
        self.hub = self.given = crm

    def _give(self) -> None:
        self.given, self.asked = None, True


# --- the same, played for real --------------------------------------------------------


@dataclass(slots=True)
class Stage:
    """All records, each with its order, in the hub and in the CRM."""

    workspace: Workspace
    mapping: ObjectMapping
    person: HubSpotUser
    leads: list[int] = field(default_factory=list)
    contacts: list[str] = field(default_factory=list)
    pictures: list[Mapping[str, RemoteRecord]] = field(default_factory=list)

    def prepare(self) -> None:
        """Make a lead for each order and push it twice."""
        rows = [
            {"email": f"p{number}@customer.example.org", "city": FORMER}
            for number in range(len(ORDERS))
        ]
        made = records.create(self.workspace, "lead", rows, origin=HERE)
        self.leads = [one.pk for one in made]
        push_due()
        self._photograph()
        self.edit_here(dict.fromkeys(range(len(ORDERS)), FIRST))
        push_due()
        links = dict(Link.objects.values_list("record_id", "remote_id"))
        self.contacts = [links[one] for one in self.leads]
        self._photograph()

    def _photograph(self) -> None:
        """Keep what all contacts are now, as a search would show it."""
        found = self.person.simulator.dump("contacts")
        self.pictures.append({one["id"]: _record(one) for one in found})

    def edit_here(self, values: Mapping[int, str]) -> None:
        """Let somebody here edit: number of the order -> value."""
        edits = [Edit(self.leads[n], {"city": value}) for n, value in values.items()]
        records.update(self.workspace, "lead", edits, origin=HERE)

    def edit_there(self, values: Mapping[int, str]) -> None:
        """Let somebody in the CRM edit."""
        self.person.edit_many(
            {self.contacts[n]: {"city": value} for n, value in values.items()}
        )

    def push(self, numbers: Sequence[int]) -> None:
        """Push these records, if there is reason to, and no others."""
        rows = WorkItem.objects.filter(kind=outbox.KIND)
        rows.update(not_before=queue.now() + LONG)
        keys = [outbox.key_of(self.mapping.pk, self.leads[n]) for n in numbers]
        rows.filter(key__in=keys).update(not_before=queue.now())
        push_due()

    def fetch(self, numbers: Sequence[int]) -> None:
        """Fetch these records, as after a hint."""
        ids = [self.contacts[n] for n in numbers]
        queue.ask(failures_in.asks(self.mapping, ids))
        fetch_due()

    def show_late(self, numbers: Sequence[int]) -> None:
        """Take in what these records were before the last step."""
        connector, _ = open_connector(self.mapping.connection)
        old = [self.pictures[-2][self.contacts[n]] for n in numbers]
        for start in range(0, len(old), PAGE):
            intake.take_in(self.mapping, old[start : start + PAGE], connector)

    def step(self, at: int) -> None:
        """Let each record take its step of this number, from 1."""
        by_step: dict[Step, list[int]] = {step: [] for step in Step}
        for number, order in enumerate(ORDERS):
            by_step[order[at - 1]].append(number)
        for one in (Step.HUB_BACK, Step.HUB_NEW):
            self.edit_here(dict.fromkeys(by_step[one], value_of(one, at)))
        for one in (Step.CRM_BACK, Step.CRM_NEW):
            self.edit_there(dict.fromkeys(by_step[one], value_of(one, at)))
        self.push(by_step[Step.PUSH])
        self.fetch(by_step[Step.FETCH])
        self.show_late(by_step[Step.LATE])
        self._photograph()

    def rest(self) -> None:
        """Let the workers do all there is to do."""
        pull.ask_pull(self.mapping)
        sync(3)

    def found(self) -> list[tuple[str, str]]:
        """Return what each record has at the end: here, and in the CRM."""
        self._photograph()
        here = dict(Lead.objects.values_list("pk", "city"))
        there = self.pictures[-1]
        return [
            (here[lead], there[contact].fields["city"] or "")
            for lead, contact in zip(self.leads, self.contacts, strict=True)
        ]


def _record(dumped: Mapping[str, Any]) -> RemoteRecord:
    properties = dumped["properties"]
    return RemoteRecord(
        "contacts",
        str(dumped["id"]),
        {name: properties.get(name) for name in ("email", "city")},
        updated_at=datetime.fromisoformat(dumped["updatedAt"]),
    )


@pytest.fixture
def stage(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> Stage:
    mapping = ObjectMapping.objects.get(connection=hubspot, remote_object="contacts")
    ObjectMapping.objects.exclude(pk=mapping.pk).update(active=False)
    return Stage(workspace, both_ways(mapping), HubSpotUser(hubspot_simulator))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("rule", ["crm", "hub", "latest"])
def test_every_order_of_steps_ends_as_it_must(stage: Stage, rule: str) -> None:
    both_ways(stage.mapping, city={"rule": rule})
    stage.prepare()

    for at in (1, 2, 3, 4):
        stage.step(at)
        if rule == "latest":
            # Times of edits are the vendor's own and must really differ.
            time.sleep(APART_S)
    stage.rest()

    ideals = [Ideal(rule).play(order) for order in ORDERS]
    wrong = {
        ", ".join(order): (found, ideal.hub)
        for order, found, ideal in zip(ORDERS, stage.found(), ideals, strict=True)
        if found != (ideal.hub, ideal.hub)
    }
    assert wrong == {}
