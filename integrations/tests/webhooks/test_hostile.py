"""What a hostile visitor tries first, against the real server."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from integrations.tests.live import Answer, LiveSystem, lgm_reply, webhook_path

MAX_BYTES = 5 * 1024 * 1024
_numbers = iter(range(1, 1_000_000))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    """Web and broker; a body may take three seconds."""
    env = {"WEBHOOK_BODY_TIMEOUT_S": "3"}
    with LiveSystem(tmp_path_factory.mktemp("live"), env=env) as system:
        system.start("broker", "web")
        yield system


@pytest.fixture(autouse=True)
def _nobody_sees_a_500(live: LiveSystem) -> Iterator[None]:
    yield
    log = live.log_of("web").read_text(errors="replace")
    assert "Traceback" not in log
    assert live.is_running("web")


def reply() -> dict[str, object]:
    return lgm_reply(next(_numbers))


def deliveries(live: LiveSystem) -> int:
    return live.count("integrations_delivery")


def raw_request(live: LiveSystem, head: str, body: bytes = b"") -> socket.socket:
    """Send bytes as they are; the caller reads and closes."""
    connection = socket.create_connection(("127.0.0.1", live.port), timeout=30)
    connection.sendall(head.replace("\n", "\r\n").encode("latin-1") + body)
    return connection


def head_of(live: LiveSystem, length: int, *extra: str) -> str:
    lines = [
        f"POST {webhook_path('lgm')} HTTP/1.1",
        f"Host: 127.0.0.1:{live.port}",
        f"Content-Length: {length}",
        *extra,
    ]
    return "\n".join(lines) + "\n\n"


def rejected(live: LiveSystem, answer: Answer) -> tuple[object, ...]:
    """Return what was kept of a refused request: status, reason, body."""
    [row] = live.sql(
        "SELECT state, status_code, reason, body FROM integrations_delivery"
        " WHERE trace_id = %s",
        answer.headers["x-trace-id"],
    )
    state, status, reason, body = row
    assert state == "rejected"
    return status, reason, bytes(body)


def test_a_chunked_body_is_read_to_its_end(live: LiveSystem) -> None:
    body = json.dumps(reply()).encode()

    answer = live.request(
        "POST", webhook_path("lgm"), body=iter([body[:50], body[50:51], body[51:]])
    )

    assert answer.status == 202
    [(stored, size)] = live.sql(
        "SELECT body, size FROM integrations_delivery WHERE id = %s", answer.json["id"]
    )
    assert (bytes(stored), size) == (body, len(body))


def test_a_truncated_body_leaves_nothing(live: LiveSystem) -> None:
    body = json.dumps(reply()).encode()
    before = deliveries(live)

    with raw_request(live, head_of(live, len(body)), body[:-10]) as connection:
        connection.shutdown(socket.SHUT_WR)
        answered = connection.recv(1000)

    assert b" 202 " not in answered
    assert live.post("lgm", body).json["status"] == "accepted"
    assert deliveries(live) == before + 1


@pytest.mark.parametrize(
    "piece",
    [r'"\u0000"', r'"\ud800"', "NaN", "-Infinity", "1e400", "9" * 5000, r'"\u202e😀"'],
    ids=["nul", "surrogate", "nan", "infinity", "1e400", "5000 digits", "rtl emoji"],
)
def test_json_that_a_database_would_refuse_is_kept_as_it_came(
    live: LiveSystem, piece: str
) -> None:
    payload = json.dumps({**reply(), "extra": "@"}, ensure_ascii=False)
    body = payload.replace('"@"', piece).encode()

    answer = live.post("lgm", body)

    assert answer.status == 202
    [(stored,)] = live.sql(
        "SELECT body FROM integrations_delivery WHERE id = %s", answer.json["id"]
    )
    assert bytes(stored) == body


@pytest.mark.parametrize("count", [100, 500])
def test_slow_sockets_do_not_keep_others_waiting(live: LiveSystem, count: int) -> None:
    with ExitStack() as stack:
        for number in range(count):
            # Half of them never end their headers, half never end their body.
            head = head_of(live, 1000)
            partial = head if number % 2 else head[: len(head) // 2]
            stack.enter_context(raw_request(live, partial, b"{" if number % 2 else b""))

        answers = [live.post("lgm", reply()) for _ in range(20)]

    assert {answer.status for answer in answers} == {202}


def test_a_body_that_takes_too_long_is_given_up(live: LiveSystem) -> None:
    before = deliveries(live)

    with raw_request(live, head_of(live, 1000), b"{") as connection:
        answered = connection.recv(1000)

    assert answered.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answered
    assert deliveries(live) == before + 1  # kept as rejected


def test_a_wrong_host_is_refused(live: LiveSystem) -> None:
    answer = live.post("lgm", reply(), headers={"Host": "evil.example"})

    assert answer.status == 400
    assert answer.json["error"]["code"] == "wrong_host"
    assert rejected(live, answer)[0] == 400


@pytest.mark.parametrize("hosts", ["", "Host: 127.0.0.1\nHost: evil.example\n"])
def test_a_missing_or_second_host_is_refused(live: LiveSystem, hosts: str) -> None:
    head = f"POST {webhook_path('lgm')} HTTP/1.1\n{hosts}Content-Length: 2\n\n"

    with raw_request(live, head, b"{}") as connection:
        answered = connection.recv(1000)

    assert answered.startswith(b"HTTP/1.1 400 ")


def test_a_replayed_delivery_is_answered_and_counted(live: LiveSystem) -> None:
    payload = reply()

    first, second = live.post("lgm", payload), live.post("lgm", payload)

    assert (first.status, second.status) == (202, 202)
    assert second.json == {**first.json, "status": "duplicate"}
    query = "SELECT seen FROM integrations_delivery WHERE id = %s"
    assert live.sql(query, first.json["id"]) == [(2,)]


def test_one_delivery_sent_many_times_at_once_is_one(live: LiveSystem) -> None:
    payload = reply()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: live.post("lgm", payload), range(40)))

    assert {answer.status for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 1
    states = sorted(answer.json["status"] for answer in answers)
    assert states == ["accepted"] + ["duplicate"] * 39
    delivery = answers[0].json["id"]
    query = "SELECT seen FROM integrations_delivery WHERE id = %s"
    assert live.sql(query, delivery) == [(40,)]
    assert live.count("core_workitem", "key = %s", str(delivery)) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-signature", "v1,é"),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "é"),
        ("webhook-signature", "v2,AAAA"),
        ("webhook-signature", "v1," + "A" * 20_000),
        ("webhook-signature", "v1,AAAA " * 1000),
        ("webhook-timestamp", "é"),
        ("webhook-timestamp", "9" * 400),
        ("webhook-timestamp", "1e9"),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", "1000000000"),
        ("webhook-id", "é"),
        ("webhook-id", ""),
    ],
)
def test_a_broken_signature_header_is_refused(
    live: LiveSystem, name: str, value: str
) -> None:
    body = {"id": f"m{next(_numbers)}", "person": {"email": "ada@example.com"}}

    answer = live.post("generic", body, headers={name: value})

    assert answer.status == 401
    assert answer.json["error"]["code"] == "invalid_signature"
    assert rejected(live, answer)[0] == 401


def test_a_signed_delivery_is_accepted_and_a_changed_one_is_not(
    live: LiveSystem,
) -> None:
    body = {"id": f"m{next(_numbers)}", "person": {"email": "ada@example.com"}}
    signed = live.post("generic", body)
    forged = live.request(
        "POST", webhook_path("generic"), body=json.dumps(body).encode()
    )

    assert signed.status == 202
    assert forged.status == 401


def test_a_body_of_the_largest_size_is_accepted(live: LiveSystem) -> None:
    payload = json.dumps({**reply(), "padding": ""})
    padding = "x" * (MAX_BYTES - len(payload))

    answer = live.post("lgm", payload.replace('""', f'"{padding}"').encode())

    assert answer.status == 202


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_ten_megabytes_is_refused(live: LiveSystem, *, chunked: bool) -> None:
    body = b"x" * 10_000_000
    pieces = (body[start : start + 65536] for start in range(0, len(body), 65536))

    answer = live.request("POST", webhook_path("lgm"), body=pieces if chunked else body)

    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    status, reason, kept = rejected(live, answer)
    assert (status, reason) == (413, f"The body is larger than {MAX_BYTES} bytes.")
    assert kept == b""


def test_a_hundred_thousand_nested_lists_are_refused(live: LiveSystem) -> None:
    body = b"[" * 100_000 + b"]" * 100_000

    answer = live.post("lgm", body)

    assert answer.status == 400
    status, reason, kept = rejected(live, answer)
    assert status == 400
    assert "nested" in str(reason)
    assert kept == body[: 64 * 1024]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xff\xfe{\x00}\x00", "malformed"),
        (b"<html>", "malformed"),
        (b"", "malformed"),
        (b"[]", "unexpected_payload"),
        (b"{}", "unexpected_payload"),
        (b'{"object": "another vendor"}', "unexpected_payload"),
    ],
)
def test_what_cannot_be_from_the_source_is_refused(
    live: LiveSystem, body: bytes, code: str
) -> None:
    answer = live.post("lgm", body)

    assert answer.status == 400
    assert answer.json["error"]["code"] == code
    assert rejected(live, answer) == (400, answer.json["error"]["message"], body)


def test_a_wrong_method_is_told_the_right_one(live: LiveSystem) -> None:
    answer = live.request("GET", webhook_path("lgm"))

    assert answer.status == 405
    assert answer.headers["allow"] == "POST"
    assert rejected(live, answer)[0] == 405


def test_a_compressed_body_is_refused(live: LiveSystem) -> None:
    answer = live.post("lgm", b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    assert answer.status == 415


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/",
        "/webhooks/no-such-endpoint-here/",
        "/webhooks/lgm-live-token-000000000/more",
        "/webhooks/%00%ff/",
        "/webhooks/../webhooks/x/",
    ],
)
def test_an_unknown_address_is_counted_and_not_stored(
    live: LiveSystem, path: str
) -> None:
    before = deliveries(live)

    answer = live.request("POST", path, body=b"{}")

    assert answer.status == 404
    assert answer.json["error"]["code"] == "unknown_endpoint"
    assert deliveries(live) == before


def test_the_address_works_without_the_last_slash(live: LiveSystem) -> None:
    path = webhook_path("lgm").rstrip("/")

    answer = live.request("POST", path, body=json.dumps(reply()).encode())

    assert answer.status == 202


def test_headers_are_kept_without_secrets(live: LiveSystem) -> None:
    headers = {"User-Agent": "probe", "Authorization": "Bearer hidden", "Cookie": "a=b"}

    answer = live.post("lgm", reply(), headers=headers)

    [(kept,)] = live.sql(
        "SELECT headers FROM integrations_delivery WHERE id = %s", answer.json["id"]
    )
    kept = json.loads(kept) if isinstance(kept, str) else kept
    assert kept["user-agent"] == "probe"
    assert not {"authorization", "cookie"} & set(kept)


def post_while(live: LiveSystem, disturb: Callable[[], None]) -> list[Answer]:
    """Post from eight senders, and disturb once in the middle of it."""
    middle = threading.Event()

    def post(number: int) -> Answer:
        if number == 40:
            disturb()
            middle.set()
        return live.post("lgm", lgm_reply(next(_numbers)))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(120)))
    assert middle.is_set()
    return answers


def test_a_broker_that_hangs_costs_nobody_anything(live: LiveSystem) -> None:
    try:
        answers = post_while(live, lambda: live.freeze("broker"))
    finally:
        live.thaw("broker")

    assert {answer.status for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 120


def test_a_flushed_broker_loses_nothing(live: LiveSystem) -> None:
    answers = post_while(live, live.flush_broker)

    assert {answer.status for answer in answers} == {202}
    waiting = live.count("core_workitem", "kind = 'process' AND state = 'ready'")
    assert waiting == live.count("integrations_delivery", "state = 'received'")
