"""Addresses of the API of a workspace itself."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from crmsync.core.api import views

router = SimpleRouter(use_regex_path=False)
router.register("api-keys", views.ApiKeyViewSet, basename="api-key")
router.register("members", views.MemberViewSet, basename="member")
router.register("audit", views.AuditViewSet, basename="audit")

urlpatterns = [
    path("me/", views.MeView.as_view(), name="me"),
    path("health/ledger", views.LedgerView.as_view(), name="ledger"),
    *router.urls,
]
