"""What the console's actions share: each row for itself, and what was refused told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from crmsync.core.services import Refused


def each(
    request: HttpRequest, rows: Iterable[Any], act: Callable[[Any], object]
) -> int:
    """Do something with every row that lets it be done; return how many did."""
    done, told = 0, ""
    for row in rows:
        try:
            act(row)
        except Refused as refusal:
            told = refusal.message
        else:
            done += 1
    if done:
        messages.success(request, f"Done for {done}.")
    if told:
        messages.warning(request, told)
    return done
