"""Every page: who sees it, who is told why not, and what the signed-out see."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core.roles import ALLOWED, Can, Role
from crmsync.core.testing import make_user
from integrations.tests.pages.conftest import SignIn

RECORDS, SYNC, MANAGE = Can.VIEW_RECORDS, Can.VIEW_SYNC, Can.MANAGE_WORKSPACE
# URL name, what its id is of ("" for none), what it needs
PAGES = [
    ("home", "", RECORDS),
    ("leads", "", RECORDS),
    ("lead", "lead", RECORDS),
    ("lead-new", "", Can.EDIT_RECORDS),
    ("lead-edit", "lead", Can.EDIT_RECORDS),
    ("lead-merge", "lead", Can.DELETE_RECORDS),
    ("company-merge", "company", Can.DELETE_RECORDS),
    ("deal-merge", "deal", Can.DELETE_RECORDS),
    ("lead-standing", "lead", RECORDS),
    ("companies", "", RECORDS),
    ("company", "company", RECORDS),
    ("company-edit", "company", Can.EDIT_RECORDS),
    ("deals", "", RECORDS),
    ("deals-board", "", RECORDS),
    ("deal", "deal", RECORDS),
    ("deal-edit", "deal", Can.EDIT_RECORDS),
    ("connections", "", SYNC),
    ("connection", "connection", SYNC),
    ("mappings", "", SYNC),
    ("mapping", "objectmapping", SYNC),
    ("mapping-runs", "objectmapping", SYNC),
    ("runs", "", SYNC),
    ("run", "run", SYNC),
    ("run-live", "run", SYNC),
    ("run-export", "run", SYNC),
    ("conflicts", "", SYNC),
    ("errors", "", SYNC),
    ("errors-export", "", SYNC),
    ("issue", "workitem", SYNC),
    ("deliveries", "", SYNC),
    ("delivery", "delivery", SYNC),
    ("endpoints", "", MANAGE),
    ("endpoint-new", "", MANAGE),
    ("endpoint", "endpoint", MANAGE),
    ("people", "", MANAGE),
    ("api-keys", "", MANAGE),
    ("workspace", "", MANAGE),
    ("custom-fields", "", Can.EDIT_MAPPINGS),
    ("custom-field", "customfield", Can.EDIT_MAPPINGS),
]


def path_of(name: str, owner: str, ids: dict[str, int]) -> str:
    return reverse(name, args=[ids[owner]] if owner else [])


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("name", "owner", "needed"), PAGES)
def test_a_page_opens_for_the_roles_that_may(
    name: str, owner: str, needed: Can, role: Role, ids: dict[str, int], sign_in: SignIn
) -> None:
    answer = sign_in(role).get(path_of(name, owner, ids))

    expected = 200 if needed in ALLOWED[role] else 403
    assert answer.status_code == expected


@pytest.mark.parametrize(("name", "owner", "needed"), PAGES)
def test_the_signed_out_are_sent_to_sign_in(
    name: str, owner: str, needed: Can, ids: dict[str, int]
) -> None:
    path = path_of(name, owner, ids)

    answer = Client().get(path)

    assert answer.status_code == 302
    assert answer["Location"] == f"{reverse('account_login')}?next={path}"


def test_the_refusal_says_which_role_may(sign_in: SignIn) -> None:
    page = sign_in(Role.REP).get(reverse("api-keys")).content.decode()

    assert "Manage people, keys and endpoints" in page
    assert "the role Admin" in page


def test_who_belongs_to_no_workspace_is_told_so(db: None) -> None:
    client = Client()
    client.force_login(make_user())

    answer = client.get(reverse("home"))

    assert answer.status_code == 403
    assert "Ask an admin to invite you" in answer.content.decode()


def test_a_piece_of_a_page_leads_the_signed_out_to_sign_in(ids: dict[str, int]) -> None:
    path = reverse("lead-standing", args=[ids["lead"]])

    answer = Client().get(path, headers={"HX-Request": "true"})

    assert answer.headers["HX-Redirect"] == reverse("account_login")


def test_the_sidebar_shows_a_viewer_only_records(sign_in: SignIn) -> None:
    page = sign_in(Role.VIEWER).get(reverse("home")).content.decode()

    assert reverse("leads") in page
    assert reverse("errors") not in page
    assert reverse("api-keys") not in page


def test_the_badge_counts_what_waits_for_a_person(
    ids: dict[str, int], admin: Client
) -> None:
    page = admin.get(reverse("leads")).content.decode()

    assert '<span class="nav-count">1<' in page


POSTS_ONLY = [
    ("lead-sync", "lead"),
    ("deal-move", "deal"),
    ("task-done", "activity"),
    ("connection-close", "connection"),
    ("mapping-switch", "objectmapping"),
    ("mapping-start", "objectmapping"),
    ("run-steer", "run"),
    ("run-revert", "run"),
    ("run-retry", "run"),
    ("conflict-restore", "conflict"),
    ("delivery-replay", "delivery"),
    ("endpoint-rotate", "endpoint"),
    ("api-key-revoke", "apikey"),
    ("person-remove", "membership"),
]


@pytest.mark.parametrize(("name", "owner"), POSTS_ONLY)
def test_reading_an_address_changes_nothing(
    name: str, owner: str, ids: dict[str, int], admin: Client
) -> None:
    assert admin.get(path_of(name, owner, ids)).status_code == 405


@pytest.mark.parametrize(("name", "owner"), POSTS_ONLY)
def test_a_change_without_the_csrf_token_is_refused(
    name: str, owner: str, ids: dict[str, int], workspace: object
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(workspace))  # type: ignore[arg-type]

    assert client.post(path_of(name, owner, ids)).status_code == 403
