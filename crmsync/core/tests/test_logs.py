"""Log lines: JSON, with ids, without secrets and without people."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import structlog

from crmsync.core import tracing
from crmsync.core.roles import Role
from crmsync.core.testing import PASSWORD, make_user, make_workspace
from crmsync.logs import HIDDEN, json_formatter, redacted

Line = dict[str, object]


@pytest.fixture
def lines() -> Iterator[Callable[[], list[Line]]]:
    """Return what the product's own formatter writes during the test."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(json_formatter())
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(before)


def test_a_line_is_json_with_its_fields(lines) -> None:
    logging.getLogger("crmsync.test").warning("something", extra={"count": 3})

    (line,) = lines()

    assert (line["event"], line["count"], line["level"]) == ("something", 3, "warning")
    assert line["logger"] == "crmsync.test"


def test_lines_inside_a_trace_carry_its_id(lines) -> None:
    log = logging.getLogger("crmsync.test")

    with tracing.bound(["abc"]):
        log.info("inside")
    log.info("outside")

    inside, outside = lines()
    assert inside["trace_id"] == "abc"
    assert "trace_id" not in outside


def test_a_batch_carries_all_its_ids(lines) -> None:
    with tracing.bound(["a", "b", "a", ""]):
        logging.getLogger("crmsync.test").info("batch")

    assert lines()[0]["traces"] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer [hidden]"),
        ("GET /x?a=1&code=c4n4ry&state=s", "GET /x?a=1&code=[hidden]&state=[hidden]"),
        ("/webhooks/c4n4ry-token/ gone", "/webhooks/[hidden]/ gone"),
        (
            "/accounts/password/reset/key/1-abc/",
            "/accounts/password/reset/key/[hidden]/",
        ),
        ("DETAIL:  Key (email)=(x) exists.\nnext", "DETAIL:  [hidden]\nnext"),
        ("no such lea.o'hara+x@mail.example.com!", "no such [hidden]!"),
        ("nothing private: status code 409", "nothing private: status code 409"),
    ],
)
def test_what_is_private_is_taken_out(text: str, kept: str) -> None:
    assert redacted(text) == kept


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text", ["a." * 20_000 + "=", "'a" * 20_000 + "@", "?" + "a_" * 20_000 + "="]
)
def test_a_hostile_text_costs_no_time(text: str) -> None:
    # An unbounded pattern takes seconds for the first two.
    began = time.process_time()

    assert redacted(text)

    assert time.process_time() - began < 1


def test_a_secret_by_its_name_is_hidden(lines) -> None:
    logging.getLogger("crmsync.test").info("x", extra={"token": "canary-1"})

    assert lines()[0]["token"] == HIDDEN


def test_a_traceback_tells_no_address(lines) -> None:
    try:
        raise ValueError("duplicate lea@example.com")
    except ValueError:
        logging.getLogger("crmsync.test").exception("failed")

    (line,) = lines()
    assert "ValueError" in str(line["exception"])
    assert "lea@example.com" not in str(line)


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_id_and_without_its_query(client, lines) -> None:
    user = make_user(make_workspace(), Role.VIEWER)
    client.force_login(user)

    client.get("/admin/?q=canary-name&code=canary-code")

    finished = [line for line in lines() if line["event"] == "request_finished"]
    (line,) = finished
    assert line["request_id"]
    assert line["user_id"] == user.pk
    assert line["request"] == "GET /admin/"
    assert "canary" not in json.dumps(lines())


@pytest.mark.django_db
def test_signing_in_leaves_no_password_and_no_address(client, lines) -> None:
    user = make_user(make_workspace())

    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client.post("/accounts/login/", {"login": user.email, "password": "canary-wrong"})

    text = json.dumps(lines())
    assert user.email not in text
    assert PASSWORD not in text
    assert "canary-wrong" not in text


def test_the_servers_own_lines_are_json_too() -> None:
    code = (
        "import json, logging, logging.config, pathlib;"
        "path = pathlib.Path('crmsync/platform/uvicorn.json');"
        "logging.config.dictConfig(json.loads(path.read_text()));"
        "logging.getLogger('uvicorn.error').info('Started parent process [%d]', 7)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    line = json.loads(done.stderr)
    assert line["event"] == "Started parent process [7]"


def test_structlogs_own_loggers_go_the_same_way(lines) -> None:
    structlog.get_logger("crmsync.test").info("said", email="lea@example.com")

    assert lines()[0]["email"] == HIDDEN
