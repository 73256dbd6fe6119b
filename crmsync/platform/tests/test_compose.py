"""The services of docker-compose.yml, run as they stand on local PostgreSQL and Redis.

Only what containers change is changed: names of hosts, ports, and mounted folders.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from crmsync.platform import broker, ports
from crmsync.platform.programs import accepts
from crmsync.platform.supervisor import Program, Supervisor
from crmsync.platform.tests.compose import (
    FILE,
    MissingVariable,
    Service,
    read_compose,
)
from crmsync.platform.venv import ROOT

SECRETS = {
    "POSTGRES_PASSWORD": "not-a-secret",
    "SECRET_KEY": "not-a-secret-not-a-secret-not-a-secret-0123456789-abcdef",
    "ENCRYPTION_KEYS": "k1:not-a-secret-not-a-secret",
    "PUBLIC_URL": "https://crm.example.com",
    "ALLOWED_HOSTS": "crm.example.com",
}
SIMULATORS = ("simulator-hubspot", "simulator-salesforce")
OURS = ("web", "worker", "urgent", "beat", *SIMULATORS)


def test_the_file_holds_no_secret_and_asks_for_each() -> None:
    for name in SECRETS:
        others = {key: value for key, value in SECRETS.items() if key != name}

        with pytest.raises(MissingVariable, match=name):
            read_compose(others)


def test_the_database_of_the_product_is_the_one_of_the_service() -> None:
    services = read_compose(SECRETS)
    url = urlsplit(services["web"].environment["DATABASE_URL"])
    postgres = services["postgres"].environment

    assert url.hostname == "postgres"
    assert url.username == postgres["POSTGRES_USER"]
    assert url.password == postgres["POSTGRES_PASSWORD"]
    assert url.path == f"/{postgres['POSTGRES_DB']}"


@pytest.mark.parametrize("name", read_compose(SECRETS))
def test_every_lasting_service_has_init_a_restart_and_a_health_check(name) -> None:
    service = read_compose(SECRETS)[name]

    assert service.raw["init"] is True
    assert service.health or name == "migrate"
    assert service.raw["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_workers_are_scaled_by_a_number() -> None:
    services = read_compose({**SECRETS, "WORKERS": "5"})

    assert services["worker"].raw["deploy"]["replicas"] == "5"


def test_every_variable_of_the_file_is_explained() -> None:
    explained = (ROOT / ".env.example").read_text()
    used = set(read_compose(SECRETS)["web"].environment) - {"DATABASE_URL", "REDIS_URL"}

    assert [name for name in sorted(used) if f"#{name}=" not in explained] == []


@pytest.mark.parametrize("name", SIMULATORS)
def test_a_simulator_is_probed_and_shown_at_the_port_it_listens_on(name: str) -> None:
    service = read_compose(SECRETS)[name]

    (port,) = [
        word.partition("=")[2] for word in service.command if word.startswith("--port")
    ]
    assert service.health[-1] == port
    assert service.raw["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert service.raw["profiles"] == ["simulators"]


@pytest.mark.skipif(not shutil.which("docker"), reason="no docker command here")
def test_docker_itself_accepts_the_file() -> None:
    command = ["docker", "compose", "-f", str(FILE), "--profile", "*", "config", "-q"]
    if subprocess.run([*command[:2], "version"], capture_output=True).returncode:
        pytest.skip("this docker has no compose")

    done = subprocess.run(
        command, env={**os.environ, **SECRETS}, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


@dataclass(frozen=True, slots=True)
class Local:
    """The services with this machine's addresses in the place of containers'."""

    services: dict[str, Service]
    supervisor: Supervisor
    folder: Path


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """A database of this module's own on the local PostgreSQL."""
    given = os.environ.get(
        "DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"
    )
    server = urlsplit(given)._replace(path="/postgres").geturl()
    name = f"crmsync_compose_{os.getpid()}"
    try:
        admin = psycopg.connect(server, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL answers: {error}")
    with admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield urlsplit(given)._replace(path=f"/{name}").geturl()
        admin.execute(
            sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        )


@pytest.fixture(scope="module")
def local(database_url: str, tmp_path_factory) -> Iterator[Local]:
    """Redis runs and the tables are there, as compose waits for both."""
    folder = tmp_path_factory.mktemp("compose")
    server = broker.find_server(os.environ["PATH"])
    if server is None:
        pytest.skip("no Redis or Valkey runs here")
    supervisor = Supervisor(log_dir=folder, cwd=ROOT, env={})
    services = _localised(folder, database_url, ports.any_free())
    redis = services["redis"]
    port = int(redis.health[-1])
    command = [server, *redis.command[1:], "--port", str(port)]
    try:
        supervisor.start(Program("redis", command, is_ready=lambda: accepts(port)))
        supervisor.wait_until_ready("redis")
        supervisor.run_once(_program(services["migrate"], folder))
        supervisor.run_once(_image_build(folder))
        yield Local(services, supervisor, folder)
    finally:
        supervisor.stop()


def _localised(folder: Path, database_url: str, redis_port: int) -> dict[str, Service]:
    web, hubspot, salesforce = (str(ports.any_free()) for _ in range(3))
    swaps = {
        "redis://redis:6379": f"redis://127.0.0.1:{redis_port}",
        "127.0.0.1:8000": f"127.0.0.1:{web}",
        "--port=8000": f"--port={web}",
        "8900": hubspot,
        "8910": salesforce,
        "/data/": f"{folder}/data/",
    }
    services = {}
    for name, service in read_compose(SECRETS).items():
        # Each container has a folder /tmp of its own.
        own = {**swaps, "/tmp/": f"{folder}/{name}-"}
        env = {key: _swapped(value, own) for key, value in service.environment.items()}
        if "DATABASE_URL" in env:
            env["DATABASE_URL"] = database_url
        services[name] = replace(
            service,
            command=[_swapped(word, own) for word in service.command],
            health=[_swapped(word, own) for word in service.health],
            environment=env,
        )
    redis = services["redis"]
    services["redis"] = replace(redis, health=[*redis.health, "-p", str(redis_port)])
    return services


def _swapped(text: str, swaps: dict[str, str]) -> str:
    for old, new in swaps.items():
        text = text.replace(old, new)
    return text


def _environment(service: Service, folder: Path) -> dict[str, str]:
    """What the image sets, and what compose adds."""
    image = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CRMSYNC_DATA": str(folder / "data"),
        "STATIC_ROOT": str(folder / "static"),
        "HOME": str(folder),
    }
    return image | service.environment


def _program(service: Service, folder: Path) -> Program:
    env = _environment(service, folder)
    return Program(
        service.name,
        service.command,
        env,
        is_ready=lambda: _check_health(service, env).returncode == 0,
    )


def _image_build(folder: Path) -> Program:
    """The step of the Dockerfile whose files the pages need."""
    step = (ROOT / "Dockerfile").read_text().partition("collectstatic")[2]
    command = ["python", "manage.py", "collectstatic", *step.partition("\n")[0].split()]
    bare = Service("collectstatic", command, {}, [], {})
    return Program(bare.name, command, _environment(bare, folder))


def _check_health(
    service: Service, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        service.health, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30
    )


@pytest.mark.parametrize("name", OURS)
def test_a_service_becomes_healthy_as_it_stands(local: Local, name: str) -> None:
    service = local.services[name]

    local.supervisor.start(_program(service, local.folder))
    local.supervisor.wait_until_ready(name, timeout_s=60)

    assert _check_health(service, _environment(service, local.folder)).returncode == 0


@pytest.mark.parametrize("name", OURS)
def test_a_service_that_does_not_run_is_not_healthy(local: Local, name: str) -> None:
    service = _localised(local.folder / "elsewhere", "postgres://x/x", 1)[name]

    assert _check_health(service, _environment(service, local.folder)).returncode != 0


def test_deployment_checks_are_clean_in_this_configuration(local: Local) -> None:
    web = local.services["web"]
    check = [
        sys.executable,
        "manage.py",
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
    ]

    done = subprocess.run(
        check,
        cwd=ROOT,
        env=_environment(web, local.folder),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
