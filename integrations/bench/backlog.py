"""Makes a backlog of contacts to push: `python -m integrations.bench.backlog N TITLE`.

The first time the leads are made, later they are changed; either way each has to be
sent once. Nothing else of the product is touched.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from integrations.models import ObjectMapping

# Work that can wait: a backfill.
LANE = 1
CHUNK = 2000


def main() -> None:
    """Make or change the leads, then ask for them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
    django.setup()
    from crmsync.core.models import Workspace
    from crmsync.core.scoping import in_workspace
    from integrations.models import ObjectMapping

    count, title = int(sys.argv[1]), sys.argv[2]
    workspace = Workspace.objects.get()
    with in_workspace(workspace):
        mapping = ObjectMapping.objects.get(record_type="lead")
        ObjectMapping.objects.filter(pk=mapping.pk).update(engaged_only=False)
        _change_leads(count, title)
        _ask(mapping)


def _change_leads(count: int, title: str) -> None:
    from crmsync.core.models import Workspace
    from leads.models import Lead

    Lead.objects.update(job_title=title)
    workspace = Workspace.objects.get()
    missing = range(Lead.objects.count(), count)
    Lead.objects.bulk_create(
        [
            Lead(
                workspace=workspace,
                email=f"person{number}@example.com",
                first_name="Person",
                last_name=str(number),
                job_title=title,
            )
            for number in missing
        ],
        batch_size=CHUNK,
    )


def _ask(mapping: ObjectMapping) -> None:
    from crmsync.core import queue
    from crmsync.core.queue import Ask
    from integrations.sync import outbox
    from leads.models import Lead

    ids = list(Lead.objects.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(ids), CHUNK):
        queue.ask(
            Ask(
                workspace_id=mapping.workspace_id,
                kind=outbox.KIND,
                key=outbox.key_of(mapping.pk, pk),
                channel_id=mapping.connection.channel_id or 0,
                group=str(mapping.pk),
                lane=LANE,
            )
            for pk in ids[first : first + CHUNK]
        )


if __name__ == "__main__":
    main()
