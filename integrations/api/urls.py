"""Addresses of the API of other systems."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from integrations.api import sync, views

router = SimpleRouter(use_regex_path=False)
router.register("connections", views.ConnectionViewSet, basename="connection")
router.register("mappings", views.MappingViewSet, basename="mapping")
router.register("endpoints", views.EndpointViewSet, basename="endpoint")
router.register("deliveries", views.DeliveryViewSet, basename="delivery")
router.register("sync/rows", sync.RowViewSet, basename="sync-row")
router.register("sync/entries", sync.EntryViewSet, basename="sync-entry")

urlpatterns = [
    path("leads/<int:pk>/timeline/", sync.TimelineView.as_view(), name="lead-timeline"),
    path("sync/now/", sync.SendView.as_view(), name="sync-now"),
    *router.urls,
]
