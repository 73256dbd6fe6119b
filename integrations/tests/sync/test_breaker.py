"""An outage of the CRM stops the calls, costs no record, and ends by itself."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from crmsync.core import queue
from crmsync.core.breaker import MAX_IN_A_ROW
from crmsync.core.models import Channel, WorkItem, Workspace
from crmsync.core.models.work import State
from integrations.models import Connection
from integrations.simulators.testing import RunningSimulator
from integrations.sync.push import push_due
from integrations.tests.sync.test_push import log, make_due, record, reply


def break_down(workspace: Workspace, simulator: RunningSimulator) -> None:
    """Push until the breaker opens; one call for each reply."""
    simulator.set_fault("503", object="contacts")
    for number in range(MAX_IN_A_ROW):
        record(workspace, reply(number))
        push_due()


def breaker(connection: Connection) -> str:
    return Channel.objects.get(connection=connection).breaker


def recover(connection: Connection, simulator: RunningSimulator) -> None:
    simulator.clear_faults()
    past = timezone.now() - timedelta(seconds=1)
    Channel.objects.filter(connection=connection).update(breaker_until=past)


def test_outage_opens_the_breaker_and_then_no_call_is_made(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    break_down(workspace, hubspot_simulator)
    made = len(log(hubspot_simulator))
    record(workspace, reply(99))
    make_due()

    done = push_due()

    assert breaker(hubspot) == "open"
    assert (done, len(log(hubspot_simulator))) == (0, made)
    newest = WorkItem.objects.filter(kind="push").latest("pk")
    assert (newest.state, newest.attempts) == (State.READY, 0)


def test_after_its_wait_one_record_is_tried_alone(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    break_down(workspace, hubspot_simulator)
    recover(hubspot, hubspot_simulator)
    made = len(log(hubspot_simulator))
    make_due()

    push_due()

    writes = [one for one in log(hubspot_simulator)[made:] if one["inputs"]]
    assert writes[0]["inputs"] == 1


def test_when_the_crm_is_back_everything_arrives_and_nothing_is_given_up(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    break_down(workspace, hubspot_simulator)
    recover(hubspot, hubspot_simulator)
    make_due()

    push_due()

    assert breaker(hubspot) == "closed"
    assert len(hubspot_simulator.dump("contacts")) == MAX_IN_A_ROW
    assert len(hubspot_simulator.dump("notes")) == MAX_IN_A_ROW
    assert queue.ledger()["dead"] == 0


def test_crm_that_refuses_records_is_not_down(
    workspace: Workspace, hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    hubspot_simulator.set_fault("409", object="deals")
    for number in range(MAX_IN_A_ROW + 2):
        record(workspace, reply(number))
        push_due()

    assert breaker(hubspot) == "closed"
    assert len(hubspot_simulator.dump("contacts")) == MAX_IN_A_ROW + 2
