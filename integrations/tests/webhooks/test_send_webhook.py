"""`manage.py send_webhook`, against the real server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from integrations.tests.live import LiveSystem
from integrations.tests.live_database import ROOT


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    with LiveSystem(tmp_path_factory.mktemp("live")) as system:
        system.start("broker", "web")
        yield system


def send(live: LiveSystem, *args: str) -> list[dict[str, object]]:
    lines = live.manage("send_webhook", *args).splitlines()
    assert {line[:3] for line in lines} == {"202"}
    return [json.loads(line[4:]) for line in lines]


def failure(live: LiveSystem, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", "send_webhook", *args],
        cwd=ROOT,
        env=live.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_golden_payload_is_posted_and_its_repeat_recognised(
    live: LiveSystem,
) -> None:
    answers = send(live, "lgm", "reply_interested", "--count", "2")

    assert [one["status"] for one in answers] == ["accepted", "duplicate"]


def test_unique_payloads_are_other_people_each_time(live: LiveSystem) -> None:
    answers = send(live, "lgm", "reply_linkedin", "--unique", "--count", "3")

    assert [one["status"] for one in answers] == ["accepted"] * 3


def test_a_source_that_signs_gets_a_signature(live: LiveSystem) -> None:
    [answer] = send(live, "generic", "reply", "--endpoint", "Live generic")

    assert answer["status"] == "accepted"


LISTEN = """
from django_scopes import scopes_disabled
from crmsync.core.models import Workspace
from integrations.testing import make_connection, make_endpoint
accounts = {"hubspot": "555000111", "salesforce": "00DFh0000000001MAA"}
secrets = {"hubspot": "client secret", "salesforce": ""}
with scopes_disabled():
    workspace = Workspace.objects.get(slug="live")
    for vendor, account in accounts.items():
        connection = make_connection(workspace, vendor=vendor, account_id=account)
        make_endpoint(
            workspace, source=vendor, connection=connection, secrets=secrets[vendor]
        )
"""


def test_the_payloads_of_a_crm_are_about_the_account_and_signed(
    live: LiveSystem,
) -> None:
    live.manage("shell", "-c", LISTEN)

    answers = send(live, "hubspot", "contact_changed", "--count", "2")
    acknowledged = live.manage("send_webhook", "salesforce", "outbound_message")
    told = send(live, "salesforce", "event_bus")

    assert [one["status"] for one in answers] == ["accepted", "duplicate"]
    assert acknowledged.startswith("200 ")
    assert "<Ack>true</Ack>" in acknowledged
    assert [one["status"] for one in told] == ["accepted"]
    assert live.count("integrations_delivery", "state = 'rejected'") == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nobody", "reply"], "no source named nobody"),
        (["lgm", "nothing"], "reply_interested"),
        (["lgm", "own_message", "--workspace", "none"], "No active endpoint"),
        (["hubspot", "oddities", "--unique"], "nobody in the payloads"),
        (["lgm", "own_message", "--url", "http://127.0.0.1:9"], "Nothing answers"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    live: LiveSystem, args: list[str], words: str
) -> None:
    assert words in failure(live, *args)
