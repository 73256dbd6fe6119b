"""Deals: found or opened for a lead, moved through their stages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crmsync.core.models import Workspace
from leads.facts import Origin, RecordChange
from leads.models import Deal, Lead, Pipeline, Stage, StageChange
from leads.services import changes

DEAL_FIELDS = ("name", "lead_id", "company_id", "pipeline_id", "stage_id", "source")


def default_stage(pipeline: Pipeline | None = None) -> Stage | None:
    """Return the first open stage of the pipeline, or of the default one."""
    stages = Stage.objects.filter(outcome=Stage.Outcome.OPEN).select_related("pipeline")
    if pipeline is not None:
        return stages.filter(pipeline=pipeline).order_by("position").first()
    return stages.order_by("-pipeline__is_default", "pipeline_id", "position").first()


def find_or_open(
    workspace: Workspace, leads: Sequence[Lead], *, stage: Stage, origin: Origin
) -> tuple[dict[int, Deal], list[RecordChange]]:
    """Return each lead's open deal in the stage's pipeline, opening what is missing.

    The leads must be saved and locked. The newest open deal counts when there are
    several: a person opened the others on purpose. Returns lead id -> deal, changes.
    """
    open_deals = Deal.objects.filter(
        lead__in=leads, pipeline=stage.pipeline, stage__outcome=Stage.Outcome.OPEN
    )
    found: dict[int, Deal] = {}
    for deal in open_deals.order_by("id"):
        found[deal.lead_id or 0] = deal
    new = [
        _new(workspace, lead, stage, origin) for lead in leads if lead.pk not in found
    ]
    Deal.objects.bulk_create(new)
    StageChange.objects.bulk_create(
        StageChange(
            workspace=workspace, deal=one, to_stage=stage, origin=origin.label[:60]
        )
        for one in new
    )
    told = [changes.created("deal", one, DEAL_FIELDS, origin) for one in new]
    return found | {one.lead_id or 0: one for one in new}, told


def _new(workspace: Workspace, lead: Lead, stage: Stage, origin: Origin) -> Deal:
    who = str(lead)
    return Deal(
        workspace=workspace,
        name=(f"{who} – {lead.company_name}" if lead.company_name else who)[:200],
        lead=lead,
        company_id=lead.company_id,
        pipeline=stage.pipeline,
        stage=stage,
        owner_id=lead.owner_id,
        source=origin.id[:60],
    )


def note_stage_changes(
    workspace: Workspace, moved: Iterable[tuple[Deal, int | None]], origin: Origin
) -> None:
    """Write the stage history of deals. moved: deal, id of the stage it left."""
    StageChange.objects.bulk_create(
        StageChange(
            workspace=workspace,
            deal=deal,
            from_stage_id=left,
            to_stage_id=deal.stage_id,
            origin=origin.label[:60],
        )
        for deal, left in moved
    )
