"""Holds answers against the vendor contract's schemas and recorded exchanges."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CONTRACT = Path(__file__).resolve().parents[5] / "shared/contracts/salesforce"


def need_contract() -> None:
    """Skip the test where the contract files are not at hand."""
    if not CONTRACT.is_dir():
        pytest.skip("the vendor contract files are not beside this checkout")


@cache
def exchanges() -> dict[str, dict[str, Any]]:
    """Return name -> recorded exchange."""
    need_contract()
    found = json.loads((CONTRACT / "exchanges.json").read_text())
    return {exchange["name"]: exchange for exchange in found}


def recorded(name: str) -> Any:
    """Return a recorded exchange's answer."""
    return exchanges()[name]["response"]


@cache
def _schemas() -> dict[str, Any]:
    need_contract()
    found: dict[str, Any] = json.loads((CONTRACT / "schemas.json").read_text())
    return found


def problems(name: str, value: Any) -> list[str]:
    """Return how a body is not what the schema of that name says."""
    from jsonschema import Draft202012Validator

    schema = {"$ref": f"#/$defs/{name}", "$defs": _schemas()["$defs"]}
    errors = Draft202012Validator(schema).iter_errors(value)
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in errors]


def describe(name: str) -> dict[str, Any]:
    """Return a recorded describe."""
    need_contract()
    path = CONTRACT / "describe" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def shape(value: Any) -> Any:
    """Return a body's keys and types, without its values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "null" if value is None else type(value).__name__
