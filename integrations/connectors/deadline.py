"""What requests and urllib3 do not tell or do: whether anything was sent, and a
total deadline.

Their timeouts start anew with every byte, so a peer that sends one byte a second
holds a worker for ever. Here the socket is shut down when time is up.
"""

import socket
import threading
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_current = threading.local()


class Deadline:
    """Context of one call in this thread; `sent` and `expired` tell afterwards.

    `sent` False: not one byte of the request has left this machine.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self.sent = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _current.deadline = self
        self._timer.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        _current.deadline = None
        self._timer.cancel()
        # Under the lock: from here on the socket may serve another call.
        with self._lock:
            self._socket = None

    def sending(self, sock: socket.socket | None) -> None:
        with self._lock:
            self.sent = True
            self._socket = sock
            if self.expired:
                self._shut_down()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is None:
            return
        try:
            # The plain method: an SSLSocket's own would drop its TLS state under
            # the thread that is reading from it.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            return  # already closed, which is what was wanted


def _sending(sock: socket.socket | None) -> None:
    deadline: Deadline | None = getattr(_current, "deadline", None)
    if deadline is not None:
        deadline.sending(sock)


class _Connection(HTTPConnection):
    def send(self, data: Any) -> None:  # Any: bytes, file or iterable, as in stdlib
        if self.sock is None:
            self.connect()
        _sending(self.sock)
        super().send(data)


class _SecureConnection(HTTPSConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _sending(self.sock)
        super().send(data)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class DeadlineAdapter(HTTPAdapter):
    """requests' adapter with connections that a Deadline can cut."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _Pool,
            "https": _SecurePool,
        }
