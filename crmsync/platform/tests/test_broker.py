"""The broker is the one given, one of the machine, the wheel's, or files."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmsync.platform import broker
from crmsync.platform.sockets import socket_path
from crmsync.platform.supervisor import Supervisor


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    (tmp_path / "run").mkdir()
    supervisor = Supervisor(log_dir=tmp_path, cwd=tmp_path)
    yield supervisor
    supervisor.stop()


def make_server(folder: Path, *, name: str, code: int) -> None:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\nexit {code}\n")
    file.chmod(0o755)


def test_a_given_redis_is_used_and_nothing_is_started(tmp_path) -> None:
    chosen = broker.choose(
        {"REDIS_URL": "redis://127.0.0.1:6379/9"}, socket_path=tmp_path / "x.sock"
    )

    assert chosen.program is None
    assert chosen.env == {}


def test_a_server_of_the_machine_comes_before_the_wheel(tmp_path) -> None:
    make_server(tmp_path / "bin", name="redis-server", code=0)

    assert broker.find_server(str(tmp_path / "bin")) == str(
        tmp_path / "bin" / "redis-server"
    )


def test_a_server_that_does_not_run_here_is_passed_over(tmp_path) -> None:
    make_server(tmp_path / "bin", name="valkey-server", code=127)
    make_server(tmp_path / "bin", name="redis-server", code=0)

    found = broker.find_server(str(tmp_path / "bin"))

    assert found == str(tmp_path / "bin" / "redis-server")


def test_without_any_server_files_carry_the_messages(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    chosen = broker.choose({"PATH": ""}, socket_path=tmp_path / "x.sock")

    assert chosen.program is None
    assert chosen.env == {"BROKER_URL": "filesystem://"}


def test_the_embedded_broker_answers_this_user_alone(tmp_path, supervisor) -> None:
    path = socket_path(tmp_path)
    chosen = broker.choose({"PATH": ""}, socket_path=path)
    assert chosen.program is not None

    supervisor.start(chosen.program)
    supervisor.wait_until_ready("broker")

    assert broker.answers(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_the_embedded_broker_starts_over_the_socket_of_a_killed_one(
    tmp_path, supervisor
) -> None:
    path = socket_path(tmp_path)
    path.touch()
    chosen = broker.choose({"PATH": ""}, socket_path=path)
    assert chosen.program is not None

    supervisor.start(chosen.program)
    supervisor.wait_until_ready("broker")

    assert broker.answers(path)


def test_a_deep_folder_gets_a_socket_the_system_can_hold() -> None:
    deep = Path("/" + "d" * 150)

    assert len(str(socket_path(deep))) <= 100
    assert socket_path(deep) != socket_path(deep / "other")
    assert socket_path(Path("/srv/data")) == Path("/srv/data/run/broker.sock")
