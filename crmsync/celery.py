"""The Celery app and the whole beat timetable.

A message is a wake-up and carries nothing; what there is to do stands in the work item
table, so losing the broker loses nothing.
"""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")

app = Celery("crmsync")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _tick(task: str, every_s: float, queue: str) -> dict[str, object]:
    # A tick nobody took by the next one is stale: it must not pile up.
    return {
        "task": task,
        "schedule": every_s,
        "options": {"queue": queue, "expires": max(every_s, 1)},
    }


app.conf.beat_schedule = {
    "sweep": _tick("integrations.tasks.sweep", settings.SWEEP_EVERY_S, "ingest"),
    "tokens": _tick("integrations.tasks.refresh_tokens", 60, "sync"),
    "retention": _tick("integrations.tasks.prune", 3600, "sync"),
}
