"""Edits leads one at a time and says when: `python -m integrations.bench.probe`.

`SOURCE WORD`: each lead of a source gets a job title of its own, at uneven times. When
each edit was committed is told by its title.
"""

from __future__ import annotations

import os
import random
import sys
import time

import django

from integrations.bench.spent import measured

# Uneven, so that no edit keeps step with anything that comes round by the clock.
GAP_S = (0.1, 0.5)


def main() -> None:
    """Edit them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
    django.setup()
    from crmsync.core.models import Workspace
    from leads.facts import Origin
    from leads.services import records
    from leads.services.records import Edit

    source, word = sys.argv[1:]
    workspace = Workspace.objects.get()
    origin, rng = Origin(kind="user", label="Bench"), random.Random(1)
    with measured() as spent:
        for number, pk in enumerate(_ids(workspace, source)):
            title = f"{word} {number}"
            edit = Edit(pk, {"job_title": title})
            records.update(workspace, "lead", [edit], origin=origin)
            spent.told[title] = time.time()
            time.sleep(rng.uniform(*GAP_S))
        spent.records = len(spent.told)


def _ids(workspace: object, source: str) -> list[int]:
    from django_scopes import scope

    from leads.models import Lead

    with scope(workspace=workspace):
        return list(Lead.objects.filter(source=source).values_list("pk", flat=True))


if __name__ == "__main__":
    main()
