"""The product on one machine: broker, tables and files, then web, workers and beat."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from crmsync.platform import broker, programs
from crmsync.platform.console import step
from crmsync.platform.fingerprint import fingerprint
from crmsync.platform.sockets import socket_path
from crmsync.platform.supervisor import Program, Supervisor
from crmsync.platform.venv import ROOT


def start_product(
    supervisor: Supervisor, *, data: Path, port: int, demo: bool = False
) -> None:
    """Start everything in order and return when the web process says it is ready.

    demo: also make the demo's workspace. Raises CannotStart with the reason.
    """
    _allow_many_sockets()
    chosen = broker.choose(supervisor.env, socket_path=socket_path(data))
    supervisor.env.update(chosen.env)
    if chosen.program is not None:
        supervisor.start(chosen.program)
        supervisor.wait_until_ready(chosen.program.name)
    if demo:
        _prepare_demo_once(supervisor, data)
    else:
        with step("Preparing the database and the pages' files"):
            supervisor.run_once(_prepare())
    with step(f"Starting web, workers and beat (broker: {chosen.words})"):
        for program in _lasting(port):
            supervisor.start(program)
        supervisor.wait_until_ready("web")


def _prepare_demo_once(supervisor: Supervisor, data: Path) -> None:
    """Prepare unless this code already did so: it takes half of a second start.

    At another address the simulated CRMs have to be told of it.
    """
    stamp = data / "run" / "prepared"
    code = fingerprint([ROOT / name for name in ("crmsync", "leads", "integrations")])
    wanted = f"{code} {supervisor.env.get('PUBLIC_URL', '')}"
    there = (data / "crmsync.sqlite3").exists() and stamp.exists()
    if there and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    with step("Preparing the database, the pages' files and the demo data"):
        supervisor.run_once(_prepare("--demo"))
    stamp.write_text(wanted)


def _prepare(*flags: str) -> Program:
    return Program(
        "prepare", [sys.executable, "-m", "crmsync.platform.prepare", *flags]
    )


def _lasting(port: int) -> list[Program]:
    return [
        programs.web(port),
        *(programs.worker(queue) for queue in programs.POOLS),
        programs.beat(),
    ]


def _allow_many_sockets() -> None:
    """Raise the soft limit of open files, often 1,024, towards the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
