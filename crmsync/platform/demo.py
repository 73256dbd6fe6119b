"""`bin/demo`, second part: start everything, say where it is, keep it running."""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path

from crmsync.platform import ports, programs
from crmsync.platform.console import CannotStart, give_up, say
from crmsync.platform.datadir import empty, hold, open_data_dir
from crmsync.platform.options import (
    DEFAULT_PORT,
    DemoOptions,
    read_demo_options,
)
from crmsync.platform.product import start_product
from crmsync.platform.supervisor import Supervisor
from crmsync.platform.venv import ROOT

# Set by a person for the real thing; a demo must not reach for it.
_NOT_FOR_THE_DEMO = ("DATABASE_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "EMAIL_URL")
_PEOPLE = (
    ("admin@example.com", "admin, may do everything"),
    ("ops@example.com", "sales ops, sets up mappings and retries"),
    ("rep@example.com", "rep, works with leads"),
)


def run(options: DemoOptions) -> None:
    """Start everything, print where it is, and keep it running until asked to stop."""
    began = time.monotonic()
    open_data_dir(options.data)
    with hold(options.data):
        if options.fresh:
            empty(options.data)
            open_data_dir(options.data)
        ports.require_free(options.port, what="the demo", option="bin/demo --port")
        simulator_port = ports.next_free(options.port + 1)
        password = _demo_password(options.data)
        env = _environment(options, simulator_port, password)
        with Supervisor(log_dir=options.data / "logs", cwd=ROOT, env=env) as supervisor:
            _start(supervisor, options, simulator_port)
            say(_welcome(options, simulator_port, password, time.monotonic() - began))
            supervisor.run()
            say("\nStopping ...")
        say("Stopped. The data is kept; bin/demo starts it again.")


def _start(supervisor: Supervisor, options: DemoOptions, simulator_port: int) -> None:
    say("Starting crmsync")
    hubspot = programs.simulator(
        "hubspot", port=simulator_port, data=options.data / "simulators" / "hubspot"
    )
    supervisor.start(hubspot)
    supervisor.wait_until_ready(hubspot.name)
    start_product(supervisor, data=options.data, port=options.port, demo=True)


def _environment(
    options: DemoOptions, simulator_port: int, password: str
) -> dict[str, str]:
    simulator = f"http://{ports.LOOPBACK}:{simulator_port}"
    kept = {k: v for k, v in os.environ.items() if k not in _NOT_FOR_THE_DEMO}
    return kept | {
        "CRMSYNC_DATA": str(options.data),
        "DEMO_PASSWORD": password,
        "PUBLIC_URL": f"http://{ports.LOOPBACK}:{options.port}",
        "HUBSPOT_API_URL": simulator,
        "HUBSPOT_AUTH_URL": simulator,
        "HUBSPOT_CLIENT_ID": "demo-client-id",
        "HUBSPOT_CLIENT_SECRET": "demo-client-secret",
        "PYTHONUNBUFFERED": "1",
    }


def _demo_password(data: Path) -> str:
    """Return the demo's password, made up at the first start and kept with the data."""
    file = data / "demo_password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(f"demo-{secrets.token_hex(4)}")
    return file.read_text().strip()


def _welcome(
    options: DemoOptions, simulator_port: int, password: str, took_s: float
) -> str:
    people = "\n".join(f"    {email:<18}  {role}" for email, role in _PEOPLE)
    data = _short(options.data)
    manage = f"{_settings_of(options)}.venv/bin/python manage.py"
    return f"""
crmsync runs at   http://{ports.LOOPBACK}:{options.port}   (ready in {took_s:.0f} s)

  Sign in, password {password} for all three:
{people}

  Three things to try:
    1. Post a reply as La Growth Machine would, then watch the lead change:
         {manage} send_webhook lgm reply_interested --unique
    2. See what HubSpot got, and break it on purpose:
         http://{ports.LOOPBACK}:{simulator_port}/__sim/
    3. Look at what failed and retry it:
         http://{ports.LOOPBACK}:{options.port}/errors/

  Data and logs: {data}, {data}/logs. Ctrl-C stops everything.
"""


def _settings_of(options: DemoOptions) -> str:
    """Return what a command needs in front of it to find this demo."""
    words = ""
    if options.data != ROOT / "data":
        words += f"CRMSYNC_DATA={options.data} "
    if options.port != DEFAULT_PORT:
        words += f"PUBLIC_URL=http://{ports.LOOPBACK}:{options.port} "
    return words


def _short(path: Path) -> str:
    """Return a path as the person would type it from where they are."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def main() -> None:
    """Run the demo; problems are said in plain words."""
    try:
        run(read_demo_options(sys.argv[1:]))
    except CannotStart as problem:
        give_up(problem)


if __name__ == "__main__":
    main()
