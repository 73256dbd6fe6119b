"""Gives each request its workspace and lets it see nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_scopes import scopes_disabled

from crmsync.core.models import ApiKey
from crmsync.core.scoping import SESSION_KEY, choose_membership, in_workspace

# Writing "last used" on every call would make each read a write.
LAST_USED_STEP = timedelta(minutes=1)


class WorkspaceMiddleware:
    """Set `request.workspace`, `request.role`, `request.membership`, `request.api_key`.

    An API key wins over a session: a program that sends one means it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request inside its workspace's scope."""
        request.workspace = request.role = request.membership = None  # type: ignore[attr-defined]
        request.api_key = key_of(request)  # type: ignore[attr-defined]
        if request.api_key is not None:  # type: ignore[attr-defined]
            request.workspace = request.api_key.workspace  # type: ignore[attr-defined]
            request.role = request.api_key.role  # type: ignore[attr-defined]
        elif request.user.is_authenticated:
            chosen = choose_membership(request.user, request.session.get(SESSION_KEY))
            if chosen is not None:
                request.membership = chosen  # type: ignore[attr-defined]
                request.workspace = chosen.workspace  # type: ignore[attr-defined]
                request.role = chosen.role  # type: ignore[attr-defined]
        if request.workspace is None:  # type: ignore[attr-defined]
            return self.get_response(request)
        with in_workspace(request.workspace):  # type: ignore[attr-defined]
            return self.get_response(request)


def key_of(request: HttpRequest) -> ApiKey | None:
    """Return the live key of the Authorization header, None without one."""
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() not in {"bearer", "token"} or not key:
        return None
    with scopes_disabled():
        digest = ApiKey.digest_of(key.strip())
        found = ApiKey.objects.select_related("workspace").filter(digest=digest).first()
        if found is None or not found.is_live:
            return None
        _mark_used(found)
    return found


def _mark_used(key: ApiKey) -> None:
    at = timezone.now()
    if key.last_used_at is None or at - key.last_used_at > LAST_USED_STEP:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=at)
