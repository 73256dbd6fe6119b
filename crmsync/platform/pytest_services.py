"""A pytest plugin: names the services a run uses, and ends it on other ones.

It also begins with what takes minutes.
"""

from __future__ import annotations

import os

import pytest
from django.conf import settings

from crmsync.platform.services import EXPECTED, used_services, wanted_services


def pytest_report_header() -> str:
    """Show the services above the run."""
    return f"services: {used_services()} (broker {settings.CELERY_BROKER_URL})"


def pytest_sessionstart() -> None:
    """End the run at once when it would test something else than it was asked to."""
    expected = os.environ.get(EXPECTED) or wanted_services(os.environ)
    used = used_services()
    if used != expected:
        pytest.exit(f"asked to run on {expected}, but settings use {used}", 3)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what takes longest: begun last, it would leave a process idle."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    markers = ("chaos", "browser")
    return next((n for n, m in enumerate(markers) if item.get_closest_marker(m)), 2)
