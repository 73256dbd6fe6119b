"""Databases for `LiveSystem`: made once per test run, then copied in milliseconds."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "SECRET_KEY": "a-secret-for-live-tests-that-is-long-enough",
    "ENCRYPTION_KEYS": "k1:a-key-for-live-tests",
}


class Database(Protocol):
    """One database: what the processes are told, and a way to look into it."""

    @property
    def env(self) -> Mapping[str, str]:
        """Return the settings that lead to it; empty for the embedded default."""

    def sql(self, query: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement with %s for parameters; return its rows."""

    def drop(self) -> None:
        """Remove it with all connections to it."""


def fresh(folder: Path) -> Database:
    """Return a copy of the seeded database; `folder` is the data folder."""
    if os.environ.get("DATABASE_URL"):
        return PostgresDatabase(_postgres_template())
    return SqliteDatabase(folder, _sqlite_template())


class SqliteDatabase:
    """A file in the data folder, as the embedded default has it."""

    env: Mapping[str, str] = {}

    def __init__(self, folder: Path, template: Path) -> None:
        self._path = folder / "crmsync.sqlite3"
        shutil.copyfile(template, self._path)

    def sql(self, query: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement; waits as long for a lock as the product does."""
        connection = sqlite3.connect(self._path, timeout=20)
        try:
            with connection:
                return connection.execute(query.replace("%s", "?"), params).fetchall()
        finally:
            connection.close()

    def drop(self) -> None:
        """Leave it to whoever removes the folder."""


class PostgresDatabase:
    """A database of its own on the server of DATABASE_URL."""

    def __init__(self, template: str) -> None:
        self._name = f"crmsync_live_{secrets.token_hex(6)}"
        _on_server(f"CREATE DATABASE {self._name} TEMPLATE {template}")
        self.env = {"DATABASE_URL": _url_of(self._name)}

    def sql(self, query: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement in a transaction of its own."""
        with psycopg.connect(self.env["DATABASE_URL"]) as connection:
            cursor = connection.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    def drop(self) -> None:
        """Remove it, whoever is still connected."""
        _on_server(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="crmsync-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _seed({"CRMSYNC_DATA": str(folder)})
    return folder / "crmsync.sqlite3"


@cache
def _postgres_template() -> str:
    name = f"crmsync_template_{secrets.token_hex(6)}"
    _on_server(f"CREATE DATABASE {name}")
    atexit.register(_on_server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    with tempfile.TemporaryDirectory() as folder:
        _seed({"CRMSYNC_DATA": folder, "DATABASE_URL": _url_of(name)})
    return name


def clean_environment() -> dict[str, str]:
    """Return the environment without what would lead to the services of others."""
    dropped = {"DATABASE_URL", "REDIS_URL", "CRMSYNC_DATA", "DJANGO_SETTINGS_MODULE"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, **SECRETS, "PYTHONUNBUFFERED": "1"}


def _seed(env: Mapping[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "integrations.tests.live_seed"],
        cwd=ROOT,
        env={**clean_environment(), **env},
        check=True,
        timeout=300,
    )


def _url_of(name: str) -> str:
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def _on_server(statement: str) -> None:
    # From the maintenance database: one cannot drop where one stands.
    with psycopg.connect(_url_of("postgres"), autocommit=True) as connection:
        connection.execute(statement)
