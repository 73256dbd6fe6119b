"""Simulated CRMs for development, demonstrations and tests.

Each is a plain WSGI application that shares nothing with the connector it tests and
needs neither Django nor any package outside the standard library.
"""

from importlib import import_module
from types import ModuleType

# Name on the command line -> module with `command(arguments) -> Simulator`.
SIMULATORS = {
    "hubspot": "integrations.simulators.hubspot.command",
    "salesforce": "integrations.simulators.salesforce.command",
}


def load(name: str) -> ModuleType:
    """Import a simulator's command module; raises KeyError for an unknown name."""
    return import_module(SIMULATORS[name])
