"""Gives a stopped run what it was stopped before as columns, not only as words."""

import re

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_COUNT = re.compile(r"(\d+) ")


def read_from_messages(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Take over what runs that wait for approval have had in their message alone."""
    runs = apps.get_model("integrations", "Run")._base_manager
    for run in runs.filter(state="stopped", mass_count=None).iterator():
        if found := _COUNT.match(run.message):
            run.mass_count = int(found[1])
            run.mass_change = "clears" if "emptied" in run.message else "deletes"
            run.save(update_fields=["mass_count", "mass_change"])


class Migration(migrations.Migration):
    dependencies = [("integrations", "0005_runs_both_ways")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="mass_change",
            field=models.CharField(
                blank=True,
                choices=[("deletes", "Deletions"), ("clears", "Emptied records")],
                default="",
                max_length=7,
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="mass_count",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.RunPython(read_from_messages, migrations.RunPython.noop),
    ]
