"""Every order of four steps on a two-way field, through the real engine at once.

Three actors: somebody here, somebody in the CRM, and the workers, which push, fetch
what is there, or get a picture of it that is late. One record plays one order, in three
fields of different rules, so that each step is a few calls for all of them. What must
come out is said by `Ideal`, which knows nothing of links, echoes, stamps or rows. What
the CRM tells of edits is there when a record is read, as after a webhook.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from integrations.connectors.session import open_connector
from integrations.models import Conflict, Connection, Link, ObjectMapping, ToldValue
from integrations.records import RemoteRecord
from integrations.simulators.testing import RunningSimulator
from integrations.sync import failures_in, intake, outbox, passing, pull
from integrations.sync.fetches import fetch_due
from integrations.sync.push import push_due
from integrations.tests.sync.crm import HubSpotUser, both_ways, sync
from integrations.webhooks.base import Hint
from leads.facts import Origin
from leads.models import Change, Lead
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

# rule -> our field, their field
FIELDS = {
    "crm": ("city", "city"),
    "hub": ("job_title", "jobtitle"),
    "latest": ("company_name", "company"),
}
THEIRS = {rule: theirs for rule, (_, theirs) in FIELDS.items()}


class Step(StrEnum):
    """What happens next to a record."""

    HUB_BACK = "hub user sets the former value"
    HUB_NEW = "hub user sets a new value"
    CRM_BACK = "CRM user sets the former value"
    CRM_NEW = "CRM user sets a new value"
    PUSH = "push"
    FETCH = "fetch"
    LATE = "a late picture"


EDITS_HERE = frozenset({Step.HUB_BACK, Step.HUB_NEW})
EDITS_THERE = frozenset({Step.CRM_BACK, Step.CRM_NEW})
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
    clashes: int = 0
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
        if step in EDITS_HERE:
            self._edit_here(value_of(step, at), at)
        elif step in EDITS_THERE:
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
            self.clashes += 1
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
            {"email": f"p{number}@customer.example.org", **ours(FORMER)}
            for number in range(len(ORDERS))
        ]
        made = records.create(self.workspace, "lead", rows, origin=HERE)
        self.leads = [one.pk for one in made]
        drain()
        self._photograph()
        self.edit_here(range(len(ORDERS)), FIRST)
        drain()
        links = dict(Link.objects.values_list("record_id", "remote_id"))
        self.contacts = [links[one] for one in self.leads]
        self._photograph()

    def _photograph(self) -> None:
        """Keep what all contacts are now, as a search would show it."""
        self.pictures.append({one["id"]: _record(one) for one in self.dumped()})

    def dumped(self) -> list[dict[str, Any]]:
        """Return the contacts as the CRM itself has them."""
        return list(self.person.simulator.dump("contacts"))

    def edit_here(self, numbers: Iterable[int], value: str) -> None:
        """Let somebody here edit the records of these orders."""
        edits = [Edit(self.leads[number], ours(value)) for number in numbers]
        records.update(self.workspace, "lead", edits, origin=HERE)

    def edit_there(self, numbers: Iterable[int], value: str) -> None:
        """Let somebody in the CRM edit."""
        entered = dict.fromkeys(THEIRS.values(), value)
        ids = [self.contacts[number] for number in numbers]
        self.person.edit_many(dict.fromkeys(ids, entered))
        self._tell(set(ids), entered)

    def _tell(self, ids: set[str], entered: Mapping[str, str]) -> None:
        """Let the CRM's word of an edit be heard, ahead of any read of it."""
        told = [
            Hint(
                "contacts",
                one["id"],
                "changed",
                at=datetime.fromisoformat(one["updatedAt"]),
                fields=entered,
            )
            for one in self.dumped()
            if one["id"] in ids
        ]
        mappings = {"contacts": [self.mapping]}
        passing.keep(self.mapping.connection, [(one, "") for one in told], mappings)

    def push(self, numbers: Sequence[int]) -> None:
        """Push these records, if there is reason to, and no others."""
        rows = WorkItem.objects.filter(kind=outbox.KIND)
        rows.update(not_before=queue.now() + LONG)
        keys = [outbox.key_of(self.mapping.pk, self.leads[n]) for n in numbers]
        rows.filter(key__in=keys).update(not_before=queue.now())
        drain()

    def fetch(self, numbers: Iterable[int]) -> None:
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
        for one in sorted(EDITS_HERE):
            self.edit_here(by_step[one], value_of(one, at))
        for one in sorted(EDITS_THERE):
            self.edit_there(by_step[one], value_of(one, at))
        self.push(by_step[Step.PUSH])
        self.fetch(by_step[Step.FETCH])
        self.show_late(by_step[Step.LATE])
        self._photograph()

    def rest(self) -> None:
        """Let the workers do all there is to do."""
        self.fetch(range(len(ORDERS)))
        pull.ask_pull(self.mapping)
        sync(3)

    def found(self, rule: str) -> list[tuple[str, str]]:
        """Return what each record has in the end, here and there, in a rule's field."""
        name, theirs = FIELDS[rule]
        here = dict(Lead.objects.values_list("pk", name))
        there = {one["id"]: one["properties"].get(theirs) for one in self.dumped()}
        pairs = zip(self.leads, self.contacts, strict=True)
        return [(here[lead], there[contact]) for lead, contact in pairs]

    def needless_writes(self) -> dict[Order, int]:
        """Return by how much we wrote to records more often than people edited here."""
        written = {one["id"]: one["writes"] for one in self.dumped()}
        edits = {
            order: (
                2 + sum(1 for step in order if step in EDITS_HERE),
                sum(1 for step in order if step in EDITS_THERE),
            )
            for order in ORDERS
        }
        return {
            order: more
            for order, contact in zip(ORDERS, self.contacts, strict=True)
            if (more := written[contact] - sum(edits[order])) > 0
        }

    def remembered(self, rule: str) -> dict[Order, set[object]]:
        """Return all values that history or a conflict has of a rule's field."""
        found: dict[int, set[object]] = {}
        rows = Change.objects.filter(record_type="lead")
        for record_id, fields in rows.values_list("record_id", "fields"):
            _, new = fields.get(FIELDS[rule][0], (None, None))
            found.setdefault(record_id, set()).add(new)
        clashes = Conflict.objects.filter(remote_field=THEIRS[rule])
        for record_id, value in clashes.values_list("record_id", "crm_value"):
            found.setdefault(record_id, set()).add(value)
        pairs = zip(ORDERS, self.leads, strict=True)
        return {order: found.get(lead, set()) for order, lead in pairs}

    def told_conflicts(self, rule: str) -> set[Order]:
        """Return the orders of the records that a conflict was noted for."""
        rows = Conflict.objects.filter(remote_field=THEIRS[rule])
        told = set(rows.values_list("record_id", flat=True))
        pairs = zip(ORDERS, self.leads, strict=True)
        return {order for order, lead in pairs if lead in told}


def ours(value: str) -> dict[str, object]:
    """Return the value in each field that is tried."""
    return {name: value for name, _ in FIELDS.values()}


def drain() -> None:
    """Push all that is due, however slow the machine is."""
    while push_due():
        pass


def _record(dumped: Mapping[str, Any]) -> RemoteRecord:
    properties = dumped["properties"]
    return RemoteRecord(
        "contacts",
        str(dumped["id"]),
        {name: properties.get(name) for name in ("email", *THEIRS.values())},
        updated_at=datetime.fromisoformat(dumped["updatedAt"]),
    )


@pytest.fixture
def stage(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> Stage:
    mapping = ObjectMapping.objects.get(connection=hubspot, remote_object="contacts")
    ObjectMapping.objects.exclude(pk=mapping.pk).update(active=False)
    mapping = both_ways(mapping, **{n: {"rule": rule} for rule, n in THEIRS.items()})
    return Stage(workspace, mapping, HubSpotUser(hubspot_simulator))


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_every_order_of_steps_ends_as_it_must(stage: Stage) -> None:
    stage.prepare()
    # What is edited there just after our push is an echo as far as stamps tell.
    time.sleep(APART_S)

    for at in (1, 2, 3, 4):
        stage.step(at)
        # When something was edited is told by the vendor: the time must really pass.
        time.sleep(APART_S)
    stage.rest()

    assert [end for rule in FIELDS for end in wrong_ends(stage, rule)] == []
    assert [one for rule in FIELDS for one in untold(stage, rule)] == []
    assert [one for rule in FIELDS for one in hidden(stage, rule)] == []
    assert not ToldValue.objects.exists()
    assert stage.needless_writes() == {}


def wrong_ends(stage: Stage, rule: str) -> list[str]:
    """Return the orders after which the sides do not have what they should."""
    ends = zip(ORDERS, stage.found(rule), strict=True)
    wanted = {order: Ideal(rule).play(order).hub for order in ORDERS}
    return [
        f"{rule}: {', '.join(order)}: {found} instead of {wanted[order]}"
        for order, found in ends
        if found != (wanted[order], wanted[order])
    ]


def hidden(stage: Stage, rule: str) -> list[str]:
    """Return the orders after which something that was entered there is nowhere."""
    remembered = stage.remembered(rule)
    return [
        f"{rule}: {', '.join(order)}: {value_of(step, at)}"
        for order in ORDERS
        for at, step in enumerate(order, 1)
        if step in EDITS_THERE and value_of(step, at) not in remembered[order]
    ]


def untold(stage: Stage, rule: str) -> list[str]:
    """Return the orders with a conflict of which nothing was kept."""
    told = stage.told_conflicts(rule)
    clashed = [order for order in ORDERS if Ideal(rule).play(order).clashes]
    return [f"{rule}: {', '.join(order)}" for order in clashed if order not in told]
