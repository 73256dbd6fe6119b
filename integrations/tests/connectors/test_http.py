"""What was sent and what came back: the faults of a real socket."""

import gzip
import logging
import socket
import time
import traceback
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from integrations.connectors.http import Call, CallRecord, HttpClient
from integrations.connectors.limits import Budget
from integrations.connectors.spec import RateLimit
from integrations.errors import (
    Misconfigured,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    ReauthRequired,
    Retryable,
    SyncError,
)
from integrations.tests.connectors.conftest import TOKEN, MakeClient
from integrations.tests.connectors.wire import (
    Reply,
    WireServer,
    answer,
    hang_up,
    trickle,
)

READ = Call("GET", "/things")
CREATE = Call("POST", "/things", json={"a": 1}, repeatable=False, inputs=3)
EXPIRED = {"status": "error", "category": "EXPIRED_AUTHENTICATION", "message": "old"}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


def failure(client: HttpClient, call: Call) -> SyncError:
    with pytest.raises(SyncError) as caught:
        client.request(call)
    return caught.value


def test_a_good_answer_is_returned_and_the_request_is_as_promised(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(200, {"ok": True})]

    got = make_client().request(CREATE)

    assert got.body == {"ok": True}
    request = server.requests[0]
    assert request.line == "POST /things HTTP/1.1"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["user-agent"].startswith("crmsync/")
    assert request.json == {"a": 1}


def test_one_socket_serves_many_calls(
    server: WireServer, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.replies = [answer(200, {"ok": True})]
    accepted: list[int] = []
    serve = server._serve

    def counted(connection: socket.socket) -> None:
        accepted.append(1)
        serve(connection)

    monkeypatch.setattr(server, "_serve", counted)
    client = make_client()

    for _ in range(5):
        client.request(READ)

    assert len(accepted) == 1


@pytest.mark.parametrize("call", [READ, CREATE], ids=["read", "create"])
def test_a_refused_connection_is_retryable_whatever_was_to_be_sent(
    make_client: MakeClient, call: Call
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    client = make_client(base_url=f"http://127.0.0.1:{port}")

    assert type(failure(client, call)) is Retryable


def test_an_unknown_host_is_retryable(make_client: MakeClient) -> None:
    client = make_client(base_url="http://no-such-host.invalid")

    assert type(failure(client, CREATE)) is Retryable


def test_a_broken_tls_handshake_means_nothing_was_sent(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [hang_up]
    client = make_client(base_url=server.url.replace("http:", "https:"))

    assert type(failure(client, CREATE)) is Retryable


@pytest.mark.parametrize(
    "reply",
    [
        hang_up,
        answer(500, b"oops"),
        answer(503, b"<html>busy</html>"),
        answer(200, b""),
        answer(200, b"<html>"),
        answer(200, b'{"results": [{"id": '),
        answer(200, b"[]"),
        answer(200, b"null"),
        answer(200, b"\xff\xfe"),
        answer(200, b'{"a":' * 100_000),
        answer(200, b"9" * 5000),
        answer(200, b"not gzip", {"Content-Encoding": "gzip"}),
        lambda connection: connection.sendall(b"nonsense\r\n\r\n"),
    ],
)
def test_no_usable_answer_is_unknown_for_a_create_and_retryable_for_a_read(
    server: WireServer, make_client: MakeClient, reply: Reply
) -> None:
    server.replies = [reply]

    assert type(failure(make_client(timeout_s=(1, 0.5)), CREATE)) is OutcomeUnknown
    assert type(failure(make_client(timeout_s=(1, 0.5)), READ)) is Retryable


def test_silence_after_a_create_is_an_unknown_outcome(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [lambda connection: time.sleep(1)]

    error = failure(make_client(timeout_s=(1, 0.1)), CREATE)

    assert type(error) is OutcomeUnknown


@pytest.mark.parametrize(
    "head",
    [HEAD, b"HTTP/1.1 200 OK\r\nX-Slow: "],
    ids=["body", "headers"],
)
def test_a_trickling_answer_ends_at_the_deadline(
    server: WireServer, make_client: MakeClient, head: bytes
) -> None:
    server.replies = [trickle(head)]
    client = make_client(deadline_s=0.4)
    started = time.monotonic()

    error = failure(client, READ)

    assert type(error) is Retryable
    assert "in time" in str(error)
    assert time.monotonic() - started < 5  # it would go on for ever


def test_a_client_goes_on_after_a_deadline(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [trickle(HEAD), answer(200, {"ok": True})]
    client = make_client(deadline_s=0.3)
    failure(client, READ)

    assert client.request(READ).body == {"ok": True}


def test_a_gzip_bomb_is_cut_at_the_limit(
    server: WireServer, make_client: MakeClient
) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    server.replies = [answer(200, bomb, {"Content-Encoding": "gzip"})]

    error = failure(make_client(max_body_bytes=100_000), READ)

    assert "too large" in str(error)


def test_a_redirect_is_a_wrong_address_and_is_not_followed(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(302, b"", {"Location": f"{server.url}/elsewhere"})]

    error = failure(make_client(), READ)

    assert type(error) is Misconfigured
    assert len(server.requests) == 1


def test_a_proxy_in_the_environment_is_not_used(
    server: WireServer,
    make_client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.replies = [answer(200, {"ok": True})]

    assert make_client().request(READ).body == {"ok": True}


def test_throttling_stays_throttling_for_a_create(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(429, b"", {"Retry-After": "12"})]

    error = failure(make_client(), CREATE)

    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 12


def test_an_expired_token_is_renewed_once_and_the_call_repeated(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(401, EXPIRED), answer(200, {"ok": True})]
    refused: list[str | None] = []

    def token(old: Any = None) -> Any:
        refused.append(old)
        return "new" if old else "old"

    got = make_client(token=token).request(CREATE)

    assert got.body == {"ok": True}
    assert refused == [None, "old"]
    assert [r.headers["authorization"] for r in server.requests] == [
        "Bearer old",
        "Bearer new",
    ]


def test_a_renewed_token_that_is_refused_too_is_the_end(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(401, EXPIRED)]

    error = failure(make_client(token=lambda old=None: "b" if old else "a"), READ)

    assert isinstance(error, ReauthRequired)
    assert len(server.requests) == 2


def test_a_wrong_token_is_not_renewed(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(401, {"category": "INVALID_AUTHENTICATION"})]

    error = failure(make_client(), READ)

    assert isinstance(error, ReauthRequired)
    assert len(server.requests) == 1


def test_the_observer_sees_every_call_and_no_secret(
    server: WireServer, make_client: MakeClient, calls: list[CallRecord]
) -> None:
    server.replies = [
        answer(401, EXPIRED),
        answer(200, {"ok": True}, {"X-HubSpot-Correlation-Id": "abc"}),
    ]
    call = Call("GET", "/tokens/{token}", values={"token": "s3cret"}, inputs=2)

    make_client(token=lambda old=None: "b" if old else "a").request(call)

    assert [(c.status, c.outcome, c.request_id) for c in calls] == [
        (401, "auth", ""),
        (200, "ok", "abc"),
    ]
    assert calls[1].path == "/tokens/{token}"
    assert server.requests[1].path == "/tokens/s3cret"
    assert "s3cret" not in repr(calls) + repr(call)


def test_a_call_without_an_answer_is_observed_without_a_status(
    server: WireServer, make_client: MakeClient, calls: list[CallRecord]
) -> None:
    server.replies = [hang_up]

    failure(make_client(), CREATE)

    assert [(c.status, c.outcome, c.inputs) for c in calls] == [(None, "unknown", 3)]


def test_an_observer_that_fails_does_not_hide_the_answer(
    server: WireServer,
    make_client: MakeClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.replies = [answer(200, {"ok": True})]

    def observer(record: CallRecord) -> Any:
        raise RuntimeError("journal full")

    with caplog.at_level(logging.ERROR):
        got = make_client(on_call=observer).request(CREATE)

    assert got.body == {"ok": True}
    assert "observer" in caplog.text


@pytest.mark.parametrize("reply", [hang_up, answer(403, b"no"), answer(200, b"<")])
def test_no_failure_shows_the_token(
    server: WireServer,
    make_client: MakeClient,
    reply: Reply,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.replies = [reply]
    client = make_client()

    with caplog.at_level(logging.DEBUG), pytest.raises(SyncError) as caught:
        client.request(CREATE)

    shown = "".join(traceback.format_exception(caught.value)) + repr(client)
    assert TOKEN not in shown + caplog.text
    assert caught.value.__cause__ is None


def test_a_vendor_page_in_html_is_told_in_plain_words(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(403, b"<html><b>Access</b> denied</html>")]

    error = failure(make_client(), READ)

    assert isinstance(error, PermissionMissing)
    assert error.detail == "Access denied"


class Waits:
    """A limiter that makes every call wait as long as it is told."""

    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)

    def acquire(self, bucket: str, cost: int = 1) -> Any:
        return self.waits.pop(0) if self.waits else 0.0

    def observe(self, headers: Any) -> Any:
        self.seen = headers

    def hold(self, bucket: str, wait_s: float) -> Any:
        self.held = bucket, wait_s


def test_a_short_wait_is_waited_and_a_long_one_given_back(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(200, {"ok": True})]

    assert make_client(limiter=Waits(0.01)).request(READ).body == {"ok": True}
    error = failure(make_client(limiter=Waits(9.0)), READ)

    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 9.0
    assert len(server.requests) == 1


def test_the_limiter_learns_from_refusals_too(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(500, b"", {"X-HubSpot-RateLimit-Max": "190"})]
    limiter = Waits()

    failure(make_client(limiter=limiter), READ)

    assert limiter.seen["x-hubspot-ratelimit-max"] == "190"


# --- other kinds of bodies and answers ------------------------------------------------


def test_a_list_is_taken_only_where_one_is_expected(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(200, [{"id": 1}, {"id": 2}])]
    client = make_client()

    got = client.request(replace(READ, expects="list"))

    assert got.items == [{"id": 1}, {"id": 2}]
    assert got.body == {}
    assert isinstance(failure(client, READ), Retryable)
    assert isinstance(failure(client, CREATE), OutcomeUnknown)


def test_an_object_where_a_list_is_expected_is_an_unknown_outcome_of_a_create(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(200, {"id": 1})]

    assert isinstance(
        failure(make_client(), replace(CREATE, expects="list")), OutcomeUnknown
    )


def test_bytes_go_as_they_are_and_come_as_they_are(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(200, b"a,b\n1,\xff\n")]
    call = Call(
        "PUT",
        "/rows",
        content=b"Id\n1\n",
        content_type="text/csv",
        headers={"X-Client": "crmsync"},
        expects="raw",
    )

    got = make_client().request(call)

    assert got.raw == b"a,b\n1,\xff\n"
    request = server.requests[0]
    assert request.body == b"Id\n1\n"
    assert request.headers["content-type"] == "text/csv"
    assert request.headers["x-client"] == "crmsync"
    assert request.headers["accept"] == "*/*"


def test_an_upload_that_is_answered_with_nothing_is_a_success(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(201)]

    got = make_client().request(Call("PUT", "/rows", content=b"x", expects="raw"))

    assert (got.status, got.raw) == (201, b"")


def test_content_is_made_anew_from_a_renewed_token(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(401, EXPIRED), answer(200, b"<ok/>")]
    call = Call(
        "POST",
        "/soap",
        content=lambda token: f"<id>{token}</id>".encode(),
        content_type="text/xml",
        expects="raw",
    )

    make_client(token=lambda refused=None: "new" if refused else "old").request(call)

    assert [one.body for one in server.requests] == [b"<id>old</id>", b"<id>new</id>"]


def test_not_modified_answers_a_conditional_call_and_no_other(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(304)]
    client = make_client()
    since = {"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}

    got = client.request(replace(READ, headers=since))

    assert (got.status, got.body) == (304, {})
    assert isinstance(failure(client, READ), Misconfigured)


@pytest.mark.parametrize("expects", ["list", "raw"])
def test_no_answer_is_larger_than_the_limit_whatever_its_kind(
    server: WireServer, make_client: MakeClient, expects: Any
) -> None:
    server.replies = [answer(200, b"[" + b"1," * 50_000 + b"1]")]
    client = make_client(max_body_bytes=10_000)

    assert "too large" in failure(client, replace(READ, expects=expects)).message


def test_the_host_is_asked_for_at_each_call(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(200, {"ok": True})]
    homes = iter(["http://127.0.0.1:1", server.url])
    client = make_client(base_url=lambda: next(homes))

    assert isinstance(failure(client, READ), Retryable)
    assert client.request(READ).status == 200


def test_their_clock_is_learnt_from_good_and_bad_answers(
    server: WireServer, make_client: MakeClient
) -> None:
    ahead = formatdate(time.time() + 3600, usegmt=True)
    server.replies = [answer(503, {}, {"Date": ahead})]
    client = make_client()

    failure(client, READ)

    offset_s = client.clock_offset_s
    assert offset_s is not None
    assert abs(offset_s - 3600) < 2


def test_neither_content_nor_answer_is_shown(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(200, b"secret-answer")]
    call = Call("PUT", "/rows", content=b"secret-content", expects="raw")

    got = make_client().request(call)

    assert "secret" not in repr(call) + repr(got)


def test_a_told_wait_holds_everyone_who_shares_the_budget(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(429, b"", {"Retry-After": "12"})]
    limits = (RateLimit("api", 100, 10, "test"), RateLimit("search", 5, 1, "test"))
    scope = f"test-http-{time.time_ns()}"
    one, other = Budget(limits, scope=scope), Budget(limits, scope=scope)
    failure(make_client(limiter=one), READ)

    errors = [
        failure(make_client(limiter=other), call)
        for call in (READ, Call("GET", "/things", bucket="search"))
    ]

    assert all(11 < (error.retry_after_s or 0) <= 12 for error in errors)  # type: ignore[attr-defined]
    assert len(server.requests) == 1
