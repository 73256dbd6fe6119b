"""Start-up checks: run with every `migrate` and `check --database default`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from crmsync.core.rotation import needs


@register(Tags.database)
def check_encryption_keys(
    *, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Name the rows whose secrets no configured key opens."""
    if not databases or "default" not in databases:
        return []
    return [
        Error(
            f"{need.problem} Rows: {need.rows}, the newest is {need.sample}.",
            hint=_hint(need.key_id),
            id="crmsync.E001",
        )
        for need in needs()
        if need.problem
    ]


def _hint(key_id: str) -> str:
    if not key_id:
        return "Empty these values, and enter or connect them again."
    return (
        f"Put the key {key_id!r} back into ENCRYPTION_KEYS, behind the first one, and "
        "run rotate_keys before you remove it."
    )
