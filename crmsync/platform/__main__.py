"""The commands in `bin/`, first part: check, install, then go on inside `.venv`.

python -m crmsync.platform demo [options]
python -m crmsync.platform test [pytest arguments]
python -m crmsync.platform venv [--dev]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from crmsync.platform import ports, venv
from crmsync.platform.console import CannotStart, give_up
from crmsync.platform.datadir import require_ours
from crmsync.platform.options import read_demo_options


def demo(arguments: Sequence[str]) -> None:
    """Check what can go wrong at once, install, then run the demo."""
    options = read_demo_options(arguments)
    ports.require_free(options.port, what="the demo", option="bin/demo --port")
    if options.fresh:
        require_ours(options.data)
    venv.ensure()
    _go_on("crmsync.platform.demo", arguments)


def test(arguments: Sequence[str]) -> None:
    """Install with what developers need, then run the tests."""
    venv.ensure(dev=True)
    _go_on("crmsync.platform.testrun", arguments)


def install(arguments: Sequence[str]) -> None:
    """Only make the environment."""
    venv.ensure(dev="--dev" in arguments)


def _go_on(module: str, arguments: Sequence[str]) -> None:
    """Become the environment's Python: one process to stop, not two."""
    python = str(venv.python())
    os.execv(python, [python, "-m", module, *arguments])  # noqa: S606


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "demo": demo,
    "test": test,
    "venv": install,
}


def main() -> None:
    """Run the command named first."""
    try:
        COMMANDS[sys.argv[1]](sys.argv[2:])
    except CannotStart as problem:
        give_up(problem)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
