"""Adds what is answered outside the API's views to its description: the inbox."""

from __future__ import annotations

from typing import Any

_REFUSALS = {
    "400": "Not JSON, or not what this source sends.",
    "401": "The signature is missing or wrong.",
    "404": "No such address.",
    "405": "Only POST.",
    "413": "Larger than the limit.",
    "503": "Could not be stored; send it again.",
}


def describe_inbox(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe `POST /webhooks/{token}/`, which is answered before Django."""
    error = {"code": {"type": "string"}, "message": {"type": "string"}}
    reason = {
        "type": "object",
        "properties": {"error": {"type": "object", "properties": error}},
    }
    stored = {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "status": {"type": "string", "enum": ["accepted", "duplicate"]},
            "trace_id": {"type": "string"},
        },
    }
    refused = {
        status: {
            "description": text,
            "content": {"application/json": {"schema": reason}},
        }
        for status, text in _REFUSALS.items()
    }
    token = {
        "name": "token",
        "in": "path",
        "required": True,
        "description": "The secret part of an endpoint's address.",
        "schema": {"type": "string"},
    }
    result["paths"]["/webhooks/{token}/"] = {
        "post": {
            "operationId": "webhooks_receive",
            "description": "Take one source's webhook: stored first, processed after.",
            "tags": ["webhooks"],
            "parameters": [token],
            "requestBody": {"content": {"application/json": {"schema": {}}}},
            "security": [{}],
            "responses": {
                "202": {
                    "description": "Stored; a repeat too, which changes nothing.",
                    "content": {"application/json": {"schema": stored}},
                },
                **refused,
            },
        }
    }
    return result
