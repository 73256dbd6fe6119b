"""HubSpot's lifecycle stage only moves forward there, unless it is cleared first."""

from __future__ import annotations

import pytest

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.models import (
    Connection,
    FieldMapping,
    Link,
    ObjectMapping,
    SyncEntry,
)
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull
from integrations.tests.sync.crm import HubSpotUser, only, sync
from leads.facts import Origin
from leads.models import Change, Lead
from leads.services import records
from leads.services.records import Edit
from leads.testing import make_custom_field

HERE = Origin("user", "1", "Ada Example")
STAGE = "lifecyclestage"


@pytest.fixture
def person(hubspot: Connection, hubspot_simulator: RunningSimulator) -> HubSpotUser:
    (mapping,) = only(hubspot, "contacts")
    make_custom_field(mapping.workspace, name="stage", type="text")
    FieldMapping.objects.create(
        mapping=mapping, position=90, source="custom.stage", destination=STAGE
    )
    pull.ask_pull(mapping)
    return HubSpotUser(hubspot_simulator)


def allow(direction: str, *, backward: bool, rule: str = "latest") -> None:
    ObjectMapping.objects.filter(active=True).update(direction=direction)
    rows = FieldMapping.objects.filter(destination=STAGE)
    rows.update(backward=backward, rule=rule)


def make(workspace: Workspace, count: int = 1, stage: str = "customer") -> list[int]:
    rows = [
        {"email": f"p{n}@customer.example.org", "custom": {"stage": stage}}
        for n in range(count)
    ]
    made = records.create(workspace, "lead", rows, origin=HERE)
    sync()
    return [one.pk for one in made]


def put(workspace: Workspace, leads: list[int], stage: str, **more: str) -> None:
    edits = [Edit(one, {"custom": {"stage": stage}, **more}) for one in leads]
    records.update(workspace, "lead", edits, origin=HERE)


def stages(person: HubSpotUser, *names: str) -> list[dict[str, str | None]]:
    ids = Link.objects.order_by("record_id").values_list("remote_id", flat=True)
    return [person.sees(one, STAGE, *names) for one in ids]


def updates(person: HubSpotUser) -> int:
    routes = person.simulator.stats()["routes"]
    return sum(r["count"] for name, r in routes.items() if "batch/update" in name)


@pytest.mark.parametrize("direction", ["push", "both"])
@pytest.mark.parametrize("rule", ["latest", "forward", "hub"])
def test_a_step_back_here_is_not_sent_and_said_so(
    workspace: Workspace, person: HubSpotUser, direction: str, rule: str
) -> None:
    allow(direction, backward=False, rule=rule)
    leads = make(workspace)

    put(workspace, leads, "lead", city="Lyon")
    sync()

    assert stages(person, "city") == [{STAGE: "customer", "city": "Lyon"}]
    (told,) = SyncEntry.objects.filter(outcome="held")
    assert 'Lifecycle stage (lifecyclestage) stays at "Customer"' in told.message
    assert 'does not become "Lead"' in told.message
    pushed = SyncEntry.objects.filter(outcome="updated").latest("pk")
    assert pushed.fields == ["city"]
    assert Lead.objects.get().custom == {"stage": "lead"}
    sync()
    assert not WorkItem.objects.filter(state=State.PARKED).exists()


@pytest.mark.parametrize("direction", ["push", "both"])
def test_a_step_back_that_is_allowed_is_made_in_two_calls_for_all(
    workspace: Workspace, person: HubSpotUser, direction: str
) -> None:
    allow(direction, backward=True)
    leads = make(workspace, 5)
    before = updates(person)

    put(workspace, leads, "lead", city="Lyon")
    sync()

    assert stages(person, "city") == [{STAGE: "lead", "city": "Lyon"}] * 5
    assert updates(person) - before == 2
    assert not Change.objects.filter(action=Change.Action.PASSED).exists()
    assert {str(one.custom["stage"]) for one in Lead.objects.all()} == {"lead"}


def test_a_step_forward_is_one_call(workspace: Workspace, person: HubSpotUser) -> None:
    allow("both", backward=True)
    leads = make(workspace, stage="lead")
    before = updates(person)

    put(workspace, leads, "customer")
    sync()

    assert stages(person) == [{STAGE: "customer"}]
    assert updates(person) - before == 1


def test_a_record_that_is_ahead_there_when_two_meet_is_not_put_back(
    workspace: Workspace, person: HubSpotUser
) -> None:
    allow("both", backward=False)
    FieldMapping.objects.filter(destination=STAGE).update(first="hub")
    person.make(email="p0@customer.example.org", **{STAGE: "customer"})

    make(workspace, stage="lead")

    assert stages(person) == [{STAGE: "customer"}]


def test_what_hubspot_ignores_is_told_and_not_thought_agreed(
    workspace: Workspace, person: HubSpotUser
) -> None:
    allow("push", backward=False)
    # An order that is not theirs: what we take for a step forward is none there.
    FieldMapping.objects.filter(destination=STAGE).update(order=["customer", "lead"])
    leads = make(workspace)

    put(workspace, leads, "lead")
    sync()

    told = SyncEntry.objects.filter(direction="push").latest("pk")
    assert stages(person) == [{STAGE: "customer"}]
    assert "did not take" in told.message
    assert Link.objects.get().base[STAGE] == ["customer", "lead"]
