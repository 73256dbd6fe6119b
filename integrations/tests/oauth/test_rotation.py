"""Replacing the encryption key under stored tokens and endpoints."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import FieldError
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.db import connections
from django_scopes import scopes_disabled

from crmsync.core.crypto import Column, WrongKey, encrypted_columns
from crmsync.core.rotation import rotate
from crmsync.core.testing import make_workspace
from integrations.connectors.oauth import StoredToken
from integrations.models import Connection, Endpoint, OAuthToken
from integrations.records import Account
from integrations.services.connect import Tokens, resume
from integrations.testing import make_connection, make_endpoint

pytestmark = pytest.mark.django_db(transaction=True)

OLD = ["k1:old-secret"]
BOTH = ["k2:new-secret", "k1:old-secret"]
NEW = ["k2:new-secret"]


@pytest.fixture(autouse=True)
def keys(settings: Any) -> Any:
    settings.ENCRYPTION_KEYS = OLD
    with scopes_disabled():
        yield settings


@pytest.fixture
def accounts() -> list[Connection]:
    """Connections of two workspaces, with secrets under the old key."""
    return [make_connection(make_workspace()) for _ in range(2)]


def rotated(*options: str) -> str:
    """Run the command; return what it said."""
    out = io.StringIO()
    call_command("rotate_keys", *options, stdout=out)
    return out.getvalue()


def raw(table: str, column: str) -> list[str]:
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE {column} <> ''")
        return [row[0] for row in cursor.fetchall()]


def column_of(name: str) -> Column:
    (found,) = [c for c in encrypted_columns() if c.field.place.endswith(name)]
    return found


def test_every_secret_moves_to_the_first_key(
    keys: Any, accounts: list[Connection]
) -> None:
    make_endpoint(accounts[0].workspace, secrets="signing-secret")
    before = {one.pk: one.access for one in OAuthToken.objects.all()}
    keys.ENCRYPTION_KEYS = BOTH

    told = rotated()

    keys.ENCRYPTION_KEYS = NEW
    assert {one.pk: one.access for one in OAuthToken.objects.all()} == before
    assert Endpoint.objects.get().secrets == "signing-secret"
    assert "Every secret is on k2" in told


def test_old_key_opens_nothing_after_a_rotation(
    keys: Any, accounts: list[Connection]
) -> None:
    keys.ENCRYPTION_KEYS = BOTH
    rotated()

    keys.ENCRYPTION_KEYS = OLD

    for value in raw("integrations_oauthtoken", "access"):
        assert value.startswith("k2$")
    with pytest.raises(WrongKey):
        OAuthToken.objects.first()


def test_every_encrypted_column_is_known() -> None:
    places = {column.field.place for column in encrypted_columns()}

    assert places >= {
        "integrations_oauthtoken.access",
        "integrations_oauthtoken.refresh",
        "integrations_oauthstate.code_verifier",
        "integrations_endpoint.token",
        "integrations_endpoint.secrets",
    }


def test_rotation_can_be_stopped_and_run_again(
    keys: Any, accounts: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.ENCRYPTION_KEYS = BOTH
    column = column_of("oauthtoken.access")

    assert rotate(column, batch=1) == (2, 0)
    assert rotate(column, batch=1) == (0, 0)


def test_second_rotation_writes_nothing(keys: Any, accounts: list[Connection]) -> None:
    keys.ENCRYPTION_KEYS = BOTH
    rotated()
    before = raw("integrations_oauthtoken", "access")

    rotated()

    assert raw("integrations_oauthtoken", "access") == before


def test_value_written_during_a_rotation_is_not_overwritten(
    keys: Any, accounts: list[Connection]
) -> None:
    keys.ENCRYPTION_KEYS = BOTH
    stop = threading.Event()
    written: list[str] = []

    def keep_writing() -> None:
        with scopes_disabled():
            while not stop.is_set():
                written.append(f"token-{len(written)}")
                mine = OAuthToken.objects.filter(pk=accounts[0].pk)
                mine.update(access=written[-1])
        connections.close_all()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    for _ in range(5):
        rotate(column_of("oauthtoken.access"), batch=1)
    stop.set()
    writer.join()

    assert OAuthToken.objects.get(pk=accounts[0].pk).access == written[-1]


def test_rotation_leaves_alone_what_it_cannot_read(
    keys: Any, accounts: list[Connection]
) -> None:
    before = raw("integrations_oauthtoken", "access")
    keys.ENCRYPTION_KEYS = NEW

    with pytest.raises(CommandError, match="missing or different"):
        rotated()

    assert raw("integrations_oauthtoken", "access") == before


def test_check_says_what_is_left_and_changes_nothing(
    keys: Any, accounts: list[Connection]
) -> None:
    before = raw("integrations_oauthtoken", "access")
    keys.ENCRYPTION_KEYS = BOTH

    with pytest.raises(CommandError, match="still on an old key"):
        rotated("--check")

    assert raw("integrations_oauthtoken", "access") == before


@pytest.mark.parametrize("given", [NEW, ["k1:not-the-old-secret"]])
def test_start_up_check_names_rows_that_no_key_opens(
    keys: Any, accounts: list[Connection], given: list[str]
) -> None:
    keys.ENCRYPTION_KEYS = given

    (error,) = run_checks(databases=["default"], tags=["database"])

    assert error.id == "crmsync.E001"
    assert "integrations_oauthtoken.access" in error.msg
    assert "Rows: 2" in error.msg
    assert "'k1'" in str(error.hint)


def test_start_up_check_names_rows_that_were_never_encrypted(
    accounts: list[Connection],
) -> None:
    with database.cursor() as cursor:
        cursor.execute("UPDATE integrations_oauthtoken SET access = 'plain-canary'")

    (error,) = run_checks(databases=["default"], tags=["database"])

    assert "never encrypted" in error.msg
    assert "canary" not in error.msg


def test_start_up_check_is_silent_while_all_keys_are_there(
    keys: Any, accounts: list[Connection]
) -> None:
    keys.ENCRYPTION_KEYS = BOTH

    assert run_checks(databases=["default"], tags=["database"]) == []


def test_wrong_key_never_gives_ciphertext_as_the_token(
    keys: Any, accounts: list[Connection]
) -> None:
    keys.ENCRYPTION_KEYS = ["k1:not-the-old-secret"]

    with pytest.raises(WrongKey):
        OAuthToken.objects.first()
    with pytest.raises(WrongKey):
        list(OAuthToken.objects.values_list("access"))


def test_reconnect_replaces_a_token_that_no_key_opens(
    keys: Any, accounts: list[Connection]
) -> None:
    keys.ENCRYPTION_KEYS = NEW

    resume(accounts[0], Tokens("new-token"), Account(id=accounts[0].account_id))

    assert StoredToken(accounts[0].pk)() == "new-token"


def test_ciphertext_moved_to_another_column_does_not_open(
    accounts: list[Connection],
) -> None:
    with database.cursor() as cursor:
        cursor.execute("UPDATE integrations_oauthtoken SET refresh = access")

    with pytest.raises(WrongKey):
        OAuthToken.objects.first()


def test_secret_cannot_be_searched_for(accounts: list[Connection]) -> None:
    with pytest.raises(FieldError):
        OAuthToken.objects.filter(access="x").exists()
