"""The pages that machines look at: is it up, is it ready."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from crmsync.core.readiness import Status, look


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process runs; asks nothing of anyone."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say how each part stands: 200 when ok or degraded, 503 when one is failing."""
    found = look()
    status = 503 if found.status == Status.FAILING else 200
    return JsonResponse(found.as_json(), status=status)
