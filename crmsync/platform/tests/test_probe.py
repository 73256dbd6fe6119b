"""Health checks: what is well is 0, what is not says why."""

from __future__ import annotations

import os
import time

from crmsync.celery import note_sign_of_life
from crmsync.platform.probe import PROBES


def test_a_fresh_heartbeat_is_well(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HEARTBEAT_FILE", str(tmp_path / "beat"))

    note_sign_of_life()

    assert PROBES["heartbeat"](str(tmp_path / "beat")) == ""


def test_an_old_heartbeat_is_not(tmp_path) -> None:
    file = tmp_path / "beat"
    file.touch()
    long_ago = time.time() - 3600
    os.utime(file, (long_ago, long_ago))

    assert "last sign of life 3600 s ago" in PROBES["heartbeat"](str(file))


def test_a_process_that_never_beat_is_not_well(tmp_path) -> None:
    assert PROBES["heartbeat"](str(tmp_path / "none")) != ""
