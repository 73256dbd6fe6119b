"""Encrypts every stored secret anew, under the first of ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crmsync.core.crypto import encrypted_columns, first_key_id
from crmsync.core.rotation import needs, rotate


class Command(BaseCommand):
    """Move all secrets to the first key; safe while everything runs."""

    help = (
        "To replace a key: put the new one first (k2:new,k1:old) and restart every "
        "process; run rotate_keys; remove the old key and restart again. It may be "
        "stopped and run again at any time. --check changes nothing."
    )
    # The very command that repairs what the check finds must start all the same.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --check."""
        parser.add_argument(
            "--check", action="store_true", help="only say which keys are needed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, then say what each key is still needed for."""
        if not options["check"]:
            self._rotate()
        first, found = first_key_id(), needs()
        for need in found:
            state = need.problem or ("first key" if need.key_id == first else "old key")
            self.stdout.write(f"{need.place}: {need.rows} on {need.key_id} ({state})")
        if any(need.problem for need in found):
            raise CommandError("Some rows need a key that is missing or different.")
        if any(need.key_id != first for need in found):
            raise CommandError("Some rows are still on an old key; run it again.")
        self.stdout.write(f"Every secret is on {first}; other keys can be removed.")

    def _rotate(self) -> None:
        for column in encrypted_columns():
            changed, unreadable = rotate(column)
            told = f", {unreadable} could not be read" if unreadable else ""
            self.stdout.write(f"{column.field.place}: {changed} changed{told}")
