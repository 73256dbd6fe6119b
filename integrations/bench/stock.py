"""Fills the measured workspace: `python -m integrations.bench.stock WHAT ...`.

`map DIRECTION` maps leads to contacts with fifteen fields; `leads FIRST COUNT SOURCE`
makes people who are nowhere else yet.
"""

from __future__ import annotations

import os
import sys

import django

from integrations.bench import people
from integrations.bench.spent import measured

CHUNK = 2000


def main() -> None:
    """Do what the arguments say, in the only workspace there is."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
    django.setup()
    from crmsync.core.models import Workspace
    from crmsync.core.scoping import in_workspace

    what, *args = sys.argv[1:]
    with in_workspace(Workspace.objects.get()), measured() as spent:
        if what == "map":
            _map(args[0])
        else:
            spent.records = _make_leads(int(args[0]), int(args[1]), args[2])


def _map(direction: str) -> None:
    from integrations.models import FieldMapping, ObjectMapping

    _make_own_fields()
    ObjectMapping.objects.exclude(record_type="lead").update(active=False)
    mapping = ObjectMapping.objects.get(record_type="lead")
    mapping.direction, mapping.engaged_only, mapping.active = direction, False, True
    mapping.save()
    mapping.rows.all().delete()
    FieldMapping.objects.bulk_create(
        FieldMapping(mapping=mapping, position=at, source=ours, destination=theirs)
        for at, (theirs, ours) in enumerate(people.FIELDS.items())
    )


def _make_own_fields() -> None:
    from crmsync.core.models import Workspace
    from leads.models import CustomField

    workspace = Workspace.objects.get()
    for name in people.OWN:
        CustomField.objects.get_or_create(
            workspace=workspace,
            record_type="lead",
            name=name,
            defaults={"label": name.title(), "type": "text"},
        )


def _make_leads(first: int, count: int, source: str) -> int:
    from crmsync.core import upkeep
    from crmsync.core.models import Workspace
    from leads.models import Lead

    workspace = Workspace.objects.get()
    for start in range(first, first + count, CHUNK):
        numbers = range(start, min(start + CHUNK, first + count))
        Lead.objects.bulk_create(
            Lead(workspace=workspace, source=source, **people.lead(number))
            for number in numbers
        )
    # As beat does every few seconds.
    upkeep.keep_up()
    return count


if __name__ == "__main__":
    main()
