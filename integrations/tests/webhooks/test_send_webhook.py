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


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nobody", "reply"], "no source named nobody"),
        (["lgm", "nothing"], "reply_interested"),
        (["lgm", "own_message", "--workspace", "none"], "No active endpoint"),
        (["lgm", "own_message", "--url", "http://127.0.0.1:9"], "Nothing answers"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    live: LiveSystem, args: list[str], words: str
) -> None:
    assert words in failure(live, *args)
