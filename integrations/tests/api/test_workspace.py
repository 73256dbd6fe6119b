"""The API of a workspace itself: keys, people, the audit trail, who is asking."""

from __future__ import annotations

import json

import pytest
from django.core.mail import EmailMessage
from rest_framework.test import APIClient

from crmsync.core.models import ApiKey, AuditEntry, Membership, Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import PASSWORD, api_client, make_user, make_workspace
from integrations.testing import make_connection, make_work_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return api_client(workspace, "admin")


def test_a_key_is_shown_once_and_works(client: APIClient, workspace: Workspace) -> None:
    made = client.post("/api/v1/api-keys/", {"name": "CI", "role": "rep"}, "json")

    text = made.json()["key"]
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    me = program.get("/api/v1/me/").json()
    listed = client.get("/api/v1/api-keys/").content.decode()
    assert made.status_code == 201
    assert (me["role"], me["workspace_id"]) == ("rep", workspace.pk)
    assert text.rpartition("_")[2] not in listed
    with in_workspace(workspace):
        digest = ApiKey.objects.get(name="CI").digest
    assert digest not in listed


def test_a_revoked_key_is_useless(client: APIClient) -> None:
    made = client.post(
        "/api/v1/api-keys/", {"name": "CI", "role": "rep"}, "json"
    ).json()
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {made['key']}")

    revoked = client.delete(f"/api/v1/api-keys/{made['id']}/")

    assert revoked.status_code == 204
    assert program.get("/api/v1/me/").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"name": "", "role": "rep"},
        {"name": "x", "role": "owner"},
        {"name": "x", "role": "rep", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "x", "role": "rep", "digest": "abc"},
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    client: APIClient, body: dict[str, str]
) -> None:
    assert client.post("/api/v1/api-keys/", body, "json").status_code == 400


def test_a_person_joins_and_changes_role(
    client: APIClient, workspace: Workspace
) -> None:
    body = {"email": "New@Example.com", "name": "Nora New", "role": "viewer"}

    made = client.post("/api/v1/members/", body, "json")
    changed = client.patch(
        f"/api/v1/members/{made.json()['id']}/", {"role": "rep"}, "json"
    )

    assert (made.status_code, changed.status_code) == (201, 200)
    assert made.json()["email"] == "new@example.com"
    with in_workspace(workspace):
        member = Membership.objects.get(pk=made.json()["id"])
    assert member.role == "rep"
    assert not member.user.has_usable_password()


def test_adding_a_person_of_another_workspace_leaves_their_password_alone(
    client: APIClient,
) -> None:
    user = make_user(make_workspace(), "viewer", email="both@example.com")

    client.post("/api/v1/members/", {"email": user.email, "role": "admin"}, "json")

    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_person_gets_a_letter_to_set_a_password(
    client: APIClient, workspace: Workspace, mailoutbox: list[EmailMessage]
) -> None:
    body = {"email": "new@example.com", "role": "viewer"}
    member = client.post("/api/v1/members/", body, "json").json()

    answer = client.post(f"/api/v1/members/{member['id']}/letter/")

    assert answer.status_code == 202
    assert [letter.to for letter in mailoutbox] == [["new@example.com"]]


def test_the_last_admin_stays(client: APIClient, workspace: Workspace) -> None:
    admin = make_user(workspace, "admin")
    with in_workspace(workspace):
        address = f"/api/v1/members/{Membership.objects.get(user=admin).pk}/"

    lowered = client.patch(address, {"role": "rep"}, "json")
    removed = client.delete(address)

    assert (lowered.status_code, removed.status_code) == (400, 400)


def test_what_is_done_is_audited_without_secrets(
    client: APIClient, workspace: Workspace
) -> None:
    key = client.post("/api/v1/api-keys/", {"name": "CI", "role": "rep"}, "json").json()

    entry = client.get("/api/v1/audit/").json()["results"][0]

    assert (entry["action"], entry["user_id"]) == ("api_key.created", None)
    assert entry["api_key_id"] is not None
    with in_workspace(workspace):
        assert key["key"] not in json.dumps(
            list(AuditEntry.objects.values()), default=str
        )


def test_the_ledger_is_the_workspaces_own(
    client: APIClient, workspace: Workspace
) -> None:
    make_work_item(workspace, wanted=3, applied=1, coalesced=2, state="done")
    make_work_item(make_workspace(), wanted=50)

    ledger = client.get("/api/v1/health/ledger").json()

    assert (ledger["received"], ledger["applied"], ledger["difference"]) == (3, 1, 0)


def test_a_person_may_use_the_api_too_but_a_foreign_page_may_not(
    workspace: Workspace,
) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(make_user(workspace, "admin"))

    read = client.get("/api/v1/me/")
    written = client.post("/api/v1/leads/", {"email": "a@example.com"}, "json")

    assert read.json()["email"] is not None
    assert written.status_code == 403


def test_calls_are_counted_and_limited(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crmsync.core.api.throttling import CallerThrottle

    monkeypatch.setattr(CallerThrottle, "allow_request", lambda *_: False)
    monkeypatch.setattr(CallerThrottle, "wait", lambda _: 7)

    answer = client.get("/api/v1/me/")

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "7"


def test_secrets_of_a_connection_are_never_shown(
    client: APIClient, workspace: Workspace
) -> None:
    connection = make_connection(workspace)
    secret = connection.token.access

    answers = [
        client.get("/api/v1/connections/"),
        client.get(f"/api/v1/connections/{connection.pk}/"),
        client.get("/api/v1/audit/"),
    ]

    assert all(secret not in answer.content.decode() for answer in answers)
