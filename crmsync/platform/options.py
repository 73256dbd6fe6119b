"""The options of `bin/demo`, read before anything is installed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crmsync.platform.venv import ROOT

DEFAULT_PORT = 8000


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """Where the demo listens and keeps its data, and whether it starts empty."""

    port: int
    data: Path
    fresh: bool


def read_demo_options(arguments: Sequence[str]) -> DemoOptions:
    """Parse the command line; argparse explains and exits when it makes no sense."""
    parser = argparse.ArgumentParser(
        prog="bin/demo",
        description="Run crmsync with invented data and two simulated CRMs, on this "
        "machine alone. Ctrl-C stops everything; the data stays.",
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, metavar="N", help="default: 8000"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT / "data",
        metavar="DIR",
        help="where everything is kept (default: data, beside bin)",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="empty the data folder first"
    )
    found = parser.parse_args(arguments)
    return DemoOptions(found.port, found.data.expanduser().resolve(), found.fresh)
