"""Whatever address is tried, what belongs to another workspace does not exist."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django_scopes import scopes_disabled
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from crmsync.core.models import Workspace
from crmsync.core.testing import api_client, make_user
from integrations.testing import furnish
from integrations.tests.routes import Route, Unexplained, all_routes, explained
from leads.testing import make_ready_workspace

pytestmark = pytest.mark.django_db
MINE, THEIRS = "Plumtree", "Zebrawood"
# A method that is not offered tells nothing about the row.
NOTHING_TOLD = {404, 405}
NEVER_GIVEN = 987_654_321


@pytest.fixture
def mine() -> Workspace:
    return make_ready_workspace(name=f"{MINE} workspace")


@pytest.fixture
def my_ids(mine: Workspace) -> dict[str, int]:
    return furnish(mine, MINE)


@pytest.fixture
def their_ids() -> dict[str, int]:
    return furnish(make_ready_workspace(name=f"{THEIRS} workspace"), THEIRS)


@pytest.fixture
def person(mine: Workspace) -> Client:
    """Someone who may do everything, in their own workspace."""
    client = Client(raise_request_exception=False)
    client.force_login(make_user(mine, "admin", is_staff=True))
    return client


@pytest.fixture
def program(mine: Workspace) -> APIClient:
    return api_client(mine, "admin")


def test_a_route_with_an_unknown_parameter_fails_the_walk() -> None:
    with pytest.raises(Unexplained):
        explained("invoices/<int:pk>/")
    with pytest.raises(Unexplained):
        explained("leads/<int:pk>/files/<str:name>/")


def test_every_id_of_another_workspace_is_not_found(
    person: Client, my_ids: dict[str, int], their_ids: dict[str, int]
) -> None:
    before = rows_of(their_ids["workspace"])
    told: list[str] = []

    for route in all_routes():
        if route.owner:
            told += answers_of(person, route, their_ids)

    assert told == []
    assert rows_of(their_ids["workspace"]) == before


def answers_of(person: Client, route: Route, ids: dict[str, int]) -> list[str]:
    """Return the answers that tell more than "there is no such thing".

    What is forbidden or redirected must be so for an id that never was, too.
    """
    path = route.path(ids)
    theirs = ask(person, path)
    nobodys = ask(person, route.path({**ids, route.owner: NEVER_GIVEN}))
    end = person.get(path, follow=True).status_code
    telling = [
        method
        for method, answer in theirs.items()
        if answer.status_code not in NOTHING_TOLD
        and masked(answer, ids[route.owner]) != masked(nobodys[method], NEVER_GIVEN)
    ]
    leaking = [m for m, one in theirs.items() if THEIRS.encode() in one.content]
    if telling or leaking or end not in {*NOTHING_TOLD, 403}:
        return [f"{route.text}: tells {telling}, leaks {leaking}, ends in {end}"]
    return []


def ask(person: Client, path: str) -> dict[str, Any]:
    """Return method -> answer of everything one can do at an address."""
    answers: dict[str, Any] = {
        "GET": person.get(path),
        "POST": person.post(path, {"post": "yes", "action": "x"}),
    }
    if path.startswith("/api/"):
        answers["PATCH"] = person.patch(path, {}, content_type="application/json")
        answers["DELETE"] = person.delete(path)
    return answers


def masked(answer: Any, row_id: int) -> tuple[int, str]:
    """Return what an answer says, but for the id it was asked about."""
    where = answer.headers.get("Location", "")
    return answer.status_code, where.replace(f"/{row_id}/", "/ID/")


def test_the_same_addresses_exist_for_ones_own_rows(
    person: Client, my_ids: dict[str, int]
) -> None:
    missing = [
        route.text
        for route in all_routes()
        if route.owner
        and person.get(route.path(my_ids), follow=True).status_code == 404
    ]

    assert missing == []


def test_no_list_shows_rows_of_another_workspace(
    person: Client,
    program: APIClient,
    my_ids: dict[str, int],
    their_ids: dict[str, int],
) -> None:
    leaking, broken, shown = [], [], 0
    for route in all_routes():
        if route.owner:
            continue
        for client in (person, program):
            answer = client.get(route.path(my_ids))
            body = b"".join(answer) if answer.streaming else answer.content
            shown += MINE.encode() in body
            if THEIRS.encode() in body:
                leaking.append(route.text)
            # A probe may say 503: what it asks after is not running in a test.
            if answer.status_code == 500:
                broken.append(route.text)

    assert (leaking, broken) == ([], [])
    assert shown > 20


def test_every_documented_operation_denies_another_workspaces_ids(
    program: APIClient, my_ids: dict[str, int], their_ids: dict[str, int]
) -> None:
    before = rows_of(their_ids["workspace"])
    statuses = {
        (method, path): call(program, method, explained(path).path(their_ids))
        for path, method in operations()
        if "{id}" in path
    }

    assert statuses
    assert {key: got for key, got in statuses.items() if got != 404} == {}
    assert rows_of(their_ids["workspace"]) == before


def test_every_documented_operation_asks_who_calls(my_ids: dict[str, int]) -> None:
    stranger = APIClient()

    statuses = {
        (method, path): call(stranger, method, explained(path).path(my_ids))
        for path, method in operations()
    }

    assert {key: got for key, got in statuses.items() if got != 401} == {}


def test_a_key_reaches_nothing_outside_the_api(program: APIClient) -> None:
    with_key = program.get("/leads/")

    assert with_key.status_code in {302, 401, 403}


def test_filters_by_another_workspaces_ids_find_nothing(
    program: APIClient, my_ids: dict[str, int], their_ids: dict[str, int]
) -> None:
    found: dict[str, Any] = {}
    for path, parameter in id_filters():
        name = parameter.removesuffix("_id")
        name = {"owner": "user", "mapping": "objectmapping", "record": "lead"}.get(
            name, name
        )
        address = explained(path).path(my_ids)
        answer = program.get(f"{address}?{parameter}={their_ids[name]}")
        if answer.status_code != 200 or answer.json()["results"]:
            found[f"{path}?{parameter}"] = answer.json()

    assert found == {}


# --- the description, and the database -----------------------------------------------


def description() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


def operations() -> list[tuple[str, str]]:
    """Return (path, method) of all that is described and answered by Django."""
    return [
        (path, method)
        for path, methods in description()["paths"].items()
        for method in methods
        if path.startswith("/api/")
    ]


def id_filters() -> list[tuple[str, str]]:
    return [
        (path, one["name"])
        for path, methods in description()["paths"].items()
        for one in methods.get("get", {}).get("parameters", [])
        if one["in"] == "query" and one["name"].endswith("_id")
        if one["name"] not in {"trace_id", "remote_id"}
    ]


def call(client: APIClient, method: str, path: str) -> int:
    answer = client.generic(method.upper(), path, "{}", content_type="application/json")
    return int(answer.status_code)


@scopes_disabled()
def rows_of(workspace_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the workspace, to be compared with later."""
    found = {}
    for model in apps.get_models():
        names = {field.name for field in model._meta.fields}
        if "workspace" in names:
            mine = model._default_manager.filter(workspace_id=workspace_id)
            found[model.__name__] = list(mine.order_by("pk").values_list())
    return found
