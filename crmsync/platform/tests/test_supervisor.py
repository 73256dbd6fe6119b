"""Processes are restarted when they die, and none outlives its supervisor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crmsync.platform.console import CannotStart
from crmsync.platform.supervisor import Program, Supervisor, restart_pause_s
from crmsync.platform.venv import ROOT

# Starts a child of its own, as a prefork worker does, and notes both numbers.
FAMILY = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
notes = pathlib.Path(sys.argv[1])
line = f"{os.getpid()} {child.pid}\\n"
with notes.open("a") as handle:
    handle.write(line)
time.sleep(600)
"""
STUBBORN = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()}\\n")
time.sleep(600)
"""
SUPERVISING = """
import sys
from pathlib import Path
from crmsync.platform.supervisor import Program, Supervisor
folder, code = Path(sys.argv[1]), sys.argv[2]
with Supervisor(log_dir=folder, cwd=folder) as supervisor:
    supervisor.start(
        Program("family", [sys.executable, "-c", code, str(folder / "pids")])
    )
    supervisor.run()
"""


def eventually(holds: Callable[[], object], *, within_s: float = 20.0) -> bool:
    """Poll until something holds; False when it never does."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return bool(holds())


def is_alive(pid: int) -> bool:
    """Say whether a process exists and is not a zombie nobody collected."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def noted_pids(folder: Path) -> list[int]:
    notes = folder / "pids"
    return [int(word) for word in notes.read_text().split()] if notes.exists() else []


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Run a supervisor of one program in a process of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def start(code: str) -> subprocess.Popen[bytes]:
        popen = subprocess.Popen(
            [sys.executable, "-c", SUPERVISING, str(tmp_path), textwrap.dedent(code)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
        )
        started.append(popen)
        assert eventually(lambda: noted_pids(tmp_path))
        return popen

    yield start

    for popen in started:
        popen.kill()
        popen.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_its_supervisor(tmp_path, supervise, number) -> None:
    popen = supervise(FAMILY)

    popen.send_signal(number)
    popen.wait(timeout=20)

    pids = noted_pids(tmp_path)
    assert len(pids) == 2
    assert eventually(lambda: not any(map(is_alive, pids)))


def test_a_process_that_ignores_sigterm_is_killed_with_its_supervisor(
    tmp_path, supervise
) -> None:
    popen = supervise(STUBBORN)

    popen.send_signal(signal.SIGKILL)

    assert eventually(lambda: not any(map(is_alive, noted_pids(tmp_path))))


def test_a_process_that_dies_is_started_again(tmp_path, supervise) -> None:
    supervise(FAMILY)
    first, its_child = noted_pids(tmp_path)

    os.kill(first, signal.SIGKILL)

    assert eventually(lambda: len(noted_pids(tmp_path)) == 4)
    assert not is_alive(its_child)
    assert is_alive(noted_pids(tmp_path)[2])


def test_pauses_between_restarts_double_up_to_half_a_minute() -> None:
    pauses = [restart_pause_s(deaths) for deaths in range(1, 10)]

    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    # Not entered: the test process keeps its own signal handlers.
    supervisor = Supervisor(log_dir=tmp_path, cwd=tmp_path)
    yield supervisor
    supervisor.stop()


def test_a_failed_start_names_the_process_its_last_words_and_the_file(
    supervisor, tmp_path
) -> None:
    dies = [sys.executable, "-c", "print('no such table: leads'); raise SystemExit(3)"]
    supervisor.start(Program("web", dies, is_ready=lambda: False))

    with pytest.raises(CannotStart) as problem:
        supervisor.wait_until_ready("web")

    assert "web ended with code 3" in str(problem.value)
    assert "no such table: leads" in str(problem.value)
    assert str(tmp_path / "web.log") in str(problem.value)


def test_a_start_that_takes_too_long_is_said(supervisor) -> None:
    sleeps = [sys.executable, "-c", "import time; time.sleep(600)"]
    supervisor.start(Program("web", sleeps, is_ready=lambda: False))

    with pytest.raises(CannotStart, match="was not ready after 0 s"):
        supervisor.wait_until_ready("web", timeout_s=0.1)


def test_a_step_that_fails_stops_the_start(supervisor) -> None:
    fails = [sys.executable, "-c", "raise SystemExit(1)"]

    with pytest.raises(CannotStart, match="prepare ended with code 1"):
        supervisor.run_once(Program("prepare", fails))


def test_programs_get_the_shared_environment_under_their_own(
    supervisor, tmp_path
) -> None:
    supervisor.env.update({"SHARED": "ours", "BOTH": "ours"})
    shows = [sys.executable, "-c", "import json, os; print(json.dumps({**os.environ}))"]

    supervisor.run_once(Program("shows", shows, env={"BOTH": "its own"}))

    seen = json.loads((tmp_path / "shows.log").read_text())
    assert (seen["SHARED"], seen["BOTH"]) == ("ours", "its own")
