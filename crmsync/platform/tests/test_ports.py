"""A port that is taken is said before anything long begins."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import pytest

from crmsync.platform import ports
from crmsync.platform.console import CannotStart
from crmsync.platform.venv import ROOT


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_named_with_another_one_to_use(taken) -> None:
    with pytest.raises(CannotStart) as problem:
        ports.require_free(taken, what="the demo", option="bin/demo --port")

    assert f"Port {taken} is taken" in str(problem.value)
    assert "bin/demo --port " in str(problem.value)


def test_the_next_free_port_is_not_the_taken_one(taken) -> None:
    found = ports.next_free(taken)

    assert found != taken
    assert ports.is_free(found)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_number_that_is_no_port_is_said(port) -> None:
    with pytest.raises(CannotStart, match="is not a port"):
        ports.require_free(port, what="the demo", option="bin/demo --port")


def test_the_demo_says_a_taken_port_at_once_and_touches_nothing(
    taken, tmp_path
) -> None:
    done = subprocess.run(
        [ROOT / "bin/demo", "--port", str(taken), "--data", tmp_path / "data"],
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert done.returncode == 1
    assert f"Port {taken} is taken" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()
