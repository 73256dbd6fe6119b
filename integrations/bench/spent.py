"""What a piece of work cost, measured inside the process that did it."""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from crmsync.platform.guardian import die_with_parent
from integrations.bench.rig import LiveSystem

TIMEOUT_S = 4 * 3600
# What a process says that works beside another, once it can begin.
READY = "ready\n"


@dataclass(slots=True)
class Spent:
    """seconds: by the clock; cpu_s: of this process; peak_mib: its memory at most."""

    records: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    peak_mib: float = 0.0
    # What the work found out besides, by name.
    told: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Return records a second."""
        return self.records / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Return milliseconds of CPU for each record."""
        return 1000 * self.cpu_s / self.records


@contextlib.contextmanager
def measured() -> Iterator[Spent]:
    """Measure what is done inside, and print it for `in_process`."""
    spent = Spent()
    cpu_s, started = time.process_time(), time.perf_counter()
    yield spent
    spent.seconds = time.perf_counter() - started
    spent.cpu_s = time.process_time() - cpu_s
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent.peak_mib = peak_kib / 1024
    sys.stdout.write(json.dumps(asdict(spent)) + "\n")


def in_process(live: LiveSystem, module: str, *args: object) -> Spent:
    """Run a module of this package with the system's settings; return what it cost."""
    name = f"integrations.bench.{module}"
    done = subprocess.run(
        [sys.executable, "-m", name, *map(str, args)],
        env=live.env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name} {args} failed:\n{done.stderr[-4000:]}")
    return Spent(**json.loads(done.stdout.splitlines()[-1]))


@contextlib.contextmanager
def beside(live: LiveSystem, module: str, *args: object) -> Iterator[Spent]:
    """Run a module beside what is measured; what it cost is told once that is over."""
    spent = Spent()
    process = subprocess.Popen(
        [sys.executable, "-m", f"integrations.bench.{module}", *map(str, args)],
        env=live.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=die_with_parent,
    )
    assert process.stdout is not None
    with process:
        if process.stdout.readline() != READY:
            raise RuntimeError(f"{module} {args} did not begin")
        yield spent
        told, _ = process.communicate(timeout=TIMEOUT_S)
    for name, value in json.loads(told.splitlines()[-1]).items():
        setattr(spent, name, value)
