"""Secrets that can be recognised are used for real and then looked for everywhere."""

from __future__ import annotations

import io
import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.db import connection as database
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django_scopes import scope, scopes_disabled
from structlog.stdlib import ProcessorFormatter

from crmsync.core.models import User, Workspace
from crmsync.core.testing import PASSWORD, make_api_key
from integrations.connectors import CONNECTORS, session
from integrations.connectors.oauth import StoredToken, refresh_due
from integrations.errors import SyncError
from integrations.models import Connection, OAuthToken
from integrations.services.connect import ConnectionRefused, connect_with_token
from integrations.services.setup import set_up_due
from integrations.simulators.testing import RunningSimulator, wait_until
from integrations.sync.push import push_due
from integrations.testing import make_endpoint
from integrations.tests.connectors.wire import WireServer, answer
from integrations.tests.oauth.conftest import (
    CALLBACK,
    arrive,
    begin,
    consent,
    query_of,
    sign_in,
)
from integrations.tests.oauth.tokens import TOKEN_PATH, change, let_pass
from leads.facts import Message, Origin, PersonFacts
from leads.services.engagement import record_messages

# Wake-ups leave after a commit.
pytestmark = pytest.mark.django_db(transaction=True)

CLIENT_SECRET = "canary-client-secret-7d1f"
PRIVATE_TOKEN = "pat-na1-canary-private-5ab2"
REFUSED_TOKEN = "pat-na1-canary-refused-9c01"
SIGNING_SECRET = "canary-signing-secret-20e4"
ENCRYPTION_KEY = "canary-encryption-key-88aa"
STOLEN_CODE = "canary-code-41fe"


@pytest.fixture
def simulator(hubspot_simulator: RunningSimulator, settings: Any) -> Iterator[Any]:
    """A HubSpot of its own, whose app has a secret that can be recognised."""
    flags = ["--no-limits", "--client-secret", CLIENT_SECRET, "--token", PRIVATE_TOKEN]
    with RunningSimulator("hubspot", flags=flags) as running:
        running.configure(index_delay_s=0, rotate_refresh_tokens=True)
        settings.PUBLIC_URL = "http://127.0.0.1:8000"
        settings.HUBSPOT_API_URL = settings.HUBSPOT_AUTH_URL = running.base_url
        settings.HUBSPOT_CLIENT_ID = "demo-client-id"
        settings.HUBSPOT_CLIENT_SECRET = CLIENT_SECRET
        settings.ENCRYPTION_KEYS = [f"k1:{ENCRYPTION_KEY}"]
        settings.LIMITS_URL = "memory://"
        session.close_all()
        yield running
        session.close_all()


@pytest.fixture
def messages() -> Iterator[list[str]]:
    """Everything that is handed to the broker."""
    sent: list[str] = []

    def note(body: object = None, headers: object = None, **_: object) -> None:
        sent.append(f"{body!r} {headers!r}")

    before_task_publish.connect(note)
    yield sent
    before_task_publish.disconnect(note)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the product writes to its log at the chattiest level, as it writes it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    formatters = (one.formatter for one in logging.getLogger().handlers)
    own = [one for one in formatters if isinstance(one, ProcessorFormatter)]
    handler.setFormatter(own[0])
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture
def secrets(
    browser: Client,
    admin: User,
    workspace: Workspace,
    simulator: RunningSimulator,
    messages: list[str],
    log: io.StringIO,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> set[str]:
    """Do all that handles secrets, well and badly; return the secrets."""
    _use_pkce(monkeypatch)
    address = begin(browser)
    back = consent(address)
    arrive(browser, back)
    used = {query_of(address)["state"], query_of(back)["code"]}
    with scopes_disabled():
        connection = Connection.objects.select_related("workspace").get()
        used |= _stored_secrets()
        make_endpoint(workspace, secrets=SIGNING_SECRET)
    with scope(workspace=workspace):
        set_up_due()
        _work(workspace)
        used |= _renew_well_and_badly(connection, simulator, settings)
        _refuse_private_tokens(workspace, settings)
    _fail_callbacks(browser, settings)
    key = make_api_key(workspace)[1]
    return used | {
        key,
        CLIENT_SECRET,
        PRIVATE_TOKEN,
        REFUSED_TOKEN,
        SIGNING_SECRET,
        ENCRYPTION_KEY,
        STOLEN_CODE,
        PASSWORD,
    }


def _use_pkce(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = CONNECTORS["hubspot"]
    assert entry.spec.oauth is not None
    spec = replace(entry.spec, oauth=replace(entry.spec.oauth, pkce=True))
    monkeypatch.setitem(CONNECTORS, "hubspot", replace(entry, spec=spec))


def _stored_secrets() -> set[str]:
    token = OAuthToken.objects.get()
    return {str(token.access), str(token.refresh)}


def _work(workspace: Workspace) -> None:
    person = PersonFacts(email="pat@customer.example.org", last_name="Pat")
    message = Message(
        source="lgm",
        key="message-1",
        person=person,
        direction="inbound",
        body="Yes",
        occurred_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        channel="email",
    )
    record_messages(workspace, [message], origin=Origin("webhook", "lgm", "LGM"))
    push_due()


def _renew_well_and_badly(
    connection: Connection, simulator: RunningSimulator, settings: Any
) -> set[str]:
    let_pass(connection, 0.9)
    assert refresh_due() == 1
    used = _stored_secrets()
    for kind in ("500", "drop", "html_2xx"):
        simulator.set_fault(kind, path=TOKEN_PATH, count=1)
        let_pass(connection, 1.0)
        with pytest.raises(SyncError):
            StoredToken(connection.pk)()
    with _echoing_vendor(settings, 401):
        _work_fails(connection)
    with _echoing_vendor(settings, 400):
        _work_fails(connection)
    return used


def _work_fails(connection: Connection) -> None:
    """Every call is answered with what was sent, its secrets included."""
    let_pass(connection, 0.1)
    change(connection, refused=0)
    session.close_all()
    connector, _ = session.open_connector(connection)
    for call in (connector.owners, connector.check):
        with pytest.raises(SyncError) as caught:
            call()
        logging.getLogger("test").error("call failed", exc_info=caught.value)
    let_pass(connection, 1.0)
    with pytest.raises(SyncError) as caught:
        StoredToken(connection.pk)()
    logging.getLogger("test").error("renewal failed", exc_info=caught.value)
    push_due()
    set_up_due()


class _echoing_vendor:  # noqa: N801 - reads as a block
    """A vendor that answers with the request it was sent."""

    def __init__(self, settings: Any, status: int) -> None:
        self.settings, self.status = settings, status
        self.server = WireServer([self._echo])

    def __enter__(self) -> None:
        self.before = self.settings.HUBSPOT_API_URL
        self.server.__enter__()
        self.settings.HUBSPOT_API_URL = self.server.url

    def __exit__(self, *exc_info: object) -> None:
        self.settings.HUBSPOT_API_URL = self.before
        self.server.__exit__(*exc_info)

    def _echo(self, connection: socket.socket) -> None:
        seen = self.server.requests[-1]
        told = f"{seen.line} {json.dumps(seen.headers)} {seen.body.decode()}"
        body = {"status": "error", "message": told, "error_description": told}
        answer(self.status, body)(connection)


def _refuse_private_tokens(workspace: Workspace, settings: Any) -> None:
    with pytest.raises(ConnectionRefused):
        connect_with_token(workspace, vendor="hubspot", name="", token=REFUSED_TOKEN)
    with _echoing_vendor(settings, 401), pytest.raises(ConnectionRefused):
        connect_with_token(workspace, vendor="hubspot", name="", token=REFUSED_TOKEN)


def _fail_callbacks(browser: Client, settings: Any) -> None:
    """Come back with a wrong code, to an echo, to a bug, and by a wrong method."""
    for status in (400, 500):
        state = query_of(begin(browser))["state"]
        with _echoing_vendor(settings, status):
            page = arrive(browser, f"{CALLBACK}?code={STOLEN_CODE}&state={state}")
        assert STOLEN_CODE not in page
        assert CLIENT_SECRET not in page
    browser.raise_request_exception = False
    back = consent(begin(browser)).removeprefix(settings.PUBLIC_URL)
    keys, settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS, ["broken"]
    page = browser.get(back).content.decode()
    settings.ENCRYPTION_KEYS = keys
    assert query_of(back)["code"] not in page
    browser.post(f"{CALLBACK}?code={STOLEN_CODE}&state=x")
    browser.get(f"/oauth/nobody/callback/?code={STOLEN_CODE}&state=x")


def found_in(text: str, secrets: set[str]) -> list[str]:
    """Return the text around each secret found, the secret itself left out."""
    return [
        text[max(text.index(secret) - 200, 0) : text.index(secret)]
        for secret in secrets
        if secret in text
    ]


def test_no_secret_is_readable_in_the_database(secrets: set[str]) -> None:
    found = {}
    with database.cursor() as cursor:
        for table in database.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            text = "\n".join(map(_as_text, cursor.fetchall()))
            found[table] = found_in(text, secrets)

    assert {table: texts for table, texts in found.items() if texts} == {}
    assert "integrations_oauthtoken" in found


def _as_text(row: tuple[Any, ...]) -> str:
    cells = (bytes(c) if isinstance(c, memoryview) else c for c in row)
    return " ".join(
        c.decode("utf-8", "replace") if isinstance(c, bytes) else str(c) for c in cells
    )


def test_no_secret_is_in_the_logs(secrets: set[str], log: io.StringIO) -> None:
    written = log.getvalue()

    assert '"request": "GET /oauth/hubspot/callback/"' in written
    assert "Traceback" in written
    assert found_in(written, secrets) == []


def test_no_secret_is_in_a_message_to_the_broker(
    secrets: set[str], messages: list[str]
) -> None:
    wait_until(lambda: messages)

    assert found_in("\n".join(messages), secrets) == []


def test_no_secret_is_on_a_page_or_in_an_answer(
    secrets: set[str], browser: Client, admin: User
) -> None:
    admin.is_staff = admin.is_superuser = True
    admin.save()
    found = {}

    for address in sorted(set(_addresses())):
        response = browser.get(address, follow=True)
        if not response.streaming:
            found[address] = found_in(response.content.decode(), secrets)

    assert len(found) > 3
    assert {address: texts for address, texts in found.items() if texts} == {}


def _addresses() -> Iterator[str]:
    """Yield every address that needs no argument, and those of the first rows."""
    yield from ("/oauth/hubspot/problem/", "/connections/1/", "/api/v1/connections/1/")
    yield from _plain_addresses(get_resolver(), "/")


def _plain_addresses(resolver: URLResolver, before: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        route = getattr(entry.pattern, "_route", None)
        if route is None or "<" in route or "logout" in route:
            continue
        if isinstance(entry, URLPattern):
            yield before + route
        else:
            yield from _plain_addresses(entry, before + route)


def test_values_do_not_show_their_secrets(browser: Client, simulator: Any) -> None:
    sign_in(browser)

    with scopes_disabled():
        token = OAuthToken.objects.get()
    assert found_in(f"{token!r} {token}", {str(token.access), str(token.refresh)}) == []
