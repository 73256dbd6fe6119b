"""Measures the product beside a floor in the same run, and prints the ratios."""

from __future__ import annotations

import os
import platform
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import BaseCommand

from integrations.bench.report import Figure, table

Options = dict[str, Any]


class Command(BaseCommand):
    """`manage.py bench push`, `bench pull --sizes 10000 100000`, and so on."""

    help = (
        "Measure against a floor taken in the same run. With DATABASE_URL set it "
        "runs on PostgreSQL, in databases of its own; else on the embedded default."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to measure and how long."""
        parser.add_argument("what", choices=sorted(MEASURES))
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument(
            "--quick", action="store_true", help="two rounds, the smallest size only"
        )
        parser.add_argument(
            "--sizes",
            type=int,
            nargs="+",
            default=[10_000, 100_000],
            help="records, the smallest first; push takes the first alone",
        )
        parser.add_argument("--requests", type=int, default=4000)
        parser.add_argument("--replies", type=int, default=1000)
        parser.add_argument("--seconds", type=float, default=10)
        parser.add_argument("--contacts", type=int, default=100_000)

    def handle(self, *args: object, **options: Any) -> None:
        """Measure and print."""
        where = "PostgreSQL" if os.environ.get("DATABASE_URL") else "SQLite (embedded)"
        cores = os.cpu_count()
        self.stdout.write(
            f"{options['what']} on {where}, {cores} cores, Python "
            f"{platform.python_version()}\n"
        )
        if options["quick"]:
            options |= {"rounds": 2, "sizes": options["sizes"][:1], "contacts": 40_000}
        self.stdout.write(table(MEASURES[options["what"]](options)))


def _ingest(options: Options) -> list[Figure]:
    from integrations.bench import ingest

    return ingest.run(
        rounds=options["rounds"],
        requests=options["requests"],
        seconds=options["seconds"],
    )


def _merge(options: Options) -> list[Figure]:
    from integrations.bench import merge

    return merge.run(rounds=options["rounds"], records=min(options["sizes"]))


def _pull(options: Options) -> list[Figure]:
    from integrations.bench import pull

    return pull.run(rounds=options["rounds"], sizes=options["sizes"])


def _push(options: Options) -> list[Figure]:
    from integrations.bench import push

    return push.run(rounds=options["rounds"], size=options["sizes"][0])


def _realtime(options: Options) -> list[Figure]:
    from integrations.bench import realtime

    return realtime.run(rounds=options["rounds"], backfill=options["sizes"][-1])


def _replies(options: Options) -> list[Figure]:
    from integrations.bench import replies

    return replies.run(rounds=options["rounds"], replies=options["replies"])


def _vendor_rate(options: Options) -> list[Figure]:
    from integrations.bench import vendor_rate

    return vendor_rate.run(rounds=options["rounds"], contacts=options["contacts"])


MEASURES: Mapping[str, Callable[[Options], list[Figure]]] = {
    "ingest": _ingest,
    "merge": _merge,
    "pull": _pull,
    "push": _push,
    "realtime": _realtime,
    "replies": _replies,
    "vendor-rate": _vendor_rate,
}
