"""Holds an exchange against the OpenAPI files of the vendor's contract."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CONTRACT = Path(__file__).resolve().parents[5] / "shared/contracts/hubspot/openapi"
# The contract's facts say property values are string or null; the machine-made files
# cannot say so. Its 429 example has no category, which its error schema requires.
NULLABLE = {"type": "string", "nullable": True}
DATED = re.compile(r"^/crm/(objects|properties|associations|lists|owners|pipelines)/20")
NUMBERED = {"associations": "v4"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    query: dict[str, list[str]]
    content_type: str
    sent: bytes
    status: int
    received: bytes

    @property
    def name(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


def need_contract() -> None:
    """Skip the test where the contract files are not at hand."""
    if not CONTRACT.is_dir():
        pytest.skip("the vendor contract files are not beside this checkout")


@cache
def documents() -> list[dict[str, Any]]:
    """Return the OpenAPI documents, the special ones before the generic."""
    paths = sorted(
        CONTRACT.glob("*.json"), key=lambda path: path.name == "objects.json"
    )
    return [_relaxed(json.loads(path.read_text())) for path in paths]


def _relaxed(document: dict[str, Any]) -> dict[str, Any]:
    for schema in document["components"]["schemas"].values():
        values = schema.get("properties", {}).get("properties", {})
        if values.get("additionalProperties") == {"type": "string"}:
            values["additionalProperties"] = NULLABLE
    return document


def problems(exchange: Exchange) -> list[str]:
    """Return what about an exchange is not as the contract says."""
    found = _operation(exchange)
    if found is None:
        return [f"{exchange.name}: no such operation in the contract"]
    document, operation, parameters = found
    return [
        f"{exchange.name}: {problem}"
        for problem in (
            *_query_problems(exchange, operation, parameters),
            *_request_problems(exchange, document, operation),
            *_answer_problems(exchange, document, operation),
        )
    ]


def _operation(
    exchange: Exchange,
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]] | None:
    path = _numbered(exchange.path)
    for document in documents():
        for template, operations in document["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template.rstrip("/"))
            operation = operations.get(exchange.method.lower())
            if operation and re.fullmatch(pattern, path.rstrip("/")):
                shared = operations.get("parameters", [])
                return document, operation, shared + operation.get("parameters", [])
    return None


def _numbered(path: str) -> str:
    """Return a date-versioned path in the numbered style."""
    found = DATED.match(path)
    if not found:
        return path
    family, rest = found[1], path.split("/", 4)[4]
    version = "v4" if "/associations/" in path or family == "associations" else "v3"
    return f"/crm/{version}/{family}/{rest}"


def _query_problems(
    exchange: Exchange, operation: dict[str, Any], parameters: list[dict[str, Any]]
) -> list[str]:
    known = {p["name"] for p in parameters if p["in"] == "query"}
    return [f"unknown query {name}" for name in exchange.query if name not in known]


def _request_problems(
    exchange: Exchange, document: dict[str, Any], operation: dict[str, Any]
) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content or not exchange.sent:
        return []
    return _violations(
        document, content["application/json"]["schema"], json.loads(exchange.sent)
    )


def _answer_problems(
    exchange: Exchange, document: dict[str, Any], operation: dict[str, Any]
) -> list[str]:
    responses = operation["responses"]
    answer = responses.get(str(exchange.status))
    if answer is None and exchange.status >= 400:
        answer = responses.get("default")
    if answer is None:
        return ["this status is not documented"]
    content = answer.get("content", {}).get("application/json")
    if content is None:
        return ["a body where none is documented"] if exchange.received else []
    if exchange.status == 429:
        return []
    return _violations(document, content["schema"], json.loads(exchange.received))


def _violations(document: dict[str, Any], schema: Any, value: Any) -> list[str]:
    from openapi_schema_validator import OAS30Validator, oas30_format_checker

    whole = {"allOf": [schema], "components": document["components"]}
    validator = OAS30Validator(whole, format_checker=oas30_format_checker)
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in validator.iter_errors(value)
    ]
