"""A second pair of eyes: ends every process of a supervisor that was itself killed.

A supervisor that gets SIGKILL can clean nothing up. So it forks a guardian first, which
holds one end of a pipe and a list of process groups; when the pipe closes, for whatever
reason, the guardian ends what is left of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from typing import NoReturn

_GRACE_S = 5.0


class Guardian:
    """The supervisor's side: says which process groups exist."""

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._writer)
            _watch(reader)
        os.close(reader)

    def watch(self, group: int) -> None:
        """Answer for this process group from now on."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """Answer for it no longer: it ended, and its number may be given anew."""
        self._tell(f"-{group}\n")

    def dismiss(self) -> None:
        """Let the guardian end what is left and go."""
        os.close(self._writer)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def _tell(self, line: str) -> None:
        # A guardian that was killed is a loss, not a reason to stop the product.
        with contextlib.suppress(BrokenPipeError):
            os.write(self._writer, line.encode())


def _watch(reader: int) -> NoReturn:
    """Live as long as the supervisor does; runs in the forked child alone."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # A reader of our output (`bin/demo | head`) must not wait for the guardian.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    groups: set[int] = set()
    with os.fdopen(reader) as lines:
        for line in lines:
            group = int(line[1:])
            groups.add(group) if line[0] == "+" else groups.discard(group)
    end_groups(groups, grace_s=_GRACE_S)
    os._exit(0)


def end_groups(
    groups: Iterable[int],
    *,
    grace_s: float,
    reap: Callable[[], object] = lambda: None,
) -> None:
    """Ask every process of these groups to end, and kill what has not after `grace_s`.

    groups: process group numbers; ones that are gone already are fine.
    reap: called while waiting, so that a parent collects its children.
    """
    left = _signal_groups(groups, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        reap()
        left = _signal_groups(left, 0)
    _signal_groups(left, signal.SIGKILL)


def _signal_groups(groups: Iterable[int], number: int) -> set[int]:
    """Send a signal (0: only look) and return the groups that were still there."""
    there = set()
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            there.add(group)
    return there


def die_with_parent() -> None:
    """Ask Linux to end this process when the thread that started it does."""
    if sys.platform != "linux":
        return
    _prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _load_prctl() -> Callable[..., int]:
    import ctypes

    if sys.platform != "linux":
        return lambda *_: 0
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda option, value: int(prctl(option, value, 0, 0, 0))


# Loaded here: between fork and exec nothing may be imported.
_prctl = _load_prctl()
