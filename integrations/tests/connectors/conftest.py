"""A wire server and the connectors that speak to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.connectors import CONNECTORS
from integrations.connectors.http import CallRecord, HttpClient
from integrations.connectors.hubspot.connector import HubSpotConnector
from integrations.tests.connectors.wire import WireServer

MakeClient = Callable[..., HttpClient]
TOKEN = "token-that-must-not-be-seen"


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as running:
        yield running


@pytest.fixture
def calls() -> list[CallRecord]:
    return []


@pytest.fixture
def make_client(server: WireServer, calls: list[CallRecord]) -> Iterator[MakeClient]:
    made: list[HttpClient] = []

    def make(**options: Any) -> HttpClient:
        entry = CONNECTORS["hubspot"]
        settings: dict[str, Any] = {
            "base_url": server.url,
            "token": lambda refused=None: TOKEN,
            "vendor": "hubspot",
            "parse_error": entry.parse_error,
            "request_id_headers": entry.request_id_headers,
            "on_call": calls.append,
        }
        client = HttpClient(**(settings | options))
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def hubspot(make_client: MakeClient) -> HubSpotConnector:
    return HubSpotConnector(make_client())
