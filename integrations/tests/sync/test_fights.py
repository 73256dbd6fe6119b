"""Automations in two CRMs that answer each other are stopped; people are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db.models import F

from crmsync.core.models import WorkItem
from crmsync.core.services import Actor as Person
from integrations.models import Conflict, Link, SyncEntry
from integrations.services.conflicts import resolve
from integrations.simulators.testing import RunningSimulator
from integrations.standing import standings
from integrations.sync import outbox
from integrations.tests.sync.trio import Actor, Trio

CRMS: tuple[Actor, ...] = ("hubspot", "salesforce")
OTHER: dict[Actor, Actor] = {"hubspot": "salesforce", "salesforce": "hubspot"}
NAME = "job_title"


@pytest.fixture
def trio(trio: Trio, hubspot_simulator: RunningSimulator) -> Trio:
    hubspot_simulator.configure(index_delay_s=0)
    trio.populate(1)
    return trio


@dataclass(slots=True)
class Automation:
    """What an administrator set up in a CRM: each new value of a field is changed."""

    trio: Trio
    actor: Actor
    change: Callable[[str], str]
    field: str = NAME
    left: str = "Start"
    answers: int = 0

    def run(self) -> None:
        """Let it look at the record, as it does on every change."""
        value = self.trio.values()[0][self.actor][self.field]
        if value == self.left:
            return
        self.left = self.change(value)
        if self.left != value:
            self.answers += 1
            self.trio.edit(self.actor, {0: {self.field: self.left}})


def carry(trio: Trio, actor: Actor) -> None:
    """Let what changed in one CRM come here, and go on to the other."""
    trio.pull(actor)
    trio.push(OTHER[actor])


def let_them(trio: Trio, *machines: Automation, rounds: int = 10) -> None:
    """Let automations and workers do what they do, again and again."""
    for _ in range(rounds):
        for actor in CRMS:
            for one in machines:
                if one.actor == actor:
                    one.run()
            carry(trio, actor)


def let_pass(seconds: int) -> None:
    """Let time pass since all that was written and read."""
    past = timedelta(seconds=seconds)
    for link in Link.objects.all():
        for kept in (link.written, link.turns):
            for entries in kept.values():
                for entry in entries:
                    entry[1] -= seconds
        link.save()
    Link.objects.update(pushed_at=F("pushed_at") - past)


def appender(trio: Trio, actor: Actor) -> Automation:
    return Automation(trio, actor, lambda value: f"{value}({actor[0]})")


def counter(trio: Trio, actor: Actor) -> Automation:
    def count(value: str) -> str:
        told = value.rpartition(" ")[2]
        return f"Seen {int(told) + 1 if told.isdigit() else 1}"

    return Automation(trio, actor, count)


@pytest.mark.parametrize("kind", [appender, counter])
def test_two_automations_that_answer_each_other_are_stopped(
    trio: Trio, kind: Callable[[Trio, Actor], Automation]
) -> None:
    machines = [kind(trio, actor) for actor in CRMS]
    trio.edit("hubspot", {0: {NAME: "Head of Sales"}})
    before = trio.writes()

    let_them(trio, *machines)

    assert sum(one.answers for one in machines) <= 7
    assert trio.writes() - before <= 14
    at_rest = trio.writes()
    let_them(trio, *machines, rounds=3)
    assert trio.writes() == at_rest


def test_a_fight_is_told_in_words_and_waits_for_a_person(trio: Trio) -> None:
    machines = [appender(trio, actor) for actor in CRMS]
    trio.edit("hubspot", {0: {NAME: "Head of Sales"}})

    let_them(trio, *machines)

    (conflict,) = Conflict.objects.filter(state=Conflict.State.OPEN)
    assert conflict.field == NAME
    assert conflict.reason.startswith(
        f"{conflict.connection} and "
        f"{'Salesforce' if conflict.connection.vendor == 'hubspot' else 'HubSpot'} "
        "keep changing Job title of Start Start after each other’s change."
    )
    assert "Lead → contacts (HubSpot)" in conflict.reason
    assert "Lead → Lead (Salesforce)" in conflict.reason
    entry = SyncEntry.objects.filter(outcome="held").latest("id")
    assert "keep changing Job title" in entry.message
    (told,) = [
        one.verdict.reason
        for one in standings("lead", trio.leads[0])
        if one.verdict.code == "conflict"
    ]
    assert told == conflict.reason


def test_the_other_fields_of_the_record_go_on(trio: Trio) -> None:
    machines = [appender(trio, actor) for actor in CRMS]
    trio.edit("hubspot", {0: {NAME: "Head of Sales"}})
    let_them(trio, *machines)

    trio.edit("hubspot", {0: {"city": "Lyon"}})
    trio.edit("salesforce", {0: {"country": "France"}})
    let_them(trio, rounds=2)

    (values,) = trio.values()
    assert {values[one]["city"] for one in ("hub", *CRMS)} == {"Lyon"}
    assert {values[one]["country"] for one in ("hub", *CRMS)} == {"France"}


def test_a_rep_who_edits_one_field_again_and_again_is_not_stopped(trio: Trio) -> None:
    for number in range(6):
        trio.edit("hubspot", {0: {NAME: f"Title {number}", "city": "AB"[number % 2]}})
        let_them(trio, rounds=1)

    assert not Conflict.objects.filter(state=Conflict.State.OPEN).exists()
    (values,) = trio.values()
    assert {values[one][NAME] for one in ("hub", *CRMS)} == {"Title 5"}
    assert {values[one]["city"] for one in ("hub", *CRMS)} == {"B"}


def test_two_people_who_answer_each_other_twice_are_not_stopped(trio: Trio) -> None:
    for number in range(2):
        for actor in CRMS:
            trio.edit(actor, {0: {NAME: f"{actor} {number}"}})
            carry(trio, actor)
    let_them(trio, rounds=1)

    assert not Conflict.objects.filter(state=Conflict.State.OPEN).exists()
    (values,) = trio.values()
    assert {values[one][NAME] for one in ("hub", *CRMS)} == {"salesforce 1"}


def test_a_rep_whose_values_one_automation_tidies_is_not_stopped(trio: Trio) -> None:
    tidies = Automation(trio, "salesforce", str.title)

    for number in range(5):
        let_pass(120)
        trio.edit("hubspot", {0: {NAME: f"head of sales {number}"}})
        let_them(trio, tidies, rounds=2)

    assert tidies.answers == 5
    assert not Conflict.objects.filter(state=Conflict.State.OPEN).exists()
    (values,) = trio.values()
    assert {values[one][NAME] for one in ("hub", *CRMS)} == {"Head Of Sales 4"}


def test_a_fight_that_is_decided_and_mended_goes_on_in_step(trio: Trio) -> None:
    machines = [appender(trio, actor) for actor in CRMS]
    trio.edit("hubspot", {0: {NAME: "Head of Sales"}})
    let_them(trio, *machines)

    resolve(Conflict.objects.get(state="open"), Person(), "hub")
    let_them(trio, rounds=2)

    (values,) = trio.values()
    assert len({values[one][NAME] for one in ("hub", *CRMS)}) == 1
    rows = WorkItem.objects.filter(kind=outbox.KIND)
    assert not rows.exclude(state="done").exists()
