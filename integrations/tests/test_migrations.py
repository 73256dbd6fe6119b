"""What migrations do to data that is there already."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from crmsync.core.testing import make_workspace
from integrations.testing import make_connection, make_mapping, make_run
from integrations.tests.console.ground import refresh

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("message", "change", "count"),
    [
        ("37 linked records were deleted in the CRM.", "deletes", 37),
        ("1200 records would have fields emptied here.", "clears", 1200),
        ("Stopped.", "", None),
    ],
)
def test_what_waits_for_approval_keeps_its_number(
    message: str, change: str, count: int | None
) -> None:
    mapping = make_mapping(make_connection(make_workspace()))
    run = make_run(mapping, state="stopped", message=message)
    migration = import_module("integrations.migrations.0006_run_mass_change")

    migration.read_from_messages(apps, connection.schema_editor())

    refresh(run)
    assert (run.mass_change, run.mass_count) == (change, count)
