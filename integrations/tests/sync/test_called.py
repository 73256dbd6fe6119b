"""What is told of a value is told in people's words, and costs nothing untold."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crmsync.core.models import Workspace
from integrations.connectors.session import open_connector
from integrations.models import Connection, FieldMapping, ObjectMapping
from integrations.sync.terms import Terms, terms_of
from integrations.tests.sync.crm import both_ways
from leads.models import Pipeline, Stage


def terms(
    crm: Connection, remote_object: str, pair: tuple[str, str], values: dict[str, str]
) -> Terms:
    """Return the terms of a mapping one of whose rows only knows these values."""
    mapping = both_ways(
        ObjectMapping.objects.get(connection=crm, remote_object=remote_object)
    )
    source, destination = pair
    FieldMapping.objects.update_or_create(
        mapping=mapping,
        source=source,
        destination=destination,
        defaults={"values": values},
    )
    return terms_of(mapping, open_connector(crm)[0])


@pytest.fixture
def stages(salesforce: Connection) -> Terms:
    """Deals to opportunities, where no stage of ours is known."""
    pair = ("stage_id", "StageName")
    return terms(salesforce, "Opportunity", pair, {"0": "Prospecting"})


def told(of: Terms, **values: object) -> str:
    (problem,) = of.compiled(values, creating=True).problems
    return problem.message


def test_a_stage_and_its_field_are_told_by_their_names(stages: Terms) -> None:
    stage = Stage.objects.first()
    assert stage is not None

    assert told(stages, stage_id=stage.pk) == (
        f'Stage is "{stage.name}", and the mapping to Stage (StageName) says nothing '
        "about that value."
    )


def test_a_stage_is_told_with_its_pipeline_where_there_are_several(
    workspace: Workspace, stages: Terms
) -> None:
    other = Pipeline.objects.create(workspace=workspace, name="Partners")
    stage = Stage.objects.create(
        workspace=workspace, pipeline=other, name="Proposal", position=1
    )

    assert 'Stage is "Proposal in Partners"' in told(stages, stage_id=stage.pk)


def test_a_stage_that_is_gone_is_told_by_its_number(stages: Terms) -> None:
    assert 'Stage is "999999"' in told(stages, stage_id=999_999)


def test_a_choice_of_ours_and_an_option_of_theirs_are_told_by_their_labels(
    hubspot: Connection,
) -> None:
    of = terms(hubspot, "contacts", ("status", "hs_lead_status"), {"new": "NEW"})

    (problem,) = of.compiled({"status": "replied"}, creating=True).problems
    _, problems = of.inverse({"hs_lead_status": "IN_PROGRESS"})

    assert problem.message == (
        'Status is "Replied", and the mapping to Lead status (hs_lead_status) says '
        "nothing about that value."
    )
    assert problems["hs_lead_status"].message == (
        'Lead status (hs_lead_status) is "In Progress" in HubSpot, and the mapping to '
        "Status says nothing about that value."
    )


def test_names_are_read_once_for_many_and_not_where_none_is_told(
    stages: Terms,
) -> None:
    known = {"stage_id": 0}

    with CaptureQueriesContext(
        connection,
    ) as untold:
        stages.texts.texts(known)
    with CaptureQueriesContext(connection) as many:
        for number in range(50):
            told(stages, stage_id=number + 1)

    assert (len(untold), len(many)) == (0, 1)
