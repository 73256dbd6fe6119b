"""The mapping page: rows changed, wrong ones named, what was typed kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core.models import AuditEntry, WorkItem, Workspace
from crmsync.core.roles import Role
from integrations.models import ObjectMapping, RemoteSchema
from integrations.testing import make_connection, make_mapping, make_parked_item
from integrations.tests.pages.conftest import SignIn

pytestmark = pytest.mark.usefixtures("inside")


def remote(name: str, **given: Any) -> dict[str, Any]:
    return {"name": name, "label": name.title(), "type": "text", "options": [], **given}


FIELDS = [
    remote("email"),
    remote("city"),
    remote("score", read_only=True),
    remote("must", required=True),
    remote(
        "stage",
        type="enum",
        options=[{"value": "NEW", "label": "New"}, {"value": "OPEN", "label": "Open"}],
    ),
]


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    connection = make_connection(workspace)
    RemoteSchema.objects.create(
        connection=connection, object_type="contacts", fields=FIELDS
    )
    return make_mapping(connection)


def rows(*pairs: tuple[str, str], **more: str) -> dict[str, str]:
    given = {
        "rows-TOTAL_FORMS": str(len(pairs)),
        "rows-INITIAL_FORMS": "1",
        "version": "1",
        "match_field": "email",
        **more,
    }
    for place, (ours, theirs) in enumerate(pairs):
        given |= {
            f"rows-{place}-source": ours,
            f"rows-{place}-destination": theirs,
            f"rows-{place}-active": "on",
        }
    return given


def stored(mapping: ObjectMapping) -> list[tuple[str, str]]:
    return list(mapping.rows.values_list("source", "destination"))


def test_rows_are_saved_as_a_new_version(admin: Client, mapping: ObjectMapping) -> None:
    given = rows(("email", "email"), ("city", "city"), save="1")

    answer = admin.post(mapping.get_absolute_url(), given)

    mapping.refresh_from_db()
    assert answer["Location"] == mapping.get_absolute_url()
    assert stored(mapping) == [("email", "email"), ("city", "city")]
    assert mapping.version == 2
    assert AuditEntry.objects.filter(action="mapping.changed").exists()


@pytest.mark.parametrize(
    ("pair", "field", "told"),
    [
        (("email", "score"), "destination", "read-only"),
        (("email", "vanished"), "destination", "Select a valid choice"),
        (("shoe_size", "city"), "source", "Select a valid choice"),
        (("", "city"), "source", "required"),
    ],
)
def test_a_row_that_cannot_work_is_named(
    pair: tuple[str, str],
    field: str,
    told: str,
    admin: Client,
    mapping: ObjectMapping,
) -> None:
    given = rows(("city", "city"), pair, save="1")

    answer = admin.post(mapping.get_absolute_url(), given)

    form = answer.context["rows"].forms[1]
    assert answer.status_code == 422
    assert field in form.errors, form.errors
    assert stored(mapping) == [("email", "email")]


def test_a_field_of_theirs_is_written_once(
    admin: Client, mapping: ObjectMapping
) -> None:
    given = rows(("email", "city"), ("city", "city"), save="1")

    answer = admin.post(mapping.get_absolute_url(), given)

    assert answer.status_code == 422
    assert "This field is mapped twice." in answer.content.decode()


def test_a_read_only_field_cannot_be_chosen(
    admin: Client, mapping: ObjectMapping
) -> None:
    page = admin.get(mapping.get_absolute_url()).content.decode()

    assert '<option value="score" disabled>Score (read-only)</option>' in page


def test_a_field_that_vanished_there_is_marked(
    admin: Client, mapping: ObjectMapping
) -> None:
    mapping.rows.create(source="city", destination="old_city")

    page = admin.get(mapping.get_absolute_url()).content.decode()

    assert "old_city (not in the CRM)" in page
    assert "Missing field" in page


def test_required_fields_without_a_row_are_named(
    admin: Client, mapping: ObjectMapping
) -> None:
    page = admin.get(mapping.get_absolute_url())

    assert page.context["unmapped"] == ["Must"]


def test_adding_a_row_saves_nothing_and_keeps_what_was_typed(
    admin: Client, mapping: ObjectMapping
) -> None:
    given = rows(("city", "city"), add="1")

    answer = admin.post(mapping.get_absolute_url(), given)

    forms = answer.context["rows"].forms
    assert answer.status_code == 200
    assert [form.now("source") for form in forms] == ["city", ""]
    assert not any(form.errors for form in forms)
    assert stored(mapping) == [("email", "email")]


def test_values_of_lists_are_mapped_one_by_one(
    admin: Client, mapping: ObjectMapping
) -> None:
    given = rows(("status", "stage"), save="1")
    given |= {"rows-0-value_0": "NEW", "rows-0-value_1": "OPEN"}

    admin.post(mapping.get_absolute_url(), given)

    assert mapping.rows.get().values == {"new": "NEW", "contacted": "OPEN"}


def test_an_outdated_save_is_refused_and_kept(
    admin: Client, mapping: ObjectMapping
) -> None:
    ObjectMapping.objects.update(version=7)
    given = rows(("city", "city"), save="1")

    answer = admin.post(mapping.get_absolute_url(), given)

    assert answer.status_code == 422
    assert "changed meanwhile" in answer.content.decode()
    assert answer.context["rows"].forms[0].now("source") == "city"


def test_saving_retries_what_failed_when_asked(
    admin: Client, mapping: ObjectMapping, workspace: Workspace
) -> None:
    item = make_parked_item(workspace, group=str(mapping.pk), key=f"{mapping.pk}:1")

    given = rows(("email", "email"), save="1", then="failed")
    admin.post(mapping.get_absolute_url(), given)

    assert WorkItem.objects.get(pk=item.pk).state == "ready"


def test_a_mapping_is_switched_off_and_on(
    admin: Client, mapping: ObjectMapping
) -> None:
    path = reverse("mapping-switch", args=[mapping.pk])

    admin.post(path, {"active": "no"})
    mapping.refresh_from_db()
    off = mapping.active
    admin.post(path, {"active": "yes"})
    mapping.refresh_from_db()

    assert (off, mapping.active) == (False, True)


@pytest.mark.parametrize("role", [Role.REP, Role.VIEWER])
def test_other_roles_save_nothing(
    role: Role, sign_in: SignIn, mapping: ObjectMapping
) -> None:
    given = rows(("city", "city"), save="1")

    answer = sign_in(role).post(mapping.get_absolute_url(), given)

    assert answer.status_code == 403
    assert stored(mapping) == [("email", "email")]
