"""The HTTP server: keep-alive, chunks, pipelines, rubbish, and speed."""

import http.client
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from integrations.simulators.testing import PRIVATE_TOKEN, RunningSimulator

PATH = "/crm/v3/objects/contacts"
HEAD = f"Host: x\r\nAuthorization: Bearer {PRIVATE_TOKEN}\r\n"


@pytest.fixture
def sim(hubspot_simulator: RunningSimulator) -> RunningSimulator:
    return hubspot_simulator


def address(sim: RunningSimulator) -> tuple[str, int]:
    parts = urlsplit(sim.base_url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def talk(sim: RunningSimulator, data: bytes) -> bytes:
    """Send bytes and return all that comes back until the server closes."""
    with socket.create_connection(address(sim), timeout=10) as connection:
        connection.sendall(data)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
        return received


def test_one_connection_serves_many_requests(sim) -> None:
    connection = http.client.HTTPConnection(*address(sim), timeout=10)
    connection.connect()
    first = connection.sock

    for _ in range(3):
        connection.request(
            "GET", PATH, headers={"Authorization": f"Bearer {PRIVATE_TOKEN}"}
        )
        assert connection.getresponse().read()

    assert connection.sock is first
    connection.close()


def test_pipelined_requests_are_answered_in_order(sim) -> None:
    one = f"GET {PATH}/1 HTTP/1.1\r\n{HEAD}\r\n"
    two = f"GET {PATH} HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n"

    answer = talk(sim, (one + two).encode())

    assert answer.index(b"404 Not Found") < answer.index(b"200 OK")


def test_a_chunked_body_is_read(sim) -> None:
    body = json.dumps({"properties": {"lastname": "Lee"}}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, bytes((byte,))) for byte in body)
    head = f"POST {PATH} HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n"

    answer = talk(
        sim, head.encode() + b"Connection: close\r\n\r\n" + chunks + b"0\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 201 Created")


def test_rubbish_closes_the_connection(sim) -> None:
    assert talk(sim, b"hello there\r\n\r\n") == b""
    assert talk(sim, b"GET / HTTP/1.1\r\nno colon here\r\n\r\n") == b""


def test_a_body_that_ends_early_is_not_applied(sim) -> None:
    head = f"POST {PATH} HTTP/1.1\r\n{HEAD}Content-Length: 500\r\n\r\n"
    with socket.create_connection(address(sim), timeout=10) as connection:
        connection.sendall(head.encode() + b'{"properties":{"lastname":"Lee"}}')

    assert sim.dump() == {}


@pytest.mark.bench
def test_it_is_faster_than_what_it_measures(hubspot_process: RunningSimulator) -> None:
    hubspot_process.reset(keep_tokens=False)
    hubspot_process.configure(limits=False)
    rates = [_rate(hubspot_process, round_) for round_ in range(3)]

    # The goal is 1,500/s on a core of its own; half of it is asked of a busy machine.
    assert max(rates) > 750, rates


def _rate(sim: RunningSimulator, round_: int) -> float:
    """Return single-record creates per second over four connections."""

    def create(worker: int) -> None:
        connection = http.client.HTTPConnection(*address(sim), timeout=10)
        for number in range(250):
            email = f"p{round_}-{worker}-{number}@example.com"
            body = json.dumps({"properties": {"email": email}})
            headers = {"Authorization": f"Bearer {PRIVATE_TOKEN}"}
            connection.request("POST", PATH, body, headers)
            assert connection.getresponse().read()
        connection.close()

    workers = [threading.Thread(target=create, args=(n,)) for n in range(4)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return 1000 / (time.perf_counter() - started)
