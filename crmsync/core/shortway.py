"""The short way to the pages machines look at, past sessions, hosts and redirects.

A probe or a scraper asks by address, not by name, over plain HTTP and every few
seconds: it must need no entry in ALLOWED_HOSTS, no session and no log line.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve

PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


class ShortWayMiddleware:
    """Answers these paths before any other middleware sees them; stands first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Call the view of a short path at once; pass everything else on."""
        if request.path_info not in PATHS:
            return self.get_response(request)
        response = resolve(request.path_info).func(request)
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        return response
