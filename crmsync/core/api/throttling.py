"""So many calls a minute for each key, person or address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:  # settings name this module: importing views would be a circle
    from rest_framework.views import APIView


class CallerThrottle(SimpleRateThrottle):
    """Counts by API key, else by person, else by address."""

    scope = "caller"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return whom to count."""
        key = getattr(request, "api_key", None)
        if key is not None:
            who = f"key-{key.pk}"
        elif request.user and request.user.is_authenticated:
            who = f"user-{request.user.pk}"
        else:
            who = f"address-{self.get_ident(request)}"
        return self.cache_format % {"scope": self.scope, "ident": who}
