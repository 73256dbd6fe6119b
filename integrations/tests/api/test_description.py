"""The description of the API is valid, complete, and what the API really does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from crmsync.core.models import Workspace
from crmsync.core.testing import make_api_key
from crmsync.wsgi import application
from integrations.testing import furnish
from integrations.tests.routes import explained
from leads.testing import make_ready_workspace

pytestmark = pytest.mark.django_db
CHECKS: list[Any] = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
]


def test_the_description_has_no_warning(tmp_path: Any) -> None:
    call_command(
        "spectacular",
        validate=True,
        fail_on_warn=True,
        file=str(tmp_path / "schema.yaml"),
    )


def test_the_description_tells_of_the_inbox() -> None:
    answer = Client().get("/api/schema/?format=json")

    post = answer.json()["paths"]["/webhooks/{token}/"]["post"]
    assert set(post["responses"]) == {"202", "400", "401", "404", "405", "413", "503"}


def test_the_documentation_page_loads_nothing_from_elsewhere() -> None:
    answer = Client().get("/api/docs/")

    page, policy = answer.content.decode(), answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200
    assert "https://" not in page.replace("https://github.com", "")
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src 'self'" in policy.split("; ")


def test_only_the_documentation_page_may_style_inline() -> None:
    policy = Client().get("/accounts/login/").headers["Content-Security-Policy"]

    assert "style-src 'self'" in policy.split("; ")


# --- every operation, with data made from the description -----------------------------

SETTINGS = settings(
    max_examples=5,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
DESCRIPTION: Any = SchemaGenerator().get_schema(request=None, public=True)
OPERATIONS = [
    f"{method.upper()} {path}"
    for path, methods in DESCRIPTION["paths"].items()
    for method in methods
    if path.startswith("/api/")
]


@pytest.fixture(scope="module")
def described() -> Any:
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(DESCRIPTION)))
    schema.app = application
    return schema


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Keep the test's transaction open over requests, as Django's own client does."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def workspace(settings: Any) -> Workspace:
    # Nothing invented here may reach a real vendor.
    settings.HUBSPOT_API_URL = "http://127.0.0.1:9"
    return make_ready_workspace()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_keeps_its_word_whatever_it_is_sent(
    described: Any, workspace: Workspace, operation: str
) -> None:
    ids = furnish(workspace, "Plumtree")
    _, key = make_api_key(workspace, "admin")
    method, _, path = operation.partition(" ")
    own = ids.get(explained(path).owner)

    @SETTINGS
    @given(case=described[path][method].as_strategy(), hits=st.booleans())
    def keeps_its_word(case: schemathesis.Case, hits: bool) -> None:
        if hits and own is not None:
            case.path_parameters = {**case.path_parameters, "id": own}
        answer = case.call(headers={"Authorization": f"Bearer {key}"})
        case.validate_response(answer, checks=CHECKS)

    keeps_its_word()
