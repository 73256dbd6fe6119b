"""The Salesforce simulator's own command-line flags."""

import argparse
import os
from pathlib import Path

from integrations.simulators.salesforce.app import SalesforceSimulator
from integrations.simulators.salesforce.world import AppConfig, Options

DEFAULT_PORT = 8802


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that only this simulator has."""
    demo = AppConfig()
    parser.add_argument(
        "--token", action="append", help="a session id that never expires"
    )
    parser.add_argument(
        "--client-id",
        default=os.environ.get("SALESFORCE_SIM_CLIENT_ID", demo.client_id),
    )
    parser.add_argument(
        "--client-secret",
        default=os.environ.get("SALESFORCE_SIM_CLIENT_SECRET", demo.client_secret),
    )
    parser.add_argument("--app-name", default=demo.name)
    parser.add_argument(
        "--redirect-uri", action="append", default=[], help="allow only these addresses"
    )
    parser.add_argument(
        "--no-limits", action="store_true", help="no daily limit of its own"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting"
    )


def build(flags: argparse.Namespace) -> SalesforceSimulator:
    """Return the simulator these flags describe; raises ValueError."""
    settings = dict(pair.split("=", 1) for pair in flags.set)
    if flags.no_limits:
        settings["limits"] = "false"
    app = AppConfig(
        client_id=flags.client_id,
        client_secret=flags.client_secret,
        name=flags.app_name,
        redirect_uris=flags.redirect_uri,
    )
    options = Options(
        data=Path(flags.data) if flags.data else None,
        fresh=flags.fresh,
        apps=[app],
        settings=settings,
    )
    if flags.token:
        options.tokens = flags.token
    return SalesforceSimulator(options)
