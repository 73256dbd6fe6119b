"""Reads docker-compose.yml as Docker would, for running its services without Docker."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from crmsync.platform.venv import ROOT

FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")


class MissingVariable(Exception):
    """The file demands a variable that is not set."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its command, environment and the command of its health check."""

    name: str
    command: list[str]
    environment: dict[str, str]
    health: list[str]
    raw: dict[str, Any]


def read_compose(variables: Mapping[str, str]) -> dict[str, Service]:
    """Return the services by name. Raises MissingVariable as `docker compose` would."""
    content = yaml.safe_load(FILE.read_text())
    return {
        name: _service(name, _filled_in(raw, variables))
        for name, raw in content["services"].items()
    }


def _service(name: str, raw: dict[str, Any]) -> Service:
    environment = {k: str(v) for k, v in raw.get("environment", {}).items()}
    health = raw.get("healthcheck", {}).get("test", ["CMD"])
    assert health[0] == "CMD"
    return Service(name, list(raw.get("command", [])), environment, health[1:], raw)


def _filled_in(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled_in(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_in(item, variables) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda hit: _value(hit, variables), value)
    return value


def _value(hit: re.Match[str], variables: Mapping[str, str]) -> str:
    name, how, text = hit.groups()
    if variables.get(name):
        return variables[name]
    if how == ":?":
        raise MissingVariable(name)
    return text or ""
