"""What beat announces, and to whom."""

from __future__ import annotations

from crmsync.celery import app


def test_every_tick_names_a_task_that_is_there() -> None:
    app.loader.import_default_modules()

    named = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert named <= set(app.tasks)


def test_tables_are_looked_at_by_workers_that_do_not_sync() -> None:
    # A tick among slices of syncing is stale before anyone takes it.
    (entry,) = (
        one
        for one in app.conf.beat_schedule.values()
        if one["task"] == "integrations.tasks.keep_up"
    )
    assert entry["options"]["queue"] != "sync"
