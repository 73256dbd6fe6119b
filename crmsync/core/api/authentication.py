"""Lets the API know whom the middleware found behind a key."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from crmsync.core.models import ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer crm_...`; the key decides workspace and role."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        """Return the key, None without one. Raises AuthenticationFailed."""
        key = getattr(request, "api_key", None)
        if key is not None:
            return AnonymousUser(), key
        if "Authorization" in request.headers:
            raise AuthenticationFailed("This API key is unknown, expired or revoked.")
        return None

    def authenticate_header(self, request: Request) -> str:
        """Make a missing key a 401."""
        return "Bearer"


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """Describes the key to readers of the schema."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A key of the workspace: `Authorization: Bearer crm_...`.",
        }
