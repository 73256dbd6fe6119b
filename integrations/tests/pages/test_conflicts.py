"""The conflicts inbox: both values, one click, always, in bulk, and back again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.roles import Role
from integrations.models import Conflict, ObjectMapping, RemoteSchema
from integrations.testing import (
    make_conflict,
    make_connection,
    make_link,
    make_mapping,
)
from integrations.tests.pages.conftest import SignIn
from leads.models import Lead
from leads.testing import make_lead

pytestmark = pytest.mark.usefixtures("inside")
DECIDE = "conflicts-decide"
ROWS = (("email", "email"), ("city", "city"), ("status", "stage"))
STAGE = {
    "name": "stage",
    "label": "Lead status",
    "type": "enum",
    "options": [{"value": "OPEN", "label": "Open deal"}],
}
TEXTS: list[dict[str, Any]] = [
    {"name": name, "label": name.title(), "type": "text", "options": []}
    for name in ("email", "city")
]


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    connection = make_connection(workspace)
    RemoteSchema.objects.create(
        connection=connection, object_type="contacts", fields=[*TEXTS, STAGE]
    )
    return make_mapping(connection, direction="both", rows=ROWS)


def clash(mapping: ObjectMapping, name: str = "Ada", **given: Any) -> Conflict:
    lead = make_lead(
        mapping.workspace, first_name=name, last_name="", city="Berlin", email=""
    )
    link = make_link(mapping.connection, record_id=lead.pk)
    return make_conflict(mapping, link, **given)


def city_of(conflict: Conflict) -> str:
    return Lead.objects.get(pk=conflict.record_id).city


def pushes(conflict: Conflict) -> int:
    key = f"{conflict.mapping_id}:{conflict.record_id}"
    return WorkItem.objects.filter(kind="push", key=key).count()


def test_both_values_stand_with_what_both_had(
    admin: Client, mapping: ObjectMapping
) -> None:
    clash(mapping, hub_by="Otto Opsgaard")

    page = admin.get(reverse("conflicts")).content.decode()

    for words in ("Ada", "Berlin", "Paris", "Bonn", "Otto Opsgaard", "Keep HubSpot’s"):
        assert words in page


def test_a_value_of_a_list_has_the_name_people_know(
    admin: Client, mapping: ObjectMapping
) -> None:
    clash(mapping, field="status", remote_field="stage", crm_value="OPEN")

    (card,) = admin.get(reverse("conflicts")).context["cards"]

    assert card.theirs.value == "Open deal"


def test_ours_is_kept_and_sent(admin: Client, mapping: ObjectMapping) -> None:
    one = clash(mapping)

    admin.post(reverse(DECIDE), {"keep": f"hub:{one.pk}"})

    one.refresh_from_db()
    assert (one.state, one.winner) == ("resolved", "hub")
    assert (city_of(one), pushes(one)) == ("Berlin", 1)


def test_theirs_is_kept_and_taken_over(admin: Client, mapping: ObjectMapping) -> None:
    one = clash(mapping)

    admin.post(reverse(DECIDE), {"keep": f"crm:{one.pk}"})

    one.refresh_from_db()
    assert (one.state, one.winner) == ("resolved", "crm")
    assert (city_of(one), pushes(one)) == ("Paris", 0)


def test_always_makes_it_the_rule_of_the_field(
    admin: Client, mapping: ObjectMapping
) -> None:
    one = clash(mapping)

    admin.post(reverse(DECIDE), {"always": f"crm:{one.pk}"})

    assert mapping.rows.get(destination="city").rule == "crm"
    assert mapping.rows.get(destination="email").rule == "latest"


def test_chosen_ones_are_decided_together(
    admin: Client, mapping: ObjectMapping
) -> None:
    *chosen, other = [clash(mapping, name) for name in ("Ada", "Bo", "Cy")]

    given = {"bulk": "hub", "conflict": [*(one.pk for one in chosen), "x"]}
    admin.post(reverse(DECIDE), given)

    states = dict(Conflict.objects.values_list("pk", "state"))
    assert [states[one.pk] for one in chosen] == ["resolved", "resolved"]
    assert states[other.pk] == "open"


def test_all_that_the_filter_leaves_are_decided_together(
    admin: Client, mapping: ObjectMapping
) -> None:
    fits = clash(mapping)
    other = clash(mapping, "Bo", field="status", remote_field="stage")

    query = f"?field={mapping.pk}:city"
    admin.post(f"{reverse(DECIDE)}{query}", {"all": "hub"})

    states = dict(Conflict.objects.values_list("pk", "state"))
    assert (states[fits.pk], states[other.pk]) == ("resolved", "open")


def test_a_second_click_says_so_and_does_nothing(
    admin: Client, mapping: ObjectMapping
) -> None:
    one = clash(mapping)
    admin.post(reverse(DECIDE), {"keep": f"hub:{one.pk}"})

    answer = admin.post(reverse(DECIDE), {"keep": f"crm:{one.pk}"}, follow=True)

    assert "settled already" in answer.content.decode()
    assert city_of(one) == "Berlin"


def test_the_value_that_lost_is_brought_back(
    admin: Client, mapping: ObjectMapping
) -> None:
    one = clash(mapping, state="by_rule", winner="hub", reason="crmsync wins")
    settled = admin.get(reverse("conflicts"), {"tab": "settled"}).content.decode()

    admin.post(reverse("conflict-restore", args=[one.pk]))

    one.refresh_from_db()
    assert "crmsync wins" in settled
    assert (city_of(one), one.winner, pushes(one)) == ("Paris", "crm", 1)


@pytest.mark.parametrize(
    "query",
    [
        {"field": "x:y"},
        {"field": "9" * 40 + ":city"},
        {"connection": "x", "record": "lead:x"},
        {"record": "lead:", "after": "%%", "tab": "z"},
    ],
)
def test_an_unknown_filter_is_none(
    query: dict[str, str], admin: Client, mapping: ObjectMapping
) -> None:
    clash(mapping)

    answer = admin.get(reverse("conflicts"), query)

    assert len(answer.context["cards"]) == 1


@pytest.mark.parametrize("keep", ["", "crm", "crm:", "crm:x", "nobody:1", ":"])
def test_a_decision_that_says_nothing_changes_nothing(
    keep: str, admin: Client, mapping: ObjectMapping
) -> None:
    clash(mapping)

    answer = admin.post(reverse(DECIDE), {"keep": keep})

    assert answer.status_code == 302
    assert Conflict.objects.get().state == "open"


def test_the_badge_counts_what_is_open(admin: Client, mapping: ObjectMapping) -> None:
    clash(mapping)
    clash(mapping, "Bo", state="by_rule", winner="crm")

    page = admin.get(reverse("leads")).content.decode()

    assert '<span class="nav-count">1<' in page


@pytest.mark.parametrize("role", [Role.REP, Role.VIEWER])
def test_others_decide_nothing(
    role: Role, sign_in: SignIn, mapping: ObjectMapping
) -> None:
    one = clash(mapping)

    answers = [
        sign_in(role).post(reverse(DECIDE), {"keep": f"crm:{one.pk}"}),
        sign_in(role).post(reverse("conflict-restore", args=[one.pk])),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert Conflict.objects.get().state == "open"


def test_an_empty_inbox_says_how_conflicts_get_there(admin: Client) -> None:
    page = admin.get(reverse("conflicts")).content.decode()

    assert "Nothing to decide" in page
