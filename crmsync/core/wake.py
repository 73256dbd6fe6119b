"""Wake-ups: "look now" messages that never cost the caller anything.

A daemon thread publishes them. A broker that hangs or is gone costs the request
nothing; the sweep finds what was not announced.
"""

from __future__ import annotations

import logging
import os
import threading
import time

from django.db import transaction

log = logging.getLogger(__name__)

# What arrives within this time after a wake-up shares the next one; the first goes out
# at once, so a lone event waits for nothing.
_PAUSE_S = 0.05


class _Waker:
    """Collects names of tasks and publishes each once."""

    def __init__(self) -> None:
        self._wanted: dict[str, str] = {}
        self._signal = threading.Condition()
        self._pid = 0

    def ask(self, task: str, queue: str) -> None:
        with self._signal:
            self._wanted[task] = queue
            self._start()
            self._signal.notify()

    def _start(self) -> None:
        # Threads do not survive a fork: a prefork child starts its own.
        if self._pid != os.getpid():
            self._pid = os.getpid()
            threading.Thread(target=self._run, name="wake", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._signal:
                while not self._wanted:
                    self._signal.wait()
                wanted, self._wanted = self._wanted, {}
            for task, queue in wanted.items():
                _publish(task, queue)
            time.sleep(_PAUSE_S)


def _publish(task: str, queue: str) -> None:
    from crmsync.celery import app

    try:
        app.send_task(task, queue=queue, expires=30, retry=False, ignore_result=True)
    except Exception as error:  # Whatever the broker does, the sweep repairs it.
        log.warning("wake-up not published", extra={"task": task, "error": repr(error)})


_waker = _Waker()


def wake(task: str, queue: str) -> None:
    """Ask workers to run a task soon; returns at once, may be lost."""
    _waker.ask(task, queue)


def wake_after_commit(task: str, queue: str) -> None:
    """Wake once the current transaction is durable."""
    transaction.on_commit(lambda: wake(task, queue))
