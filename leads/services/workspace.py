"""What a new workspace starts with: a pipeline to sell through, rules to score by."""

from __future__ import annotations

from django.db import transaction

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from leads.models import Pipeline, ScoreRule, Stage
from leads.services.scoring import DEFAULT_RULES

DEFAULT_PIPELINE = "Sales"
DEFAULT_STAGES = (
    ("New reply", Stage.Outcome.OPEN),
    ("Qualified", Stage.Outcome.OPEN),
    ("Meeting booked", Stage.Outcome.OPEN),
    ("Proposal", Stage.Outcome.OPEN),
    ("Won", Stage.Outcome.WON),
    ("Lost", Stage.Outcome.LOST),
)


def ensure_workspace_defaults(workspace: Workspace) -> None:
    """Give the workspace what it lacks; what a person made or changed stays."""
    with transaction.atomic(), in_workspace(workspace):
        if not Pipeline.objects.exists():
            _make_pipeline(workspace)
        ScoreRule.objects.bulk_create(
            (
                ScoreRule(
                    workspace=workspace,
                    event=event,
                    label=label,
                    points=points,
                    cap=cap,
                )
                for event, label, points, cap in DEFAULT_RULES
            ),
            ignore_conflicts=True,
        )


def _make_pipeline(workspace: Workspace) -> None:
    pipeline = Pipeline.objects.create(
        workspace=workspace, name=DEFAULT_PIPELINE, is_default=True
    )
    Stage.objects.bulk_create(
        Stage(
            workspace=workspace,
            pipeline=pipeline,
            name=name,
            position=position,
            outcome=outcome,
        )
        for position, (name, outcome) in enumerate(DEFAULT_STAGES)
    )
