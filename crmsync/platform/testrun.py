"""`bin/test`, second part: a data folder and a broker for this run, then pytest."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from crmsync.platform import broker
from crmsync.platform.console import CannotStart, give_up, say
from crmsync.platform.services import EXPECTED, wanted_services
from crmsync.platform.sockets import socket_path
from crmsync.platform.supervisor import Supervisor
from crmsync.platform.venv import ROOT

# With one of these somebody looks at a single test and wants it in one process.
_ONE_PROCESS = ("-n", "--numprocesses", "--pdb", "--trace", "-s", "-h", "--co")


def run(arguments: Sequence[str]) -> int:
    """Run pytest on the services the environment asks for and return its exit code."""
    with (
        tempfile.TemporaryDirectory(prefix="crmsync-test-") as folder,
        _services(Path(folder)) as env,
    ):
        say(f"Running on {_describe(env)}")
        command = [sys.executable, "-m", "pytest", *_parallel(arguments), *arguments]
        # Same process group and terminal: Ctrl-C reaches pytest, which then reports.
        return subprocess.run(command, cwd=ROOT, env=env).returncode


@contextmanager
def _services(data: Path) -> Iterator[dict[str, str]]:
    """Run what the tests need and yield their environment."""
    wanted = wanted_services(os.environ)
    env = {**os.environ, "CRMSYNC_DATA": str(data), EXPECTED: wanted}
    (data / "run").mkdir()
    with Supervisor(log_dir=data, cwd=ROOT, env=env) as supervisor:
        chosen = broker.choose(env, socket_path=socket_path(data))
        env.update(chosen.env)
        if chosen.program is not None:
            supervisor.start(chosen.program)
            supervisor.wait_until_ready(chosen.program.name)
        yield env


def _parallel(arguments: Sequence[str]) -> list[str]:
    named = [word for word in arguments if (ROOT / word.partition("::")[0]).is_file()]
    if named or any(word.startswith(_ONE_PROCESS) for word in arguments):
        return []
    count = str(min(os.cpu_count() or 1, 4))
    # In the order of `pytest_services`, not by how many tests a file has.
    return ["-n", count, "--dist", "loadfile", "--no-loadscope-reorder"]


def _describe(env: Mapping[str, str]) -> str:
    """Name the services without their passwords."""
    return ", ".join(
        f"{kind} {_address(env[name])}" if env.get(name) else embedded
        for kind, name, embedded in (
            ("PostgreSQL", "DATABASE_URL", "SQLite (embedded)"),
            ("Redis", "REDIS_URL", "the embedded broker"),
        )
    )


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or ''}{parts.path}"


def main() -> None:
    """Run the tests; problems before them are said in plain words."""
    try:
        sys.exit(run(sys.argv[1:]))
    except CannotStart as problem:
        give_up(problem)


if __name__ == "__main__":
    main()
