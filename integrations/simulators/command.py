"""A simulator's own command-line flags, and the simulator that they describe."""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrations.simulators.app import Simulator
from integrations.simulators.world import Options


@dataclass(frozen=True, slots=True)
class Command:
    """What `python -m integrations.simulators NAME` starts.

    options: the demo's, with one app, as they are when nothing is said.
    """

    name: str
    port: int
    build: Callable[[Any], Simulator]
    options: Callable[[], Options[Any]]
    token_help: str

    def add_flags(self, parser: argparse.ArgumentParser) -> None:
        """Add the flags that describe accounts and apps."""
        app = self.options().apps[0]
        prefix = f"{self.name.upper()}_SIM_"
        parser.add_argument("--token", action="append", help=self.token_help)
        parser.add_argument(
            "--client-id", default=os.environ.get(f"{prefix}CLIENT_ID", app.client_id)
        )
        parser.add_argument(
            "--client-secret",
            default=os.environ.get(f"{prefix}CLIENT_SECRET", app.client_secret),
        )
        parser.add_argument("--app-name", default=app.name)
        parser.add_argument(
            "--redirect-uri", action="append", default=[], help="allow only these"
        )
        parser.add_argument(
            "--no-limits", action="store_true", help="refuse no call for its rate"
        )
        parser.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting"
        )

    def simulator(self, flags: argparse.Namespace) -> Simulator:
        """Return the simulator these flags describe; raises ValueError."""
        options = self.options()
        app = options.apps[0]
        app.client_id, app.client_secret = flags.client_id, flags.client_secret
        app.name, app.redirect_uris = flags.app_name, flags.redirect_uri
        options.data = Path(flags.data) if flags.data else None
        options.fresh = flags.fresh
        options.tokens = flags.token or options.tokens
        options.settings = dict(pair.split("=", 1) for pair in flags.set)
        if flags.no_limits:
            options.settings["limits"] = "false"
        return self.build(options)
