"""The product as real processes, with a database, a broker and ports of its own.

    with LiveSystem(tmp_path) as live:
        live.start("broker", "web", *WORKERS, "beat")
        answer = live.post("lgm", {"leadId": "1", "messageId": "2", "received": True})
        live.kill("worker-ingest")
        live.wait_until(lambda: live.count("leads_lead") == 1)

The database is SQLite, or a new one on the server of DATABASE_URL. Nothing here touches
what the test process itself is connected to. See `live_seed` for what is in it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from crmsync.platform import broker, programs
from crmsync.platform.guardian import die_with_parent, end_groups
from crmsync.platform.ports import LOOPBACK, any_free
from crmsync.platform.sockets import socket_path
from crmsync.platform.supervisor import Program
from integrations.tests import live_database
from integrations.tests.live_seed import GENERIC_SECRET, TOKENS
from integrations.webhooks.signatures import sign_standard

WORKERS = ("worker-ingest", "worker-urgent", "worker-sync")
EVERYTHING = ("broker", "simulator", "web", *WORKERS, "beat")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the web process answered; json is None when it was not JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any = field(default=None)


class LiveSystem:
    """Starts, kills, freezes and ends the product's processes; ends all when left.

    folder: where the data and logs go; env: settings on top of the defaults.
    """

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.simulator_port = any_free(), any_free()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.simulator_url = f"http://{LOOPBACK}:{self.simulator_port}"
        self._broker_port = any_free()
        self.database = live_database.fresh(folder)
        self.env = {
            **live_database.clean_environment(),
            **self._defaults(),
            **self.database.env,
            **(env or {}),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def _defaults(self) -> dict[str, str]:
        redis = f"redis://{LOOPBACK}:{self._broker_port}/0"
        return {
            "CRMSYNC_DATA": str(self.folder),
            "PUBLIC_URL": self.url,
            "HUBSPOT_API_URL": self.simulator_url,
            "HUBSPOT_AUTH_URL": self.simulator_url,
            "HUBSPOT_CLIENT_ID": "live-client",
            "HUBSPOT_CLIENT_SECRET": "live-secret",
            # The embedded default has its socket in the data folder instead.
            **({"REDIS_URL": redis} if self.database.env else {}),
        }

    def __enter__(self) -> LiveSystem:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    # --- processes -------------------------------------------------------------------

    def start(self, *names: str, timeout_s: float = 60) -> None:
        """Start processes by name (see EVERYTHING) and wait until each is ready."""
        for name in names:
            program = self._program(name)
            log = self.log_of(name)
            with log.open("ab") as output:
                self._processes[name] = subprocess.Popen(
                    list(program.command),
                    cwd=live_database.ROOT,
                    env={**self.env, **program.env},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=die_with_parent,
                )
            self._wait_until_ready(name, program, timeout_s)

    def _program(self, name: str) -> Program:
        if name == "broker":
            return self._broker()
        if name == "web":
            web = programs.web(self.port)
            return Program(name, web.command, is_ready=self._web_answers)
        if name == "beat":
            return programs.beat()
        if name == "simulator":
            return programs.simulator(
                "hubspot", port=self.simulator_port, data=self.folder / "simulator"
            )
        worker = programs.worker(name.removeprefix("worker-"))
        return Program(name, worker.command, is_ready=self._says(name, " ready."))

    def _broker(self) -> Program:
        binary = broker.find_server(self.env.get("PATH", ""))
        assert binary is not None, "no valkey-server or redis-server runs here"
        if not self.database.env:
            path = socket_path(self.folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            command = broker.server_command(binary, path)
            return Program("broker", command, is_ready=lambda: broker.answers(path))
        flags = ("--save", "", "--appendonly", "no", "--dir", str(self.folder))
        command = [binary, "--port", str(self._broker_port), *flags]
        return Program(
            "broker", command, is_ready=lambda: programs.accepts(self._broker_port)
        )

    def _web_answers(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.request("GET", "/webhooks/ready").status == 404
        return False

    def _says(self, name: str, words: str) -> Callable[[], bool]:
        """Return a check of what a process has written since now."""
        log = self.log_of(name)
        before = log.stat().st_size if log.exists() else 0
        return lambda: words.encode() in log.read_bytes()[before:]

    def _wait_until_ready(self, name: str, program: Program, timeout_s: float) -> None:
        process, deadline = self._processes[name], time.monotonic() + timeout_s
        while not program.is_ready():
            died = process.poll() is not None
            if died or time.monotonic() > deadline:
                log = self.log_of(name).read_text(errors="replace")[-4000:]
                raise AssertionError(f"{name} did not start; its log ends with:\n{log}")
            time.sleep(0.05)

    def log_of(self, name: str) -> Path:
        """Return the file a process writes to."""
        return self.folder / f"{name}.log"

    def pid_of(self, name: str) -> int:
        """Return the process id, which is that of its group too."""
        return self._processes[name].pid

    def is_running(self, name: str) -> bool:
        """Tell whether a process was started and has not ended."""
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def kill(self, name: str) -> None:
        """End a process and its children by SIGKILL, and collect it."""
        process = self._processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, name: str, *, timeout_s: float = 30) -> int:
        """Ask a process to end; return its exit code."""
        process = self._processes.pop(name)
        process.terminate()
        try:
            return process.wait(timeout_s)
        finally:
            end_groups([process.pid], grace_s=0)

    def freeze(self, name: str) -> None:
        """Stop a process and its children where they stand (SIGSTOP)."""
        os.killpg(self.pid_of(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen process go on."""
        os.killpg(self.pid_of(name), signal.SIGCONT)

    def end(self) -> None:
        """End everything that was started and drop the database."""
        for name in list(self._processes):
            with contextlib.suppress(ProcessLookupError):
                self.thaw(name)
        running = list(self._processes.values())
        end_groups(
            [process.pid for process in running],
            grace_s=10,
            reap=lambda: [process.poll() for process in running],
        )
        for process in running:
            process.wait()
        self._processes.clear()
        self.database.drop()

    def flush_broker(self) -> None:
        """Throw away every message and every cached value."""
        import redis

        url = self.env.get("REDIS_URL") or f"unix://{socket_path(self.folder)}"
        with contextlib.closing(redis.Redis.from_url(url)) as client:
            client.flushall()

    def manage(self, *args: str, timeout_s: float = 120) -> str:
        """Run `manage.py` with the system's settings; return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=live_database.ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # --- looking in ------------------------------------------------------------------

    def sql(self, query: str, *params: object) -> list[tuple[Any, ...]]:
        """Run a statement with %s for parameters on the database; return its rows."""
        return self.database.sql(query, params)

    def count(self, table: str, where: str = "1 = 1", *params: object) -> int:
        """Return how many rows of a table fit."""
        rows = self.sql(f"SELECT count(*) FROM {table} WHERE {where}", *params)
        return int(rows[0][0])

    def wait_until(
        self, holds: Callable[[], object], *, timeout_s: float = 60, what: str = ""
    ) -> None:
        """Return when it holds; fail with the logs' ends when it never does."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what or 'it'} never came true\n{self._tails()}")
            time.sleep(0.05)

    def _tails(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs
        )

    # --- asking ----------------------------------------------------------------------

    def post(
        self, source: str, payload: object, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Post a webhook as the source would, signed if it signs.

        payload: bytes as they are, anything else as JSON.
        """
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        signed = _signature(source, body) | dict(headers or {})
        return self.request("POST", webhook_path(source), body=body, headers=signed)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30,
    ) -> Answer:
        """Make one request on a connection of its own; an iterator is sent chunked."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=timeout_s)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=dict(headers or {}))
            got = connection.getresponse()
            content = got.read()
        parsed = None
        with contextlib.suppress(ValueError):
            parsed = json.loads(content)
        names = {name.lower(): value for name, value in got.getheaders()}
        return Answer(got.status, names, content, parsed)


def webhook_path(source: str) -> str:
    """Return the path of the seeded endpoint of a source."""
    return f"/webhooks/{TOKENS[source]}/"


def _signature(source: str, body: bytes) -> dict[str, str]:
    if source != "generic":
        return {"content-type": "application/json"}
    signed = sign_standard(
        body.decode(),
        secret=GENERIC_SECRET,
        message_id=f"msg_{secrets.token_hex(8)}",
        at=datetime.now(UTC),
    )
    return {**signed, "content-type": "application/json"}


def lgm_reply(number: int, *, person: int | None = None) -> dict[str, object]:
    """Return an invented reply: message `number` of person `person` (default: same)."""
    who = number if person is None else person
    return {
        "messageChannel": "EMAIL",
        "messageBody": f"<p>Reply number {number}</p>",
        "messageSubject": "Re: Quick question",
        "messageId": f"{number:024x}",
        "conversationId": f"{who:024x}",
        "leadId": f"{who:024x}",
        "createdAt": 1779032656979 + number,
        "sent": False,
        "received": True,
        "attachments": [],
        "campaign": {"name": "Autumn outreach"},
        "lead": {
            "id": f"{who:024x}",
            "firstName": "Ada",
            "lastName": f"Example {who}",
            "proEmail": f"ada.{who}@example.com",
            "companyName": "Example Works",
        },
    }


__all__: Sequence[str] = ("EVERYTHING", "WORKERS", "Answer", "LiveSystem", "lgm_reply")
