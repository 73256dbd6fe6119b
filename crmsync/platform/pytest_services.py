"""A pytest plugin: names the services a run uses, and ends it on other ones."""

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
