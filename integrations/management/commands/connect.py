"""Connects a CRM account by its token, without the web pages."""

from __future__ import annotations

import os
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from integrations.connectors import CONNECTORS
from integrations.services import ConnectionRefused, connect_with_token
from integrations.services.setup import set_up_due


class Command(BaseCommand):
    """`manage.py connect hubspot --workspace demo`, the token in CRM_TOKEN."""

    help = "Connect a CRM account. The token is read from the variable CRM_TOKEN."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the vendor, the workspace and a name."""
        parser.add_argument("vendor", choices=sorted(CONNECTORS))
        parser.add_argument("--workspace", required=True, help="its short name")
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--url", default="", help="the account's own address, where it has one"
        )

    def handle(self, *args: object, **options: str) -> None:
        """Check the token at the vendor, store the connection, set it up."""
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']!r}.")
        # Not an argument: those are visible to everyone on the machine.
        token = os.environ.get("CRM_TOKEN", "")
        with in_workspace(workspace):
            try:
                connection = connect_with_token(
                    workspace,
                    vendor=options["vendor"],
                    name=options["name"],
                    token=token,
                    api_url=options["url"],
                )
            except ConnectionRefused as error:
                raise CommandError(str(error)) from error
        set_up_due()
        connection.refresh_from_db()
        self.stdout.write(f"{connection.name}: {connection.get_status_display()}")
