"""The runs of the demo: first comparisons, a dry run of companies, a batch of tasks."""

from __future__ import annotations

from collections.abc import Mapping

from crmsync.core.services import Actor
from integrations.demo.crm import Crm
from integrations.models import ObjectMapping, Run
from integrations.services.mappings import change_mapping
from integrations.services.runs import start_run
from leads.facts import Origin
from leads.models import Activity
from leads.services import records
from leads.services.records import Edit

_MOST_TASKS = 8
_BOTH_WAYS = ObjectMapping.Direction.BOTH


def compare_and_fill(crms: Mapping[str, Crm], actor: Actor) -> None:
    """Compare what goes both ways in full, and send all of what only goes out."""
    for crm in crms.values():
        mappings = ObjectMapping.objects.filter(connection=crm.connection, active=True)
        for mapping in mappings.select_related("connection", "workspace"):
            both = mapping.direction == _BOTH_WAYS
            kind = Run.Kind.RECONCILE if both else Run.Kind.BACKFILL
            start_run(mapping, actor, kind)


def send_contacts(crms: Mapping[str, Crm], actor: Actor) -> None:
    """Send all people to HubSpot again, for the fields that were mapped since."""
    start_run(crms["hubspot"].mapping("contacts"), actor, Run.Kind.BACKFILL)


def foresee_companies(crms: Mapping[str, Crm], actor: Actor) -> None:
    """Try what would happen if companies went to the CRMs, too; they do not yet."""
    start_run(crms["hubspot"].mapping("companies"), actor, Run.Kind.DRY)
    start_run(crms["salesforce"].mapping("Account"), actor, Run.Kind.DRY)


def collect_tasks(crms: Mapping[str, Crm], actor: Actor) -> None:
    """Let tasks go to Salesforce once a day."""
    values = {"mode": ObjectMapping.Mode.BATCH, "schedule": "daily 06:30"}
    change_mapping(crms["salesforce"].mapping("Task"), actor, values)


def send_batch(crms: Mapping[str, Crm], actor: Actor) -> None:
    """Send the tasks that wait for their batch."""
    start_run(crms["salesforce"].mapping("Task"), actor, Run.Kind.BATCH)


def do_some_tasks(actor: Actor) -> None:
    """Do the tasks that are due first, and leave others for later."""
    user = actor.user
    assert user is not None
    open_tasks = Activity.objects.filter(kind=Activity.Kind.TASK, done_at=None)
    some = min(_MOST_TASKS, (open_tasks.count() + 1) // 2)
    tasks = list(open_tasks.order_by("due_at")[:some])
    if tasks:
        origin = Origin("user", str(user.pk), str(user))
        edits = [Edit(one.pk, {"done_at": one.due_at}) for one in tasks]
        records.update(tasks[0].workspace, "activity", edits, origin=origin)
