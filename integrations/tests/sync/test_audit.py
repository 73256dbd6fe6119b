"""An audit finds what no change explains, and mends it only where it is little."""

from __future__ import annotations

import pytest

from crmsync.core.models import Workspace
from integrations.models import Connection, ObjectMapping, Run
from integrations.simulators.testing import RunningSimulator
from integrations.sync import pull, runs
from integrations.sync.runs import runs_due
from integrations.tests.sync.crm import HubSpotUser, only, sync
from leads.facts import Origin
from leads.models import Lead
from leads.services import records
from leads.services.records import Edit

PEOPLE = 20
HERE = Origin("user", "1", "Ada Example")


@pytest.fixture
def mapping(hubspot: Connection) -> ObjectMapping:
    (mapping,) = only(hubspot, "contacts")
    return mapping


@pytest.fixture
def ids(mapping: ObjectMapping, hubspot_simulator: RunningSimulator) -> list[str]:
    """Contacts there that are leads here, by id."""
    people = [
        {"email": f"p{n}@customer.example.org", "lastname": "L", "city": "Bonn"}
        for n in range(PEOPLE)
    ]
    made = HubSpotUser(hubspot_simulator).make_many(people)
    pull.ask_pull(mapping)
    sync()
    return made


def alter(simulator: RunningSimulator, ids: list[str], city: str) -> None:
    """Change contacts there without a stamp."""
    row = {"object": "contacts", "properties": {"city": city}, "silent": True}
    simulator.seed([{**row, "id": one} for one in ids])


def audited(mapping: ObjectMapping) -> Run:
    run = runs.start(mapping, Run.Kind.AUDIT)
    runs_due()
    run.refresh_from_db()
    return run


def test_a_large_share_of_a_small_account_waits_for_a_person(
    mapping: ObjectMapping, ids: list[str], hubspot_simulator: RunningSimulator
) -> None:
    alter(hubspot_simulator, ids[:6], "Rome")

    run = audited(mapping)

    assert run.cursor["needs_person"]
    assert run.message.startswith("30.0% of the records differ")
    assert not Lead.objects.filter(city="Rome").exists()


def test_one_or_two_records_are_mended_however_small_the_account(
    mapping: ObjectMapping, ids: list[str], hubspot_simulator: RunningSimulator
) -> None:
    alter(hubspot_simulator, ids[:2], "Rome")

    run = audited(mapping)

    assert "needs_person" not in run.cursor
    assert Lead.objects.filter(city="Rome").count() == 2


def test_a_value_that_was_emptied_without_a_word_is_drift(
    mapping: ObjectMapping, ids: list[str], hubspot_simulator: RunningSimulator
) -> None:
    alter(hubspot_simulator, ids[:1], "")

    run = audited(mapping)

    assert run.cursor["counts"] == {"checked": PEOPLE, "drifted": 1}
    assert run.samples[0]["there"] == {"city": ""}
    assert Lead.objects.filter(city="Bonn").count() == PEOPLE


@pytest.mark.parametrize("mode", [ObjectMapping.Mode.MANUAL, ObjectMapping.Mode.BATCH])
def test_edits_that_wait_for_their_push_are_no_drift(
    workspace: Workspace, mapping: ObjectMapping, ids: list[str], mode: str
) -> None:
    ObjectMapping.objects.filter(pk=mapping.pk).update(mode=mode)
    edits = [Edit(one.pk, {"city": "Rome"}) for one in Lead.objects.all()[:5]]
    records.update(workspace, "lead", edits, origin=HERE)

    run = audited(mapping)

    assert run.cursor["counts"] == {"checked": PEOPLE, "drifted": 0}
    assert "needs_person" not in run.cursor
