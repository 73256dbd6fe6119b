"""Which role may do what through the API: the whole table, every operation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from crmsync.core.testing import api_client, make_api_key
from integrations.testing import furnish
from integrations.tests.routes import explained
from leads.testing import make_ready_workspace

pytestmark = pytest.mark.django_db
ROLES = ("viewer", "rep", "sales_ops", "admin")
EVERYONE, EDITORS = ROLES, ("rep", "sales_ops", "admin")
OPS, ADMINS = ("sales_ops", "admin"), ("admin",)

V1 = "/api/v1"
TABLE: dict[str, tuple[str, ...]] = {
    "get /activities/": EVERYONE,
    "post /activities/": EDITORS,
    "get /activities/{id}/": EVERYONE,
    "patch /activities/{id}/": EDITORS,
    "delete /activities/{id}/": OPS,
    "get /activities/{id}/standing/": EVERYONE,
    "get /api-keys/": ADMINS,
    "post /api-keys/": ADMINS,
    "get /api-keys/{id}/": ADMINS,
    "delete /api-keys/{id}/": ADMINS,
    "get /audit/": ADMINS,
    "get /campaign-members/": EVERYONE,
    "post /campaign-members/": EDITORS,
    "get /campaign-members/{id}/": EVERYONE,
    "patch /campaign-members/{id}/": EDITORS,
    "delete /campaign-members/{id}/": OPS,
    "get /campaign-members/{id}/standing/": EVERYONE,
    "get /campaigns/": EVERYONE,
    "post /campaigns/": EDITORS,
    "get /campaigns/{id}/": EVERYONE,
    "patch /campaigns/{id}/": EDITORS,
    "delete /campaigns/{id}/": OPS,
    "get /campaigns/{id}/standing/": EVERYONE,
    "get /companies/": EVERYONE,
    "post /companies/": EDITORS,
    "get /companies/{id}/": EVERYONE,
    "patch /companies/{id}/": EDITORS,
    "delete /companies/{id}/": OPS,
    "get /companies/{id}/standing/": EVERYONE,
    "post /companies/merge/": OPS,
    "get /conflicts/": OPS,
    "get /conflicts/{id}/": OPS,
    "post /conflicts/{id}/resolve/": OPS,
    "post /conflicts/{id}/restore/": OPS,
    "post /conflicts/resolve/": OPS,
    "get /connections/": OPS,
    "post /connections/": ADMINS,
    "get /connections/{id}/": OPS,
    "delete /connections/{id}/": ADMINS,
    "get /connections/{id}/forms/": OPS,
    "post /connections/{id}/forms/{remote_id}/": OPS,
    "post /connections/{id}/reconnect/": ADMINS,
    "post /connections/{id}/refresh/": OPS,
    "get /custom-fields/": EVERYONE,
    "post /custom-fields/": OPS,
    "get /custom-fields/{id}/": EVERYONE,
    "patch /custom-fields/{id}/": OPS,
    "get /deals/": EVERYONE,
    "post /deals/": EDITORS,
    "get /deals/{id}/": EVERYONE,
    "patch /deals/{id}/": EDITORS,
    "delete /deals/{id}/": OPS,
    "get /deals/{id}/standing/": EVERYONE,
    "post /deals/merge/": OPS,
    "get /deliveries/": OPS,
    "get /deliveries/{id}/": OPS,
    "post /deliveries/{id}/replay/": OPS,
    "get /endpoints/": OPS,
    "post /endpoints/": ADMINS,
    "get /endpoints/{id}/": OPS,
    "patch /endpoints/{id}/": ADMINS,
    "post /endpoints/{id}/rotate/": ADMINS,
    "post /endpoints/{id}/sample/": ADMINS,
    "get /health/ledger": OPS,
    "get /kept-apart/": OPS,
    "get /kept-apart/{id}/": OPS,
    "delete /kept-apart/{id}/": OPS,
    "get /leads/": EVERYONE,
    "post /leads/": EDITORS,
    "get /leads/{id}/": EVERYONE,
    "patch /leads/{id}/": EDITORS,
    "delete /leads/{id}/": OPS,
    "get /leads/{id}/standing/": EVERYONE,
    "post /leads/merge/": OPS,
    "get /leads/{id}/timeline/": EVERYONE,
    "get /links/": OPS,
    "get /links/{id}/": OPS,
    "post /links/{id}/relink/": OPS,
    "post /links/{id}/unlink/": OPS,
    "get /mappings/": OPS,
    "get /mappings/{id}/": OPS,
    "patch /mappings/{id}/": OPS,
    "post /mappings/{id}/activate/": OPS,
    "post /mappings/{id}/deactivate/": OPS,
    "post /mappings/{id}/pull/": OPS,
    "post /mappings/{id}/count/": OPS,
    "get /me/": EVERYONE,
    "get /merges/": EVERYONE,
    "get /merges/{id}/": EVERYONE,
    "post /merges/{id}/undo/": OPS,
    "get /members/": EVERYONE,
    "post /members/": ADMINS,
    "get /members/{id}/": EVERYONE,
    "patch /members/{id}/": ADMINS,
    "delete /members/{id}/": ADMINS,
    "post /members/{id}/letter/": ADMINS,
    "get /pipelines/": EVERYONE,
    "get /pipelines/{id}/": EVERYONE,
    "get /runs/": OPS,
    "post /runs/": OPS,
    "get /runs/{id}/": OPS,
    "post /runs/{id}/approve/": OPS,
    "post /runs/{id}/cancel/": OPS,
    "get /runs/{id}/entries/": OPS,
    "post /runs/{id}/pause/": OPS,
    "post /runs/{id}/resume/": OPS,
    "get /sync/entries/": OPS,
    "get /sync/entries/{id}/": OPS,
    "post /sync/now/": EDITORS,
    "get /sync/rows/": OPS,
    "get /sync/rows/{id}/": OPS,
    "get /sync/rows/{id}/candidates/": OPS,
    "post /sync/rows/{id}/create-parent/": OPS,
    "post /sync/rows/{id}/decide/": OPS,
    "get /sync/rows/{id}/parent/": OPS,
    "post /sync/rows/{id}/retry/": OPS,
    "post /sync/rows/retry/": OPS,
}


def described() -> set[str]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return {
        f"{method} {path.removeprefix(V1)}"
        for path, methods in schema["paths"].items()
        for method in methods
        if path.startswith(V1)
    }


def test_the_table_knows_every_operation() -> None:
    assert described() == set(TABLE)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_the_table_says(role: str) -> None:
    workspace = make_ready_workspace()
    ids = furnish(workspace, "Plumtree")
    client = api_client(workspace, role)

    allowed = {
        operation
        for operation in TABLE
        if status_of(client, operation, ids) not in {401, 403}
    }

    assert allowed == {op for op, roles in TABLE.items() if role in roles}


def status_of(client: APIClient, operation: str, ids: dict[str, int]) -> int:
    """Ask with an empty body: it is refused for its content only where it may."""
    method, _, path = operation.partition(" ")
    address = explained(V1 + path).path(ids)
    answer = client.generic(method.upper(), address, "{}", "application/json")
    assert answer.status_code < 500
    return int(answer.status_code)


@pytest.mark.parametrize("how", ["revoked_at", "expires_at"])
def test_a_dead_key_opens_nothing(how: str) -> None:
    workspace = make_ready_workspace()
    over: dict[str, Any] = {how: datetime(2020, 1, 1, tzinfo=UTC)}
    _, key = make_api_key(workspace, **over)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")

    answer = client.get("/api/v1/me/")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer x", "Basic YTpi", "Bearer crm_\xff", "Token  ", "x" * 5000],
)
def test_a_strange_authorization_header_is_a_401(header: str) -> None:
    answer = APIClient().get("/api/v1/me/", HTTP_AUTHORIZATION=header)

    assert answer.status_code == 401
