"""The Celery app and the whole beat timetable.

A message is a wake-up and carries nothing; what there is to do stands in the work item
table, so losing the broker loses nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery
from celery.signals import (
    after_task_publish,
    heartbeat_sent,
    setup_logging,
    worker_process_init,
    worker_ready,
)
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

from crmsync.platform import collector

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")

app = Celery("crmsync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Binds task ids to log lines, as the middleware does with request ids.
app.steps["worker"].add(DjangoStructLogInitStep)


def leave_logging_alone(**_: object) -> None:
    """Keep the handlers of the setting LOGGING; Celery would add its own."""


setup_logging.connect(leave_logging_alone)


def note_sign_of_life(**_: object) -> None:
    """Touch the file a container's health check looks at.

    A worker reaches this with each heartbeat to the broker, beat with each tick.
    """
    if os.environ.get("HEARTBEAT_FILE"):
        Path(os.environ["HEARTBEAT_FILE"]).touch()


heartbeat_sent.connect(note_sign_of_life)
after_task_publish.connect(note_sign_of_life)


def spare_the_collector(**_: object) -> None:
    """Do so in each process that works: the children of a pool, or the one there is."""
    collector.spare()


worker_process_init.connect(spare_the_collector)
worker_ready.connect(spare_the_collector)


def _tick(task: str, every_s: float, queue: str) -> dict[str, object]:
    # A tick nobody took by the next one is stale: it must not pile up.
    return {
        "task": task,
        "schedule": every_s,
        "options": {"queue": queue, "expires": max(every_s, 1)},
    }


app.conf.beat_schedule = {
    "sweep": _tick("integrations.tasks.sweep", settings.SWEEP_EVERY_S, "ingest"),
    "urgent": _tick("integrations.tasks.rush", 30, "urgent"),
    "plans": _tick("integrations.tasks.plan_ahead", 15, "sync"),
    "upkeep": _tick("integrations.tasks.keep_up", 5, "ingest"),
    "tokens": _tick("integrations.tasks.refresh_tokens", 60, "sync"),
    "retention": _tick("integrations.tasks.prune", 3600, "sync"),
}
