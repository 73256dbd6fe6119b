"""Set-up of accounts that lack a product, and so an object."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from integrations.connectors.base import Connector
from integrations.connectors.session import open_connector
from integrations.errors import (
    PermissionMissing,
    RecordGone,
    SyncError,
    Unsupported,
)
from integrations.mapping.templates.base import MappingTemplate, RowTemplate
from integrations.models import Connection, ObjectMapping
from integrations.records import RemoteField
from integrations.services import setup

NAME = RemoteField("hs_name", "Campaign name", "text", required=True)


def template(*, active: bool) -> MappingTemplate:
    return MappingTemplate(
        "company", "campaigns", active=active, rows=(RowTemplate("name", "hs_name"),)
    )


@pytest.fixture
def connector(hubspot: Connection, monkeypatch: pytest.MonkeyPatch) -> Connector:
    """One that answers about campaigns as `answers` in this module says."""
    ObjectMapping.objects.filter(connection=hubspot, remote_object="campaigns").delete()
    hubspot.key_fields.pop("campaigns")
    hubspot.save()
    opened, _ = open_connector(hubspot)
    ask = opened.describe

    def describe(object_type: str) -> tuple[RemoteField, ...]:
        if object_type != "campaigns":
            return ask(object_type)
        answer = answers.pop()
        if isinstance(answer, SyncError):
            raise answer
        return answer

    monkeypatch.setattr(opened, "describe", describe)
    return opened


answers: list[SyncError | tuple[RemoteField, ...]] = []


def use(
    monkeypatch: pytest.MonkeyPatch,
    more: MappingTemplate,
    *told: SyncError | tuple[RemoteField, ...],
) -> None:
    templates: Sequence[MappingTemplate] = (
        *(
            one
            for one in setup.TEMPLATES["hubspot"]
            if one.remote_object != "campaigns"
        ),
        more,
    )
    monkeypatch.setitem(setup.TEMPLATES, "hubspot", tuple(templates))
    answers[:] = reversed(told)


def mapped(connection: Connection) -> set[str]:
    found = ObjectMapping.objects.filter(connection=connection)
    return set(found.values_list("remote_object", flat=True))


@pytest.mark.parametrize("kind", [PermissionMissing, RecordGone, Unsupported])
def test_an_object_that_is_off_and_not_shown_keeps_nothing_from_being_set_up(
    hubspot: Connection,
    connector: Connector,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[SyncError],
) -> None:
    use(monkeypatch, template(active=False), kind("no"))
    ObjectMapping.objects.filter(connection=hubspot, remote_object="notes").delete()

    setup.set_up(hubspot, connector)

    assert "notes" in mapped(hubspot)
    assert "campaigns" not in mapped(hubspot)
    assert "campaigns" not in hubspot.key_fields
    assert hubspot.status == Connection.Status.ACTIVE
    assert hubspot.status_detail == ""


def test_it_is_mapped_once_it_is_shown_and_without_a_complaint_about_its_key(
    hubspot: Connection, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, template(active=False), PermissionMissing("no"), (NAME,))

    setup.set_up(hubspot, connector)
    setup.set_up(hubspot, connector)

    made = ObjectMapping.objects.get(connection=hubspot, remote_object="campaigns")
    assert not made.active
    assert hubspot.key_fields["campaigns"] == ""
    assert hubspot.status_detail == ""


def test_an_object_that_is_on_by_default_must_be_shown(
    hubspot: Connection, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, template(active=True), PermissionMissing("no"))

    with pytest.raises(PermissionMissing):
        setup.set_up(hubspot, connector)


def test_an_object_that_somebody_switched_on_must_be_shown(
    hubspot: Connection, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, template(active=False), (NAME,), PermissionMissing("no"))
    setup.set_up(hubspot, connector)
    made = ObjectMapping.objects.filter(connection=hubspot, remote_object="campaigns")
    made.update(active=True)

    with pytest.raises(PermissionMissing):
        setup.set_up(hubspot, connector)


def test_what_is_out_of_sight_for_a_while_keeps_its_key(
    hubspot: Connection, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, template(active=False), PermissionMissing("no"))
    hubspot.key_fields = {"campaigns": "crmsync_id"}
    hubspot.save()

    setup.set_up(hubspot, connector)

    hubspot.refresh_from_db()
    assert hubspot.key_fields["campaigns"] == "crmsync_id"
    assert hubspot.key_fields["contacts"] == "crmsync_id"


def test_an_outage_is_no_absence(
    hubspot: Connection, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, template(active=False), SyncError("down"))

    with pytest.raises(SyncError, match="down"):
        setup.set_up(hubspot, connector)
