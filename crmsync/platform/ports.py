"""Which TCP ports are free on this machine."""

from __future__ import annotations

import socket
from contextlib import closing

from crmsync.platform.console import CannotStart

LOOPBACK = "127.0.0.1"


def is_free(port: int, *, host: str = LOOPBACK) -> bool:
    """Say whether a server could listen there now."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        # As servers do it, so a connection that is just closing is not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def require_free(port: int, *, what: str, option: str) -> None:
    """Raise `CannotStart`, naming the port and the way out, when it is taken."""
    if not 1 <= port <= 65535:
        raise CannotStart(f"{port} is not a port. Choose one from 1024 to 65535.")
    if is_free(port):
        return
    another = next_free(port + 1)
    raise CannotStart(
        f"Port {port} is taken, so {what} cannot listen there.\n"
        f"Stop what uses it (`ss -ltnp 'sport = :{port}'` shows it), or choose "
        f"another one:\n\n    {option} {another}"
    )


def next_free(port: int, *, tries: int = 200) -> int:
    """Return the first free port from `port` on."""
    for candidate in range(port, min(port + tries, 65536)):
        if is_free(candidate):
            return candidate
    return any_free()


def any_free() -> int:
    """Return a free port chosen by the system."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
