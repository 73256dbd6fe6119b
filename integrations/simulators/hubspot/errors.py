"""The error bodies HubSpot answers with, as in the contract's examples."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from integrations.simulators.errors import ApiError
from integrations.simulators.wire import Headers, Json

SCOPES_PAGE = "https://developers.hubspot.com/scopes"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one property value."""

    name: str
    code: str
    message: str


def standard(status: int, category: str, message: str, **more: Any) -> ApiError:
    """Return an error of the common shape."""
    body: Json = {"status": "error", "message": message, "correlationId": str(uuid4())}
    return ApiError(status, body | more | {"category": category})


def bad_request(message: str, **more: Any) -> ApiError:
    """Return a 400 that names no property."""
    return standard(400, "VALIDATION_ERROR", message, **more)


def invalid_properties(problems: list[Problem], portal_id: int) -> ApiError:
    """Return the 400 whose message embeds a JSON list and whose errors[] repeat it."""
    listed = [
        {
            "isValid": False,
            "message": problem.message,
            "error": problem.code,
            "name": problem.name,
            "localizedErrorMessage": problem.message,
            "portalId": portal_id,
        }
        for problem in problems
    ]
    text = json.dumps(listed, separators=(",", ":"), ensure_ascii=False)
    details = [
        {
            "message": problem.message,
            "code": problem.code,
            "context": {"propertyName": [problem.name]},
        }
        for problem in problems
    ]
    return bad_request(f"Property values were not valid: {text}", errors=details)


def missing_required(label: str, names: list[str]) -> ApiError:
    """Return the 400 for a create that lacks required properties."""
    message = f"Error creating {label}. Some required properties were not set."
    detail = {
        "message": "Some required properties were not set.",
        "code": "REQUIRED_PROPERTIES_MISSING",
        "context": {"properties": names, "propertyName": names},
    }
    return bad_request(message, context={"properties": names}, errors=[detail])


def conflict(message: str) -> ApiError:
    """Return a 409."""
    return standard(409, "CONFLICT", message)


def already_exists(label: str, existing: int | None) -> ApiError:
    """Return the 409 for a taken e-mail; the id exists only in the text."""
    if existing is None:
        return conflict(f"{label} already exists.")
    return conflict(f"{label} already exists. Existing ID: {existing}")


def not_found(message: str = "resource not found") -> ApiError:
    """Return a 404 for a missing record or definition."""
    return standard(404, "OBJECT_NOT_FOUND", message)


def missing_scopes(required: list[str]) -> ApiError:
    """Return a 403; any one of the scopes would have sufficed."""
    message = (
        "This app hasn't been granted all required scopes to make this call. "
        f"Read more about required scopes here: {SCOPES_PAGE}."
    )
    detail = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": required},
    }
    more: Json = {"errors": [detail], "links": {"scopes": SCOPES_PAGE}}
    return standard(403, "MISSING_SCOPES", message, **more)


def expired_token() -> ApiError:
    """Return the 401 for an access token past its life."""
    message = "The OAuth token used to make this call expired."
    return standard(401, "EXPIRED_AUTHENTICATION", message)


def invalid_token() -> ApiError:
    """Return the 401 for a missing or unknown token."""
    message = (
        "Authentication credentials not found. This API supports OAuth 2.0 "
        "authentication and you can find more details at "
        "https://developers.hubspot.com/docs/methods/auth/oauth-overview"
    )
    return standard(401, "INVALID_AUTHENTICATION", message)


def rate_limited(policy: str, headers: Headers) -> ApiError:
    """Return a 429. policy: DAILY, TEN_SECONDLY_ROLLING or SECONDLY."""
    period = {"DAILY": "daily", "SECONDLY": "secondly"}.get(
        policy, "ten_secondly_rolling"
    )
    body = {
        "status": "error",
        "message": f"You have reached your {period} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid4()),
        "policyName": policy,
        "requestId": str(uuid4()),
    }
    return ApiError(429, body, headers)


def bad_refresh_token() -> ApiError:
    """Return the 400 for a refresh token that is revoked, reused or unknown."""
    return oauth_error(
        "invalid_grant",
        "refresh token is invalid, expired or revoked",
        status="BAD_REFRESH_TOKEN",
    )


def oauth_error(error: str, description: str, *, status: str) -> ApiError:
    """Return a 400 in the OAuth shape. error: RFC 6749; status: HubSpot's own code."""
    body = {
        "error": error,
        "error_description": description,
        "status": status,
        "message": description,
    }
    return ApiError(400, body)


def batch_entry(error: ApiError, context: Json) -> Json:
    """Return one entry of a 207's errors[]. context: which inputs it concerns."""
    body = error.body
    return {
        "status": "error",
        "category": body.get("category", "VALIDATION_ERROR"),
        "message": body["message"],
        "errors": body.get("errors", []),
        "links": body.get("links", {}),
        "context": body.get("context", {}) | context,
    }


def internal(status: int) -> ApiError:
    """Return the vendor's bad day."""
    body = {
        "status": "error",
        "message": "internal error",
        "correlationId": "00000000-0000-4000-8000-000000000000",
    }
    return ApiError(status, body)
