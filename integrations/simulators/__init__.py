"""Simulated CRMs for development, demonstrations and tests.

Each is a plain WSGI application that shares nothing with the connector it tests and
needs neither Django nor any package outside the standard library.

How a new one is made
---------------------

A vendor is a folder that is written from the vendor's published contract alone, never
from our connector. What every vendor has is beside this file; the folder describes
what is different:

`settings.py`   `Settings(settings.Settings)`: what one may turn, with its default.
`errors.py`     the vendor's error bodies, as functions that return `errors.ApiError`.
`<account>.py`  the vendor's word for an account, an `accounts.Account`: its tables, and
                one `_do_<operation>` for everything that changes them.
`world.py`      `World(world.World)`: the accounts, what a token that never expires
                grants, and what else is held; with it `Options`, the demo's.
`access.py`     who calls and how often they may: `limits.RollingWindows` counts.
`<what>_api.py` the operations, each a function from a call to a `wire.Reply`, listed as
                routes that a `routing.Patterns` finds.
`oauth.py`      the token endpoint, of `oauth.new_code`, `take_code` and `verifies`.
`consent.py`    the page that lets an app in, of the parts in `consent`.
`deliveries.py` `deliveries.Courier`: who is told of changes, and how it is sent.
`control.py`    `Control(control.Control)`: how the panel reads and seeds the tables.
`app.py`        `Simulator(app.Simulator)`: which path leads where, and the refusals.
`command.py`    `COMMAND = command.Command(...)`: the port and the demo's options.

Faults, the request log, statistics, the journal that survives a kill, the panel's page
and the HTTP server come with the base classes. Then the vendor gets its line in
`SIMULATORS`, its demo's token and calmest settings theirs in `testing.py`, and a folder
of tests: `bench.py` with the `Bench` that `tests/conftest.py` runs the shared tests
with, and tests of its own for what only it does.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integrations.simulators.command import Command

# Name on the command line -> module with its `COMMAND`.
SIMULATORS = {
    "hubspot": "integrations.simulators.hubspot.command",
    "salesforce": "integrations.simulators.salesforce.command",
}


def load(name: str) -> "Command":
    """Import a simulator's command; raises KeyError for an unknown name."""
    command: Command = import_module(SIMULATORS[name]).COMMAND
    return command
