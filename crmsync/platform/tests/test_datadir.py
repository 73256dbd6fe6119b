"""The data folder is emptied only when it is ours, and used by one demo at a time."""

from __future__ import annotations

import stat
import subprocess
import sys

import pytest

from crmsync.platform.console import CannotStart
from crmsync.platform.datadir import empty, hold, open_data_dir, require_ours
from crmsync.platform.venv import ROOT


def test_a_new_folder_is_for_its_owner_alone(tmp_path) -> None:
    data = open_data_dir(tmp_path / "deep" / "data")

    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert (data / "logs").is_dir()


def test_fresh_empties_a_folder_of_ours_and_keeps_its_mark(tmp_path) -> None:
    data = open_data_dir(tmp_path / "data")
    (data / "crmsync.sqlite3").write_text("rows")
    (data / "logs" / "web.log").write_text("lines")

    empty(data)

    assert [entry.name for entry in data.iterdir()] == [".crmsync-data"]


def test_fresh_follows_no_link_out_of_the_folder(tmp_path) -> None:
    outside = tmp_path / "photos"
    outside.mkdir()
    (outside / "one.jpg").write_text("precious")
    data = open_data_dir(tmp_path / "data")
    (data / "link").symlink_to(outside)

    empty(data)

    assert (outside / "one.jpg").exists()


def test_fresh_refuses_a_folder_that_is_not_ours(tmp_path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")

    with pytest.raises(CannotStart, match="does not look like one"):
        empty(tmp_path)

    assert (tmp_path / "thesis.txt").exists()


def test_using_a_folder_of_someone_else_does_not_make_it_ours(tmp_path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")

    open_data_dir(tmp_path)

    with pytest.raises(CannotStart):
        require_ours(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(CannotStart, match="is a file"):
        open_data_dir(tmp_path / "data")


def test_a_second_demo_on_the_same_folder_is_refused(tmp_path) -> None:
    data = open_data_dir(tmp_path / "data")

    with hold(data), pytest.raises(CannotStart, match="is in use by process"):
        hold(data, patience_s=0.1)


def test_the_folder_is_free_again_when_its_holder_was_killed(tmp_path) -> None:
    data = open_data_dir(tmp_path / "data")
    code = (
        "import os, sys, signal; from pathlib import Path\n"
        "from crmsync.platform.datadir import hold\n"
        "held = hold(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(data)], cwd=ROOT)

    with hold(data, patience_s=5) as handle:
        assert not handle.closed
