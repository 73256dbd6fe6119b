"""Makes valid records for tests, past the services: no history, no signal."""

from __future__ import annotations

import itertools
from typing import Any

from django.utils import timezone
from django_scopes import scopes_disabled

from crmsync.core.models import Workspace
from crmsync.core.testing import make_workspace
from leads.models import (
    Activity,
    Campaign,
    CampaignMember,
    Change,
    Company,
    Conversation,
    CustomField,
    Deal,
    Lead,
    LeadKey,
    Merge,
    Pipeline,
    ScoreEntry,
    ScoreRule,
    Stage,
    StageChange,
    Tombstone,
)
from leads.services.workspace import ensure_workspace_defaults

_numbers = itertools.count(1)


def make_ready_workspace(**given: Any) -> Workspace:
    """Store a workspace with its default pipeline and score rules."""
    workspace = make_workspace(**given)
    ensure_workspace_defaults(workspace)
    return workspace


@scopes_disabled()
def make_lead(workspace: Workspace, **given: Any) -> Lead:
    """Store a lead with an e-mail address, and its keys."""
    number = next(_numbers)
    values = {
        "email": f"lead-{number}@example.com",
        "first_name": "Lea",
        "last_name": f"Example{number}",
        **given,
    }
    lead = Lead.objects.create(workspace=workspace, **values)
    pairs = (("email", lead.email), ("linkedin", lead.linkedin_id))
    LeadKey.objects.bulk_create(
        LeadKey(workspace=workspace, lead=lead, kind=kind, value=value)
        for kind, value in pairs
        if value
    )
    return lead


@scopes_disabled()
def make_company(workspace: Workspace, **given: Any) -> Company:
    """Store a company with a domain of its own."""
    number = next(_numbers)
    values = {
        "name": f"Company {number}",
        "domain": f"company-{number}.example.org",
        **given,
    }
    return Company.objects.create(workspace=workspace, **values)


@scopes_disabled()
def make_pipeline(workspace: Workspace, **given: Any) -> Pipeline:
    """Store a pipeline with an open, a won and a lost stage."""
    values = {"name": f"Pipeline {next(_numbers)}", **given}
    pipeline = Pipeline.objects.create(workspace=workspace, **values)
    Stage.objects.bulk_create(
        Stage(
            workspace=workspace,
            pipeline=pipeline,
            name=outcome.label,
            position=position,
            outcome=outcome,
        )
        for position, outcome in enumerate(Stage.Outcome)
    )
    return pipeline


@scopes_disabled()
def make_deal(workspace: Workspace, **given: Any) -> Deal:
    """Store a deal in the given stage, or the first of the workspace's pipeline."""
    if "stage" not in given:
        stage = Stage.objects.filter(pipeline__workspace=workspace).first()
        given["stage"] = stage or make_pipeline(workspace).stages.first()
    given = {
        "name": f"Deal {next(_numbers)}",
        "pipeline": given["stage"].pipeline,
        **given,
    }
    return Deal.objects.create(workspace=workspace, **given)


@scopes_disabled()
def make_activity(workspace: Workspace, **given: Any) -> Activity:
    """Store a note of now."""
    values = {"kind": "note", "body": "A note", "occurred_at": timezone.now(), **given}
    return Activity.objects.create(workspace=workspace, **values)


@scopes_disabled()
def make_campaign(workspace: Workspace, **given: Any) -> Campaign:
    """Store a campaign."""
    values = {"name": f"Campaign {next(_numbers)}", **given}
    return Campaign.objects.create(workspace=workspace, **values)


@scopes_disabled()
def make_member(workspace: Workspace, **given: Any) -> CampaignMember:
    """Store a lead's membership in a campaign; both are made where not given."""
    values = dict(given)
    if "lead" not in values:
        values["lead"] = make_lead(workspace)
    if "campaign" not in values:
        values["campaign"] = make_campaign(workspace)
    return CampaignMember.objects.create(workspace=workspace, **values)


@scopes_disabled()
def make_custom_field(workspace: Workspace, **given: Any) -> CustomField:
    """Store a text field of leads."""
    number = next(_numbers)
    values = {
        "record_type": "lead",
        "name": f"field_{number}",
        "label": f"Field {number}",
        "type": "text",
        **given,
    }
    return CustomField.objects.create(workspace=workspace, **values)


@scopes_disabled()
def make_traces(deal: Deal, marker: str) -> dict[str, int]:
    """Store what a lead and its deal leave behind; return model name -> id."""
    workspace, lead = deal.workspace, deal.lead
    assert lead is not None
    rule = ScoreRule.objects.create(
        workspace=workspace, event=f"event_{marker}", label=marker, points=1
    )
    rows = (
        rule,
        ScoreEntry.objects.create(
            workspace=workspace, lead=lead, rule=rule, points=1, reason=marker
        ),
        StageChange.objects.create(
            workspace=workspace, deal=deal, to_stage=deal.stage, origin=marker
        ),
        Conversation.objects.create(
            workspace=workspace, lead=lead, source="lgm", external_id=marker
        ),
        make_member(workspace, lead=lead),
        Change.objects.create(
            workspace=workspace,
            record_type="lead",
            record_id=lead.pk,
            action="updated",
            fields={"city": ["", marker]},
            origin_kind="user",
        ),
        LeadKey.objects.get(lead=lead, kind="email"),
        Tombstone.objects.create(
            workspace=workspace,
            record_type="deal",
            record_id=10**9 + deal.pk,
            origin_kind="user",
            origin_label=marker,
        ),
        Merge.objects.create(
            workspace=workspace,
            record_type="lead",
            winner_id=lead.pk,
            loser_id=10**9 + lead.pk,
            origin_kind="user",
            origin_label=marker,
        ),
    )
    return {type(row).__name__.lower(): row.pk for row in rows}
