"""Pages of people, keys and the workspace itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django_scopes import scopes_disabled

from crmsync.core.models import ApiKey, AuditEntry, Membership, User, Workspace
from crmsync.core.roles import Role
from crmsync.core.testing import make_api_key, make_user, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def boss(workspace: Workspace) -> User:
    return make_user(workspace)


@pytest.fixture
def admin(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def test_a_new_person_gets_a_letter_to_set_a_password(admin: Client) -> None:
    given = {"email": "New@example.com", "name": "Ada Lark", "role": Role.REP}

    admin.post(reverse("people"), given)

    member = Membership.objects.get(user__email="new@example.com")
    assert (member.role, str(member.user)) == (Role.REP, "Ada Lark")
    (letter,) = mail.outbox
    assert letter.to == ["new@example.com"]
    link = re.search(r"http://\S+", str(letter.body))
    assert link is not None
    assert Client().get(link[0], follow=True).status_code == 200


def test_someone_with_a_password_gets_no_letter(admin: Client) -> None:
    known = make_user(email="known@example.com")

    admin.post(reverse("people"), {"email": known.email, "role": Role.VIEWER})

    assert Membership.objects.filter(user=known).exists()
    assert not mail.outbox


def test_wrong_input_for_an_invitation_is_kept(admin: Client, boss: User) -> None:
    given = {"email": boss.email, "name": "Same one", "role": Role.REP}

    answer = admin.post(reverse("people"), given)

    assert answer.status_code == 422
    assert "is a member already" in str(answer.context["form"].errors["email"])
    assert 'value="Same one"' in answer.content.decode()


def test_the_last_admin_stays(admin: Client, boss: User) -> None:
    mine = Membership.objects.get(user=boss)

    admin.post(reverse("person-role", args=[mine.pk]), {"role": Role.VIEWER})
    answer = admin.post(reverse("person-remove", args=[mine.pk]), follow=True)

    mine.refresh_from_db()
    assert mine.role == Role.ADMIN
    assert "A workspace needs an admin" in answer.content.decode()


def test_another_role_counts_at_once(admin: Client, workspace: Workspace) -> None:
    rep = make_user(workspace, Role.REP)
    member = Membership.objects.get(user=rep)
    client = Client()
    client.force_login(rep)

    admin.post(reverse("person-role", args=[member.pk]), {"role": Role.ADMIN})

    assert client.get(reverse("people")).status_code == 200


def test_who_is_removed_is_out_at_once(admin: Client, workspace: Workspace) -> None:
    rep = make_user(workspace, Role.REP)
    member = Membership.objects.get(user=rep)
    client = Client()
    client.force_login(rep)

    admin.post(reverse("person-remove", args=[member.pk]))

    assert client.get(reverse("leads")).status_code == 403


def test_a_key_is_shown_once(admin: Client) -> None:
    given = {"name": "Report", "role": Role.VIEWER}

    made = admin.post(reverse("api-keys"), given)
    later = admin.get(reverse("api-keys"))

    text = made.context["new_key"]
    assert ApiKey.objects.get().digest == ApiKey.digest_of(text)
    assert text in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    assert text not in later.content.decode()


def test_a_key_cannot_end_in_the_past(admin: Client) -> None:
    day = date.today() - timedelta(days=3)
    given = {"name": "Report", "role": Role.VIEWER, "last_day": day.isoformat()}

    answer = admin.post(reverse("api-keys"), given)

    assert answer.status_code == 422
    assert "last_day" in answer.context["form"].errors
    assert not ApiKey.objects.exists()


def test_a_revoked_key_is_dead(admin: Client, workspace: Workspace) -> None:
    key, _ = make_api_key(workspace)

    admin.post(reverse("api-key-revoke", args=[key.pk]))

    key.refresh_from_db()
    assert not key.is_live


def test_the_workspaces_settings_are_saved_and_noted(
    admin: Client, workspace: Workspace
) -> None:
    given = {"name": "Oak", "time_zone": "Europe/Berlin", "phone_region": "DE"}

    admin.post(reverse("workspace"), given)

    workspace.refresh_from_db()
    assert (workspace.name, workspace.time_zone) == ("Oak", "Europe/Berlin")
    assert (
        AuditEntry.objects.get(action="workspace.changed").details["name"][1] == "Oak"
    )


def test_a_time_zone_that_is_none_is_refused(admin: Client) -> None:
    given = {"name": "Oak", "time_zone": "Moon/Sea", "phone_region": "DE"}

    assert admin.post(reverse("workspace"), given).status_code == 422


def test_a_person_goes_to_another_of_their_workspaces(
    admin: Client, boss: User
) -> None:
    other = make_workspace(name="Zinnia")
    Membership.objects.create(workspace=other, user=boss, role=Role.VIEWER)

    admin.post(reverse("switch-workspace"), {"workspace": other.pk})

    assert admin.get(reverse("leads")).wsgi_request.workspace == other  # type: ignore[attr-defined]


@pytest.mark.parametrize("wanted", ["foreign", "x", ""])
def test_nobody_goes_to_a_workspace_that_is_not_theirs(
    wanted: str, admin: Client
) -> None:
    foreign = make_workspace()
    chosen = foreign.pk if wanted == "foreign" else wanted

    answer = admin.post(reverse("switch-workspace"), {"workspace": chosen})

    assert answer.status_code == 404
