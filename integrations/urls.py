"""Addresses of connections, mappings, errors and the inbox."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from integrations.views import oauth

urlpatterns: list[URLPattern | URLResolver] = [
    path("connections/<slug:vendor>/connect/", oauth.start, name="oauth-start"),
    path("oauth/<slug:vendor>/callback/", oauth.callback, name="oauth-callback"),
    path("oauth/<slug:vendor>/problem/", oauth.problem, name="oauth-problem"),
]
