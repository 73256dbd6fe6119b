"""What a person in front of a terminal gets to read while they wait."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

_INTERACTIVE = sys.stdout.isatty()


class CannotStart(Exception):
    """Something a person has to put right; the message says what and how."""


def say(text: str = "") -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


def give_up(problem: CannotStart) -> NoReturn:
    """End with the problem in plain words instead of a traceback."""
    print(f"\n{problem}\n", file=sys.stderr, flush=True)
    raise SystemExit(1)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Show what is being done, and how long it took if that was noticeable."""
    began = time.monotonic()
    say(f"  - {what} ...")
    yield
    took_s = time.monotonic() - began
    if took_s >= 2:
        say(f"    done in {took_s:.0f} s")


class Counter:
    """A line that counts: rewritten in a terminal, now and then in a pipe."""

    def __init__(self, total: int, *, every: int = 20) -> None:
        self.total = total
        self.every = every
        self.done = 0

    def advance(self, what: str) -> None:
        """Count one more."""
        self.done = min(self.done + 1, self.total)
        if _INTERACTIVE or self.done % self.every == 0:
            self.note(f"[{self.done:>3}/{self.total}] {what}")

    def note(self, what: str) -> None:
        """Show something in the place of the count."""
        if _INTERACTIVE:
            print(f"\r\033[K    {what}", end="", flush=True)
        else:
            say(f"    {what}")

    def finish(self) -> None:
        """Leave the counting line."""
        if _INTERACTIVE:
            print("\r\033[K", end="", flush=True)
