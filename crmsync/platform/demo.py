"""`bin/demo`, second part: start everything, say where it is, keep it running."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Mapping
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
# The simulated CRMs, in the order of their ports above the demo's.
VENDORS = ("hubspot", "salesforce")
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
        simulators = choose_ports(options.port)
        password = _demo_password(options.data)
        env = environment(options, simulators, password)
        with Supervisor(log_dir=options.data / "logs", cwd=ROOT, env=env) as supervisor:
            _start(supervisor, options, simulators)
            took_s = time.monotonic() - began
            say(welcome(options, simulators, password, took_s=took_s))
            supervisor.run()
            say("\nStopping ...")
        say("Stopped. The data is kept; bin/demo starts it again.")


def choose_ports(port: int) -> dict[str, int]:
    """Return a free port above the demo's for each simulated CRM: vendor -> port."""
    chosen: dict[str, int] = {}
    for vendor in VENDORS:
        port = chosen[vendor] = ports.next_free(port + 1)
    return chosen


def _start(
    supervisor: Supervisor, options: DemoOptions, simulators: Mapping[str, int]
) -> None:
    say("Starting crmsync")
    folder = options.data / "simulators"
    for vendor, port in simulators.items():
        supervisor.start(programs.simulator(vendor, port=port, data=folder / vendor))
    for vendor in simulators:
        supervisor.wait_until_ready(programs.simulator_name(vendor))
    start_product(supervisor, data=options.data, port=options.port, demo=True)


def environment(
    options: DemoOptions, simulators: Mapping[str, int], password: str
) -> dict[str, str]:
    """Return what every process of the demo gets: its own, and nothing real."""
    kept = {k: v for k, v in os.environ.items() if k not in _NOT_FOR_THE_DEMO}
    own = {
        "CRMSYNC_DATA": str(options.data),
        "DEMO_PASSWORD": password,
        "PUBLIC_URL": url_of(options.port),
        "PYTHONUNBUFFERED": "1",
    }
    for vendor, port in simulators.items():
        own |= _crm_settings(vendor.upper(), url_of(port))
    return kept | own


def _crm_settings(prefix: str, url: str) -> dict[str, str]:
    return {
        f"{prefix}_API_URL": url,
        f"{prefix}_AUTH_URL": url,
        f"{prefix}_CLIENT_ID": "demo-client-id",
        f"{prefix}_CLIENT_SECRET": "demo-client-secret",
    }


def url_of(port: int) -> str:
    """Return the address of something on this machine."""
    return f"http://{ports.LOOPBACK}:{port}"


def _demo_password(data: Path) -> str:
    """Return the demo's password, made up at the first start and kept with the data."""
    file = data / "demo_password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(f"demo-{secrets.token_hex(4)}")
    return file.read_text().strip()


def welcome(
    options: DemoOptions,
    simulators: Mapping[str, int],
    password: str,
    *,
    took_s: float,
) -> str:
    """Return the block that says where everything is, and what to try."""
    people = "\n".join(f"    {email:<18}  {role}" for email, role in _PEOPLE)
    home, data = url_of(options.port), _short(options.data)
    manage = f"{_settings_of(options)}.venv/bin/python manage.py"
    return f"""
crmsync runs at   {home}   (ready in {took_s:.0f} s)

  Sign in, password {password} for all three:
{people}

  Three things to try:
    1. Post a reply as La Growth Machine would; seconds later it is in both CRMs:
         {manage} send_webhook lgm reply_interested --unique
    2. Change a contact in the simulated HubSpot, and see it here and in Salesforce:
         {url_of(simulators["hubspot"])}/__sim/#edit
         {url_of(simulators["salesforce"])}/__sim/
    3. Decide what both sides changed, and look at what failed:
         {home}/conflicts/   {home}/errors/

  Data and logs: {data}, {data}/logs. Ctrl-C stops everything.
"""


def _settings_of(options: DemoOptions) -> str:
    """Return what a command needs in front of it to find this demo."""
    words = ""
    if options.data != ROOT / "data":
        words += f"CRMSYNC_DATA={options.data} "
    if options.port != DEFAULT_PORT:
        words += f"PUBLIC_URL={url_of(options.port)} "
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
