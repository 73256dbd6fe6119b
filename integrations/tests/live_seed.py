"""Fills an empty database for a `LiveSystem`: `python -m integrations.tests.live_seed`.

One workspace with a pipeline, a scoring rule, an endpoint per webhook source and an
admin. Their secrets are fixed, so a test can use them without asking.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from crmsync.core.models import Workspace

WORKSPACE = "live"
ADMIN = "admin@example.com"
PASSWORD = "a-long-password-for-tests"
# source -> the token in its endpoint's address
TOKENS = {"lgm": "lgm-live-token-000000000", "generic": "generic-live-token-00000"}
GENERIC_SECRET = "whsec_bGl2ZS10ZXN0LXNlY3JldC1vZi0zMi1ieXRlcy4u"
STAGES = (("Replied", "open"), ("Meeting", "open"), ("Won", "won"), ("Lost", "lost"))


def main() -> None:
    """Migrate, then make what a test starts from."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    seed()


def seed() -> None:
    """Make the workspace and all that is in it."""
    from crmsync.core.models import Membership, User, Workspace
    from crmsync.core.scoping import in_workspace

    workspace = Workspace.objects.create(name="Live", slug=WORKSPACE)
    user = User.objects.create_user(ADMIN, PASSWORD)
    with in_workspace(workspace):
        Membership.objects.create(workspace=workspace, user=user, role="admin")
        _make_pipeline(workspace)
        _make_endpoints(workspace)


def _make_pipeline(workspace: Workspace) -> None:
    from leads.models import Pipeline, ScoreRule, Stage
    from leads.services.scoring import DEFAULT_RULES

    pipeline = Pipeline.objects.create(
        workspace=workspace, name="Sales", is_default=True
    )
    for position, (name, outcome) in enumerate(STAGES):
        Stage.objects.create(
            workspace=workspace,
            pipeline=pipeline,
            name=name,
            position=position,
            outcome=outcome,
        )
    for event, label, points, cap in DEFAULT_RULES:
        ScoreRule.objects.create(
            workspace=workspace, event=event, label=label, points=points, cap=cap
        )


def _make_endpoints(workspace: Workspace) -> None:
    from integrations.models import Endpoint

    for source, token in TOKENS.items():
        Endpoint.objects.create(
            workspace=workspace,
            source=source,
            name=f"Live {source}",
            token=token,
            token_digest=Endpoint.digest_of(token),
            secrets=GENERIC_SECRET if source == "generic" else "",
        )


if __name__ == "__main__":
    main()
