"""Measures the product beside a floor in the same run, and prints the ratios."""

from __future__ import annotations

import os
import platform
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.bench.report import Figure, table


class Command(BaseCommand):
    """`manage.py bench ingest`, `bench replies`, `bench vendor-rate`."""

    help = (
        "Measure against a floor taken in the same run. With DATABASE_URL set it "
        "runs on PostgreSQL, in databases of its own; else on the embedded default."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to measure and how long."""
        parser.add_argument("what", choices=["ingest", "replies", "vendor-rate"])
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--requests", type=int, default=4000)
        parser.add_argument("--replies", type=int, default=1000)
        parser.add_argument("--seconds", type=float, default=10)
        parser.add_argument("--contacts", type=int, default=40_000)

    def handle(self, *args: object, **options: Any) -> None:
        """Measure and print."""
        where = "PostgreSQL" if os.environ.get("DATABASE_URL") else "SQLite (embedded)"
        cores = os.cpu_count()
        self.stdout.write(
            f"{options['what']} on {where}, {cores} cores, Python "
            f"{platform.python_version()}\n"
        )
        self.stdout.write(table(measure(options["what"], options)))


def measure(what: str, options: dict[str, Any]) -> list[Figure]:
    """Run one measurement."""
    from integrations.bench import ingest, replies, vendor_rate

    if what == "vendor-rate":
        return vendor_rate.run(rounds=options["rounds"], contacts=options["contacts"])
    if what == "ingest":
        return ingest.run(
            rounds=options["rounds"],
            requests=options["requests"],
            seconds=options["seconds"],
        )
    return replies.run(rounds=options["rounds"], replies=options["replies"])
