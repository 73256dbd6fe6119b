"""A scripted server on a real socket, for answers no decent server gives."""

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

Reply = Callable[[socket.socket], None]


@dataclass
class Request:
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def answer(
    status: int = 200,
    body: object | bytes = b"",
    headers: dict[str, str] | None = None,
) -> Reply:
    """Answer properly; anything that is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    def reply(connection: socket.socket) -> None:
        lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(raw)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)

    return reply


def hang_up(connection: socket.socket) -> None:
    """Take the request and close without a word, as after a crash."""
    connection.shutdown(socket.SHUT_RDWR)


def trickle(head: bytes, *, every_s: float = 0.05) -> Reply:
    """Send head, then one byte after another without end."""

    def reply(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(b"x")
            time.sleep(every_s)

    return reply


@dataclass
class WireServer:
    """Gives the scripted replies in turn, the last one again and again."""

    replies: list[Reply] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(connection,), daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            try:
                while request := _read(reader):
                    self.requests.append(request)
                    turn = min(len(self.requests), len(self.replies)) - 1
                    self.replies[turn](connection)
            except OSError:
                return


def _read(reader: Any) -> Request | None:
    line = reader.readline().decode(errors="replace").strip()
    if not line:
        return None
    headers = {}
    while text := reader.readline().decode(errors="replace").strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return Request(line, headers, reader.read(int(headers.get("content-length", 0))))
