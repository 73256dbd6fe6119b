"""The data folder: known by its marker, held by one demo, emptied on demand."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import IO

from crmsync.platform.console import CannotStart

MARKER = ".crmsync-data"
_MARKER_TEXT = (
    "This folder belongs to crmsync: its database, logs, keys and broker.\n"
    "`bin/demo --fresh` may empty it. Remove this file to forbid that.\n"
)
# Left where they are by `empty`: the marker names the owner, the lock is being held.
_KEPT = {MARKER, "lock"}


def open_data_dir(path: Path) -> Path:
    """Create the folder with its marker and sub-folders, for its owner alone."""
    if path.exists() and not path.is_dir():
        raise CannotStart(f"{path} is a file. Give --data the name of a folder.")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (path / MARKER).exists() and not _holds_other_things(path):
            (path / MARKER).write_text(_MARKER_TEXT)
        for name in ("logs", "run"):
            (path / name).mkdir(exist_ok=True)
    except OSError as error:
        raise CannotStart(f"Cannot write to {path}: {error.strerror}.") from error
    return path


def _holds_other_things(path: Path) -> bool:
    # The key files may have been made by a plain `manage.py` before any demo.
    ours = {"secret_key", "encryption_keys", "crmsync.sqlite3", "logs", "run", "lock"}
    return any(entry.name not in ours for entry in path.iterdir())


def require_ours(path: Path) -> None:
    """Raise `CannotStart` unless the folder is missing, empty or marked as ours."""
    if not path.exists() or (path / MARKER).exists() or not any(path.iterdir()):
        return
    raise CannotStart(
        f"--fresh empties the data folder, but {path} does not look like one of\n"
        f"crmsync (it has no {MARKER} file), so nothing was touched.\n"
        "Name another folder with --data, or empty this one yourself."
    )


def empty(path: Path) -> None:
    """Remove everything in a folder of ours except its marker; refuse any other."""
    require_ours(path)
    for entry in path.iterdir() if path.exists() else ():
        if entry.name in _KEPT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def hold(path: Path, *, patience_s: float = 15.0) -> IO[str]:
    """Take the folder for this process until it ends; two demos cannot share one.

    Waits for a demo that is just stopping. Raises `CannotStart` when it does not.
    """
    handle = (path / "lock").open("a+")
    deadline = time.monotonic() + patience_s
    while not _try_lock(handle):
        if not _is_stopping(path) or time.monotonic() > deadline:
            handle.close()
            holder = (path / "lock").read_text().strip() or "another process"
            raise CannotStart(
                f"The data folder {path} is in use by {holder}.\n"
                "Stop that one first (Ctrl-C in its terminal), or give this one its "
                "own folder:\n\n    bin/demo --data data2 --port 8100"
            )
        time.sleep(0.2)
    handle.truncate(0)
    handle.write(f"process {os.getpid()}")
    handle.flush()
    return handle


def _try_lock(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_stopping(path: Path) -> bool:
    """Say whether the demo that took the lock is gone, its clean-up still going."""
    words = (path / "lock").read_text().split()
    if not words or not words[-1].isdigit():
        return True
    try:
        os.kill(int(words[-1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
