"""Each process writes to a file of its own; large ones move aside before a start."""

from __future__ import annotations

import json
from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024
KEEP = 3
_LONGEST = 1_000
_TRACE_LINES = 6


def rotate(path: Path, *, max_bytes: int = MAX_BYTES, keep: int = KEEP) -> None:
    """Move a file that grew too large to `.1`, older ones up, the oldest away."""
    if not path.exists() or path.stat().st_size < max_bytes:
        return
    for number in range(keep, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        newer = path.with_name(f"{path.name}.{number - 1}") if number > 1 else path
        if newer.exists():
            newer.replace(older)


def last_lines(path: Path, *, count: int = 15) -> str:
    """Return the end of a file for a person to read, or say that it is empty."""
    if not path.exists():
        return "(it wrote nothing)"
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - 65_536))
        text = handle.read().decode("utf-8", errors="replace")
    lines = [_readable(line) for line in text.splitlines()[-count:]]
    return "\n".join(lines) or "(it wrote nothing)"


def _readable(line: str) -> str:
    """Return what a structured line says; one that is no JSON stays, cut if endless."""
    try:
        found = json.loads(line)
        said, raised = str(found["event"]), str(found.get("exception", ""))
    except (ValueError, KeyError, TypeError):
        return line[:_LONGEST]
    return "\n".join([said.strip(), *raised.splitlines()[-_TRACE_LINES:]])
