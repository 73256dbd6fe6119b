"""`manage.py up`: the whole product on one machine, with neither Docker nor a demo."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crmsync.platform import ports
from crmsync.platform.console import CannotStart
from crmsync.platform.datadir import hold, open_data_dir
from crmsync.platform.product import start_product
from crmsync.platform.supervisor import Supervisor


class Command(BaseCommand):
    """Prepare the database, then keep broker, web, workers and beat running."""

    help = (
        "Run everything on this machine: broker (unless REDIS_URL is set), web, "
        "workers and beat. Ctrl-C stops all of it."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the port."""
        parser.add_argument("--port", type=int, default=8000, help="default: 8000")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until asked to stop."""
        port: int = options["port"]
        env = {"CRMSYNC_DATA": str(settings.DATA_DIR)}
        if "PUBLIC_URL" not in os.environ:
            env["PUBLIC_URL"] = f"http://{ports.LOOPBACK}:{port}"
        try:
            self._run(port, {**os.environ, **env})
        except CannotStart as problem:
            raise CommandError(str(problem)) from problem

    def _run(self, port: int, env: dict[str, str]) -> None:
        data = open_data_dir(settings.DATA_DIR)
        ports.require_free(port, what="the web process", option="manage.py up --port")
        with (
            hold(data),
            Supervisor(
                log_dir=data / "logs", cwd=settings.BASE_DIR, env=env
            ) as all_of_it,
        ):
            start_product(all_of_it, data=data, port=port)
            self.stdout.write(
                f"\ncrmsync runs at {env.get('PUBLIC_URL', '')} (port {port}).\n"
                "First time? `manage.py createsuperuser` makes an account.\n"
                f"Logs: {data}/logs. Ctrl-C stops everything."
            )
            all_of_it.run()
