"""What the tests of the inbox start from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import make_workspace
from integrations.models import Endpoint
from integrations.testing import make_endpoint
from leads.models import Pipeline, ScoreRule, Stage
from leads.services.scoring import DEFAULT_RULES


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    """A workspace with a pipeline and a scoring rule; the test runs inside it."""
    made = make_workspace()
    with in_workspace(made):
        pipeline = Pipeline.objects.create(
            workspace=made, name="Sales", is_default=True
        )
        for position, name in enumerate(("Replied", "Meeting")):
            Stage.objects.create(
                workspace=made, pipeline=pipeline, name=name, position=position
            )
        event, label, points, cap = DEFAULT_RULES[0]
        ScoreRule.objects.create(
            workspace=made, event=event, label=label, points=points, cap=cap
        )
        yield made


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace)
