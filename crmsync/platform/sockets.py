"""Where the embedded broker's unix socket lies; settings and the broker agree on it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

# The limit is 108 bytes on Linux and 104 on macOS, with the closing NUL.
_LONGEST = 100


def socket_path(data: Path) -> Path:
    """Return a path in the data folder, or a short one when that lies too deep."""
    path = data / "run" / "broker.sock"
    if len(os.fsencode(path)) <= _LONGEST:
        return path
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"crmsync-{name}.sock"
