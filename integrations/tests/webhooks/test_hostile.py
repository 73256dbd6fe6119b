"""What a hostile visitor tries first, against the real server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from integrations.tests.live import LiveSystem, lgm_reply


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    with LiveSystem(tmp_path_factory.mktemp("live")) as system:
        system.start("broker", "web")
        yield system


def test_a_chunked_body_is_read_to_its_end(live: LiveSystem) -> None:
    body = json.dumps(lgm_reply(1)).encode()

    answer = live.request(
        "POST", "/webhooks/lgm-live-token-000000000/", body=iter([body[:50], body[50:]])
    )

    assert answer.status == 202
    [(stored,)] = live.sql(
        "SELECT body FROM integrations_delivery WHERE id = %s", answer.json["id"]
    )
    assert bytes(stored) == body
