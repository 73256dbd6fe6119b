"""What a newcomer reads, and which ports and settings the simulated CRMs get."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from crmsync.platform import demo, ports, programs
from crmsync.platform.options import DemoOptions
from crmsync.platform.supervisor import Supervisor
from crmsync.platform.venv import ROOT

SIMULATORS = {"hubspot": 8101, "salesforce": 8102}


@pytest.fixture
def options(tmp_path: Path) -> DemoOptions:
    return DemoOptions(port=8100, data=tmp_path / "data", fresh=False)


def test_each_simulator_has_a_free_port_of_its_own_above_the_demos() -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]

        chosen = demo.choose_ports(port - 1)

    assert list(chosen) == ["hubspot", "salesforce"]
    assert port - 1 < chosen["hubspot"] < chosen["salesforce"]
    assert port not in chosen.values()


def test_the_product_is_told_of_both_simulators_and_of_no_real_database(
    options: DemoOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/real")
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", "a-real-app")

    env = demo.environment(options, SIMULATORS, "demo-secret")

    assert env["HUBSPOT_API_URL"] == env["HUBSPOT_AUTH_URL"] == "http://127.0.0.1:8101"
    assert env["SALESFORCE_API_URL"] == "http://127.0.0.1:8102"
    assert env["SALESFORCE_AUTH_URL"] == "http://127.0.0.1:8102"
    assert env["SALESFORCE_CLIENT_ID"] == "demo-client-id"
    assert env["PUBLIC_URL"] == "http://127.0.0.1:8100"
    assert "DATABASE_URL" not in env


def test_the_block_says_where_everything_is_and_what_to_try(
    options: DemoOptions,
) -> None:
    block = demo.welcome(options, SIMULATORS, "demo-secret", took_s=12.3)

    assert "http://127.0.0.1:8100   (ready in 12 s)" in block
    assert "password demo-secret" in block
    assert "http://127.0.0.1:8101/__sim/#edit" in block
    assert "http://127.0.0.1:8102/__sim/" in block
    assert "http://127.0.0.1:8100/conflicts/" in block
    assert f"CRMSYNC_DATA={options.data} PUBLIC_URL=http://127.0.0.1:8100 " in block
    assert len(block.splitlines()) <= 24


@pytest.mark.parametrize("vendor", demo.VENDORS)
def test_a_simulator_answers_where_it_was_put(vendor: str, tmp_path: Path) -> None:
    port = ports.any_free()
    program = programs.simulator(vendor, port=port, data=tmp_path / vendor)
    supervisor = Supervisor(log_dir=tmp_path, cwd=ROOT)
    try:
        supervisor.start(program)
        supervisor.wait_until_ready(programs.simulator_name(vendor))

        assert programs.is_ok(f"{demo.url_of(port)}/__sim/")
    finally:
        supervisor.stop()
