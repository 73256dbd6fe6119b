"""An append-only JSON-lines file: what lets a simulator survive being killed.

One line per request, written with one system call before the answer leaves, so a
killed process loses nothing it confirmed. It is not synced to disk: a power cut is
not what this guards against.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """Lines of JSON in `path`; remembers nothing when `path` is None."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._file = -1
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
            self._file = os.open(path, flags, 0o600)

    def replay(self) -> Iterator[Any]:
        """Yield every whole line; cut a line that was torn by a crash."""
        if self.path is None:
            return
        good = 0
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                good += len(line)
                yield json.loads(line)
        os.ftruncate(self._file, good)

    def append(self, entry: Any) -> None:
        """Write one line."""
        if self._file >= 0:
            line = json.dumps(entry, separators=(",", ":"))
            _write_all(self._file, line.encode() + b"\n")

    def clear(self) -> None:
        """Forget everything."""
        if self._file >= 0:
            os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Close the file; later appends are ignored."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
