"""A worker's garbage collector looks seldom, in every kind of pool."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from crmsync.platform.collector import THRESHOLDS
from crmsync.platform.services import EXPECTED

SERVICES = {"DATABASE_URL", "REDIS_URL", EXPECTED}

STARTS = """
import gc
from celery import signals
import crmsync.celery
signals.{signal}.send(sender=None)
print(gc.get_threshold(), gc.get_freeze_count() > 10_000)
"""


@pytest.mark.parametrize("signal", ["worker_process_init", "worker_ready"])
def test_a_process_that_works_spares_its_collector(signal: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTS.format(signal=signal)],
        capture_output=True,
        text=True,
        check=True,
        # On the embedded default: services would want keys that nothing here uses.
        env={n: v for n, v in os.environ.items() if n not in SERVICES},
    )

    assert done.stdout.split("\n")[-2] == f"{THRESHOLDS} True"
