"""A client that speaks to a simulator, and somebody who is told of changes."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import requests

from integrations.simulators.testing import wait_until


class Client:
    """Calls a simulator with a bearer token; answers are `requests` responses."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def whole(self, path: str) -> str:
        """Return the path that is meant."""
        return path

    def call(
        self, method: str, path: str, body: Any = None, **more: Any
    ) -> requests.Response:
        return self.session.request(
            method,
            self.base_url + self.whole(path),
            json=body,
            allow_redirects=False,
            **{"timeout": 20, **more},
        )

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("PATCH", path, body, **more)

    def delete(self, path: str, **more: Any) -> requests.Response:
        return self.call("DELETE", path, **more)


class Receiver:
    """Remembers what is posted to it.

    answers: (status, body) in turn; afterwards, and when there are none, `usual`.
    """

    def __init__(self, usual: tuple[int, str] = (200, "")) -> None:
        self.usual = usual
        self.answers: list[tuple[int, str]] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = receiver.take(body, dict(self.headers.items()))
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/in"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        answer = self.answers.pop(0) if self.answers else self.usual
        self.headers.append(headers)
        self.bodies.append(body)
        return answer

    def posts(self, at_least: int = 0) -> list[Any]:
        """Wait for so many posts; return all of them, parsed."""
        wait_until(lambda: len(self.bodies) >= at_least)
        return [json.loads(body) for body in self.bodies]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
