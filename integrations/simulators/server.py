"""A small keep-alive HTTP/1.1 server that runs one WSGI application in threads.

Faster than wsgiref so that a simulator is never what a benchmark measures. PATH_INFO
is handed over percent-encoded: ids in paths may contain encoded slashes.
"""

import contextlib
import io
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import lru_cache
from typing import Any, BinaryIO

from integrations.simulators.wire import DropConnectionError

MAX_LINE = 65_536
MAX_BODY = 64 * 1024 * 1024

App = Callable[..., Iterable[bytes]]


@lru_cache(maxsize=512)
def _environ_key(name: bytes) -> str:
    key = name.decode("latin-1").strip().upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key


@lru_cache(maxsize=4)
def _date_header(second: int) -> str:
    return formatdate(second, usegmt=True)


class _BadRequestError(Exception):
    """The bytes on the wire are not HTTP."""


class SimulatorServer:
    """Serves `app` until `stop`; one thread per connection.

    clock: seconds since the epoch, so that the Date header follows a skewed clock.
    """

    def __init__(
        self, app: App, *, host: str, port: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.app = app
        self.clock = clock
        self._listener = socket.create_server((host, port), backlog=512)
        self._stopping = threading.Event()
        self.host, self.port = self._listener.getsockname()[:2]

    @property
    def url(self) -> str:
        """The address to call."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Accept connections in the background."""
        threading.Thread(target=self._accept, daemon=True, name="accept").start()

    def stop(self) -> None:
        """Stop accepting; threads in flight are daemons and die with the process."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(
                target=self._serve, args=(connection, peer[0]), daemon=True
            ).start()

    def _serve(self, connection: socket.socket, peer: str) -> None:
        reader = connection.makefile("rb", buffering=65_536)
        try:
            while not self._stopping.is_set() and self._one(connection, reader, peer):
                pass
        except (DropConnectionError, _BadRequestError, OSError):
            pass
        finally:
            # Closing with unread input makes the kernel send RST; both ways of
            # losing the connection are what a dropped request looks like.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            reader.close()
            connection.close()

    def _one(self, connection: socket.socket, reader: Any, peer: str) -> bool:
        environ = _read_head(reader, peer, self.host, self.port)
        if environ is None:
            return False
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ["wsgi.input"] = io.BytesIO(_read_body(reader, environ))
        keep_alive = _keeps_alive(environ)
        head: list[str] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            lines = [f"{name}: {value}\r\n" for name, value in headers]
            date = _date_header(int(self.clock()))
            ending = "keep-alive" if keep_alive else "close"
            head.append(
                f"HTTP/1.1 {status}\r\n{''.join(lines)}Date: {date}\r\n"
                f"Connection: {ending}\r\n\r\n"
            )
            return connection.sendall

        chunks = self.app(environ, start_response)
        _send(connection, "".join(head).encode("latin-1"), chunks)
        return keep_alive


def _send(connection: socket.socket, head: bytes, chunks: Iterable[bytes]) -> None:
    if isinstance(chunks, list):
        connection.sendall(head + b"".join(chunks))
        return
    connection.sendall(head)
    for chunk in chunks:
        connection.sendall(chunk)


def _read_head(
    reader: BinaryIO, peer: str, host: str, port: int
) -> dict[str, Any] | None:
    line = reader.readline(MAX_LINE)
    while line == b"\r\n":
        line = reader.readline(MAX_LINE)
    if not line:
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise _BadRequestError(line)
    method, target, protocol = parts
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": protocol,
        "REMOTE_ADDR": peer,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    _read_headers(reader, environ)
    return environ


def _read_headers(reader: BinaryIO, environ: dict[str, Any]) -> None:
    while True:
        line = reader.readline(MAX_LINE)
        if line in (b"\r\n", b"\n"):
            return
        name, colon, value = line.partition(b":")
        if not colon:
            raise _BadRequestError(line)
        environ[_environ_key(name)] = value.strip().decode("latin-1")


def _read_body(reader: BinaryIO, environ: dict[str, Any]) -> bytes:
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        body = b"".join(_read_chunks(reader))
        environ["CONTENT_LENGTH"] = str(len(body))
        return body
    length = environ.get("CONTENT_LENGTH")
    if not length:
        return b""
    if not length.isdigit() or int(length) > MAX_BODY:
        raise _BadRequestError(length)
    body = reader.read(int(length))
    if len(body) < int(length):
        raise _BadRequestError("the body ended early")
    return body


def _read_chunks(reader: BinaryIO) -> Iterable[bytes]:
    total = 0
    while True:
        size_text = reader.readline(MAX_LINE).split(b";")[0].strip()
        try:
            size = int(size_text, 16)
        except ValueError as error:
            raise _BadRequestError(size_text) from error
        total += size
        if total > MAX_BODY:
            raise _BadRequestError("the body is too long")
        if size == 0:
            while reader.readline(MAX_LINE) not in (b"\r\n", b"\n", b""):
                pass
            return
        yield reader.read(size)
        reader.readline(MAX_LINE)


def _keeps_alive(environ: dict[str, Any]) -> bool:
    wish = environ.get("HTTP_CONNECTION", "").lower()
    if environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        return wish == "keep-alive"
    return wish != "close"
