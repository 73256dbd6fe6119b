"""Keeps a set of processes running, restarts what dies, and leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from crmsync.platform.console import CannotStart, say
from crmsync.platform.guardian import Guardian, die_with_parent, end_groups
from crmsync.platform.logfiles import last_lines, rotate

# A process that ran this long has started; its next death counts as the first.
SETTLED_S = 60.0
LONGEST_PAUSE_S = 30.0
_POLL_S = 0.1


def restart_pause_s(deaths: int) -> float:
    """Return how long to wait before the start after this many deaths in a row.

    >>> [restart_pause_s(deaths) for deaths in (1, 2, 3, 9)]
    [0.5, 1.0, 2.0, 30.0]
    """
    return float(min(0.5 * 2 ** (deaths - 1), LONGEST_PAUSE_S))


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: a name people know it by, its command, and when it is ready."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] = lambda: True


@dataclass(slots=True)
class _Child:
    program: Program
    log: Path
    popen: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    # When to start it again, on the monotonic clock; None while it runs.
    again_at: float | None = None


class Supervisor:
    """Starts programs, watches them, and ends them all; lives in the main thread.

    Every program gets a process group, a log file, and the request to die with us.
    """

    def __init__(
        self, *, log_dir: Path, cwd: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self._log_dir = log_dir
        self._cwd = cwd
        # What every program gets; its own `env` comes on top.
        self.env = dict(os.environ if env is None else env)
        self._children: dict[str, _Child] = {}
        self._stop_asked = False
        self._guardian = Guardian()

    def __enter__(self) -> Supervisor:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self, program: Program) -> None:
        """Start a program and go on without waiting for it."""
        child = _Child(program, self._log_dir / f"{program.name}.log")
        self._children[program.name] = child
        self._spawn(child)

    def names(self) -> list[str]:
        """Return the programs that were started."""
        return list(self._children)

    def wait_until_ready(self, name: str, *, timeout_s: float = 60.0) -> None:
        """Return when the program is ready.

        Raises CannotStart with the end of its log when it dies first or takes too long.
        """
        child = self._children[name]
        deadline = time.monotonic() + timeout_s
        while not child.program.is_ready():
            self._leave_if_asked()
            if child.popen is not None and child.popen.poll() is not None:
                raise self._failure(child, f"ended with code {child.popen.returncode}")
            if time.monotonic() > deadline:
                raise self._failure(child, f"was not ready after {timeout_s:.0f} s")
            time.sleep(_POLL_S)

    def run_once(self, program: Program, *, timeout_s: float = 600.0) -> None:
        """Run a program to its end. Raises CannotStart when it fails."""
        self.start(program)
        child = self._children[program.name]
        deadline = time.monotonic() + timeout_s
        while child.popen is not None and child.popen.poll() is None:
            self._leave_if_asked()
            if time.monotonic() > deadline:
                raise self._failure(child, f"was not done after {timeout_s:.0f} s")
            time.sleep(_POLL_S)
        del self._children[program.name]
        self._forget(child)
        if child.popen is not None and child.popen.returncode != 0:
            raise self._failure(child, f"ended with code {child.popen.returncode}")

    def run(self) -> None:
        """Keep everything running until SIGINT, SIGTERM or SIGHUP arrives."""
        while not self._stop_asked:
            for child in self._children.values():
                self._look_after(child)
            time.sleep(_POLL_S)

    def stop(self, *, grace_s: float = 10.0) -> None:
        """End everything and leave nothing; work under way gets `grace_s` to finish."""
        running = [c.popen for c in self._children.values() if c.popen is not None]
        end_groups(
            [popen.pid for popen in running],
            grace_s=grace_s,
            reap=lambda: [popen.poll() for popen in running],
        )
        for popen in running:
            popen.wait()
        self._children.clear()
        self._guardian.dismiss()

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.again_at is not None:
            if now >= child.again_at:
                self._spawn(child)
        elif child.popen is not None and child.popen.poll() is not None:
            self._note_death(child, now)

    def _note_death(self, child: _Child, now: float) -> None:
        assert child.popen is not None
        settled = now - child.started_at >= SETTLED_S
        child.deaths = 1 if settled else child.deaths + 1
        pause_s = restart_pause_s(child.deaths)
        child.again_at = now + pause_s
        say(
            f"  {child.program.name} ended ({_how(child.popen.returncode)}); "
            f"starting it again in {pause_s:g} s. See {child.log}"
        )
        # Workers of a killed parent may have outlived it.
        end_groups([child.popen.pid], grace_s=2.0)
        self._forget(child)

    def _spawn(self, child: _Child) -> None:
        rotate(child.log)
        with child.log.open("ab") as output:
            child.popen = subprocess.Popen(
                list(child.program.command),
                cwd=self._cwd,
                env={**self.env, **child.program.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        self._guardian.watch(child.popen.pid)
        child.started_at = time.monotonic()
        child.again_at = None

    def _forget(self, child: _Child) -> None:
        if child.popen is not None:
            self._guardian.forget(child.popen.pid)

    def _failure(self, child: _Child, how: str) -> CannotStart:
        return CannotStart(
            f"{child.program.name} {how}. The end of {child.log}:\n\n"
            f"{last_lines(child.log)}"
        )

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_asked = True

    def _leave_if_asked(self) -> None:
        if self._stop_asked:
            raise SystemExit(130)


def _how(code: int) -> str:
    """Say how a process ended: its exit code, or the signal that ended it."""
    if code >= 0:
        return f"code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
