"""Does in one process, and at once, what beat and the workers do from then on."""

from __future__ import annotations

import time

from integrations.models import Run
from integrations.sync import fetches, pull, push, runs

_LONGEST_S = 15.0


def work() -> None:
    """Fetch, pull, push and drive runs until nothing is due."""
    while (
        runs.runs_due() + fetches.fetch_due() + pull.pull_due() + push.push_due()
    ):  # each does a slice
        pass


def finish_runs() -> None:
    """Work until every run has come to its end; what takes long, workers finish."""
    deadline = time.monotonic() + _LONGEST_S
    work()
    while _under_way() and time.monotonic() < deadline:
        time.sleep(0.1)
        work()


def _under_way() -> bool:
    going = [Run.State.QUEUED, Run.State.RUNNING]
    return Run.objects.filter(state__in=going).exists()
