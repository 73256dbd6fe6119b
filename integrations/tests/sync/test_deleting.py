"""What was deleted here is deleted in the CRM, each record by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from crmsync.core.models import WorkItem, Workspace
from integrations.connectors.salesforce.connector import SalesforceConnector
from integrations.errors import RecordRejected, SyncError
from integrations.models import Connection, Link, ObjectMapping
from integrations.simulators.testing import RunningSimulator
from integrations.tests.sync.crm import SalesforceUser, only, sync
from integrations.tests.sync.trio import HERE
from leads.services import records, removal

pytestmark = pytest.mark.django_db


def test_one_record_that_cannot_be_deleted_keeps_none_of_the_others(
    workspace: Workspace,
    salesforce: Connection,
    salesforce_simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(salesforce, "Lead")
    ObjectMapping.objects.update(deletes=ObjectMapping.Deletes.PROPAGATE)
    rows = [
        {"email": f"p{n}@customer.example.org", "last_name": "L", "company_name": "C"}
        for n in range(3)
    ]
    made = records.create(workspace, "lead", rows, origin=HERE)
    sync()
    stuck = Link.objects.get(record_id=made[1].pk).remote_id
    real = SalesforceConnector.delete

    def delete(
        self: SalesforceConnector, object_type: str, ids: Sequence[str]
    ) -> Mapping[str, SyncError]:
        real(self, object_type, [one for one in ids if one != stuck])
        return {stuck: RecordRejected("It is associated with a campaign.")}

    monkeypatch.setattr(SalesforceConnector, "delete", delete)
    removal.delete(workspace, "lead", [one.pk for one in made], origin=HERE)
    sync(1)

    left = [one["Id"] for one in SalesforceUser(salesforce_simulator).has("Lead")]
    assert left == [stuck]
    assert Link.objects.get().remote_id == stuck
    assert "associated" in WorkItem.objects.exclude(error="").get().error
