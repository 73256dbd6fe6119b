"""One worker process of the product, measured: `python -m integrations.bench.working`.

`push SOURCE` fills the CRM with the leads of a source; `compare` compares everything;
`poll` reads what has changed since the last time. Each goes the way of the product:
a run or a poll is asked for, and what is due is worked off. `start SOURCE` and `cancel`
only ask for a filling or end it; the workers do the rest. `drain` is a further process
beside one of these: it sends what is due as long as its standard input is open.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent import futures
from typing import TYPE_CHECKING

import django

from crmsync.platform import collector
from integrations.bench.spent import READY, measured

if TYPE_CHECKING:
    from integrations.models import ObjectMapping

# How long nothing is looked for after nothing was found.
LOOK_S = 0.1
# How often tables are looked at; see `crmsync.celery`.
KEEP_UP_S = 5.0


def main() -> None:
    """Work until there is nothing left to do."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
    django.setup()
    # As a worker does when it starts; see `crmsync.celery`.
    collector.spare()
    from crmsync.core.models import Workspace
    from crmsync.core.scoping import in_workspace
    from integrations.models import ObjectMapping
    from integrations.sync import pull, push, runs  # noqa: F401 - not to be measured

    what, *args = sys.argv[1:]
    with in_workspace(Workspace.objects.get()):
        mapping = ObjectMapping.objects.get(record_type="lead")
        with measured() as spent:
            spent.records = WORK[what](mapping, *args)


def _push(mapping: ObjectMapping, source: str) -> int:
    return _run(mapping, "backfill", _of(source))


def _of(source: str) -> dict[str, object]:
    return {"filter": {"source": source}}


def _drain(_: ObjectMapping) -> int:
    from integrations.sync import push

    over = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    sys.stdout.write(READY)
    sys.stdout.flush()
    sent = 0
    while not over.is_set():
        done = push.push_due()
        if not done:
            over.wait(LOOK_S)
        sent += done
    return sent


def _compare(mapping: ObjectMapping) -> int:
    return _run(mapping, "reconcile", {})


def _run(mapping: ObjectMapping, kind: str, options: dict[str, object]) -> int:
    """Drive a run until nothing of it is unfinished; return how many it settled.

    Not until it is marked as over: that it is looked at only every other second.
    """
    from crmsync.core import upkeep
    from crmsync.core.runs import run_counts
    from integrations.sync import push, runs

    run = runs.start(mapping, kind, options=options)
    looks_at = time.monotonic() + KEEP_UP_S
    # Runs are driven by one task and drained by another, side by side.
    with futures.ThreadPoolExecutor(1) as driver:
        driving = driver.submit(runs.runs_due)
        while True:
            if not push.push_due():
                futures.wait([driving], timeout=LOOK_S)
            if time.monotonic() > looks_at:
                # As beat does, which does not run here.
                upkeep.keep_up()
                looks_at = time.monotonic() + KEEP_UP_S
            if driving.done():
                driving.result()
                driving = driver.submit(runs.runs_due)
            run.refresh_from_db()
            if run.state in runs.OVER or (
                run.cursor.get("begun_all") and not any(run_counts(run.pk).values())
            ):
                # What another process finished between these two looks, too.
                run.refresh_from_db()
                return _checked(run.settled, run.failed, run.message)


def _checked(settled: int, failed: int, message: str) -> int:
    if failed or message:
        raise RuntimeError(f"{failed} of {settled} failed: {message}")
    return settled


def _poll(mapping: ObjectMapping) -> int:
    from crmsync.core.models import WorkItem
    from integrations.sync import pull

    pull.ask_pull(mapping, soon=True)
    rows = WorkItem.objects.filter(kind=pull.KIND, key=str(mapping.pk))
    ends = rows.get().applied + 1
    while rows.get().applied < ends:
        pull.pull_due()
    return int(rows.count())


def _start(mapping: ObjectMapping, source: str) -> int:
    from integrations.sync import runs

    return int(runs.start(mapping, "backfill", options=_of(source)).pk)


def _cancel(mapping: ObjectMapping) -> int:
    from integrations.models import Run
    from integrations.sync import runs

    return sum(runs.cancel(one) for one in Run.objects.filter(mapping=mapping))


WORK: Mapping[str, Callable[..., int]] = {
    "push": _push,
    "drain": _drain,
    "compare": _compare,
    "poll": _poll,
    "start": _start,
    "cancel": _cancel,
}

if __name__ == "__main__":
    main()
