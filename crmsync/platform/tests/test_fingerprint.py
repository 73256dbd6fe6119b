"""A start may skip its preparation only while the code is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmsync.platform.fingerprint import fingerprint


@pytest.fixture
def code(tmp_path) -> Path:
    (tmp_path / "models.py").write_text("a = 1")
    (tmp_path / "__pycache__").mkdir()
    return tmp_path


def test_the_same_files_are_the_same(code) -> None:
    before = fingerprint([code])
    (code / "__pycache__" / "models.pyc").write_text("compiled")

    assert fingerprint([code]) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda code: (code / "models.py").write_text("a = 22"),
        lambda code: (code / "new.py").write_text(""),
        lambda code: (code / "models.py").unlink(),
        lambda code: (code / "models.py").rename(code / "other.py"),
    ],
)
def test_any_change_of_a_file_shows(code, change) -> None:
    before = fingerprint([code])

    change(code)

    assert fingerprint([code]) != before
