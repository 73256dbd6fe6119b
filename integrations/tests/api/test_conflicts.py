"""The API of conflicts: decided once, for many, from now on, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import api_client
from integrations.models import Conflict, ObjectMapping, RemoteSchema
from integrations.testing import (
    make_conflict,
    make_connection,
    make_link,
    make_mapping,
)
from leads.models import Lead
from leads.testing import make_lead, make_ready_workspace

pytestmark = pytest.mark.django_db
CONFLICTS = "/api/v1/conflicts/"
ROWS = (("email", "email"), ("city", "city"))
TEXTS: list[dict[str, Any]] = [
    {"name": name, "label": name.title(), "type": "text", "options": []}
    for name in ("email", "city")
]


@pytest.fixture
def workspace() -> Workspace:
    return make_ready_workspace()


@pytest.fixture
def ops(workspace: Workspace) -> APIClient:
    return api_client(workspace, "sales_ops")


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    return make_two_way(workspace)


def make_two_way(workspace: Workspace) -> ObjectMapping:
    connection = make_connection(workspace)
    RemoteSchema.objects.create(
        connection=connection, object_type="contacts", fields=TEXTS
    )
    return make_mapping(connection, direction="both", rows=ROWS)


def clash(mapping: ObjectMapping, **given: Any) -> Conflict:
    lead = make_lead(mapping.workspace, city="Berlin", email="")
    link = make_link(mapping.connection, record_id=lead.pk)
    return make_conflict(mapping, link, **given)


def resolve(client: APIClient, where: object, **body: Any) -> Any:
    return client.post(f"{CONFLICTS}{where}resolve/", body, "json")


def city_of(conflict: Conflict) -> str:
    with in_workspace(conflict.workspace):
        return Lead.objects.get(pk=conflict.record_id).city


def pushes(conflict: Conflict) -> int:
    key = f"{conflict.mapping_id}:{conflict.record_id}"
    with in_workspace(conflict.workspace):
        return WorkItem.objects.filter(kind="push", key=key).count()


def test_both_values_are_told_with_what_both_had(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    one = clash(mapping, hub_by="Otto Opsgaard")

    shown = ops.get(f"{CONFLICTS}{one.pk}/").json()

    values = [shown[name] for name in ("base_value", "hub_value", "crm_value")]
    assert values == ["Bonn", "Berlin", "Paris"]
    assert (shown["state"], shown["rule"]) == ("open", "ask")
    assert (shown["hub_by"], shown["link_id"]) == ("Otto Opsgaard", one.link_id)


@pytest.mark.parametrize(
    ("winner", "city", "sent"), [("crm", "Paris", 0), ("hub", "Berlin", 1)]
)
def test_one_side_is_kept(
    ops: APIClient, mapping: ObjectMapping, winner: str, city: str, sent: int
) -> None:
    one = clash(mapping)

    answer = resolve(ops, f"{one.pk}/", winner=winner)

    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["winner"]) == ("resolved", winner)
    assert (city_of(one), pushes(one)) == (city, sent)


def test_always_makes_it_the_rule_of_the_field(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    one = clash(mapping)

    resolve(ops, f"{one.pk}/", winner="crm", always=True)

    rows = ops.get(f"/api/v1/mappings/{mapping.pk}/").json()["rows"]
    assert {row["destination"]: row["rule"] for row in rows} == {
        "city": "crm",
        "email": "latest",
    }


@pytest.mark.parametrize(
    "body", [{}, {"winner": "me"}, {"winner": "crm", "always": 7}, {"loser": "hub"}]
)
def test_a_decision_that_is_none_is_refused(
    ops: APIClient, mapping: ObjectMapping, body: dict[str, Any]
) -> None:
    one = clash(mapping)

    assert resolve(ops, f"{one.pk}/", **body).status_code == 400
    assert ops.get(f"{CONFLICTS}{one.pk}/").json()["state"] == "open"


def test_what_is_settled_is_not_settled_again(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    one = clash(mapping)
    resolve(ops, f"{one.pk}/", winner="hub")

    answer = resolve(ops, f"{one.pk}/", winner="crm")

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "too_late"
    assert city_of(one) == "Berlin"


def test_what_was_not_kept_comes_back(ops: APIClient, mapping: ObjectMapping) -> None:
    one = clash(mapping)
    resolve(ops, f"{one.pk}/", winner="crm")

    answer = ops.post(f"{CONFLICTS}{one.pk}/restore/")

    assert (answer.status_code, answer.json()["winner"]) == (200, "hub")
    assert (city_of(one), pushes(one)) == ("Berlin", 1)


def test_nothing_is_restored_before_a_decision(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    assert ops.post(f"{CONFLICTS}{clash(mapping).pk}/restore/").status_code == 409


# --- many at once ---------------------------------------------------------------------


def test_chosen_ones_are_decided_together(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    *chosen, other = [clash(mapping) for _ in range(3)]

    answer = resolve(ops, "", winner="crm", ids=[one.pk for one in chosen])

    assert answer.json() == {"resolved": 2, "refused": [], "left": 0}
    assert [city_of(one) for one in (*chosen, other)] == ["Paris", "Paris", "Berlin"]


@pytest.mark.parametrize("name", ["mapping_id", "connection_id", "record_id"])
def test_what_a_filter_leaves_is_decided(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping, name: str
) -> None:
    one, other = clash(mapping), clash(make_two_way(workspace))

    answer = resolve(ops, "", winner="crm", **{name: getattr(one, name)})

    assert answer.json()["resolved"] == 1
    assert (city_of(one), city_of(other)) == ("Paris", "Berlin")


def test_one_that_does_not_fit_is_told_and_stays_open(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    good = clash(mapping)
    bad = clash(mapping, field="email", remote_field="email", crm_value="no address")

    answer = resolve(ops, "", winner="crm", all=True).json()

    assert (answer["resolved"], answer["left"]) == (1, 0)
    assert [one["id"] for one in answer["refused"]] == [bad.pk]
    assert city_of(good) == "Paris"
    assert ops.get(f"{CONFLICTS}{bad.pk}/").json()["state"] == "open"


def test_nobody_decides_everything_by_accident(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    one = clash(mapping)

    answers = [
        resolve(ops, "", winner="crm"),
        resolve(ops, "", winner="crm", all=False),
    ]

    assert [one.status_code for one in answers] == [400, 400]
    assert city_of(one) == "Berlin"


def test_conflicts_of_another_workspace_are_left_alone(ops: APIClient) -> None:
    theirs = clash(make_two_way(make_ready_workspace()))

    single = resolve(ops, f"{theirs.pk}/", winner="crm")
    bulk = resolve(ops, "", winner="crm", ids=[theirs.pk])

    assert (single.status_code, bulk.json()["resolved"]) == (404, 0)
    assert city_of(theirs) == "Berlin"


# --- lists ----------------------------------------------------------------------------


def test_conflicts_are_filtered(ops: APIClient, mapping: ObjectMapping) -> None:
    one, other = clash(mapping), clash(mapping)
    resolve(ops, f"{other.pk}/", winner="crm")
    address = (
        f"{CONFLICTS}?state=open&connection_id={mapping.connection_id}&field=city"
        f"&record_type=lead&record_id={one.record_id}"
    )

    found = ops.get(address).json()["results"]

    assert [shown["id"] for shown in found] == [one.pk]


@pytest.mark.parametrize("query", ["colour=red", "state=maybe", "winner=me"])
def test_a_filter_that_is_none_is_refused(ops: APIClient, query: str) -> None:
    assert ops.get(f"{CONFLICTS}?{query}").status_code == 400
