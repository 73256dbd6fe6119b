"""Addresses of the API of other systems."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from integrations.api import conflicts, forms, links, mappings, runs, sync, views
from integrations.api.pairing import KeptApartViewSet
from integrations.api.standing import StandingView

router = SimpleRouter(use_regex_path=False)
router.register("connections", views.ConnectionViewSet, basename="connection")
router.register("mappings", mappings.MappingViewSet, basename="mapping")
router.register("endpoints", views.EndpointViewSet, basename="endpoint")
router.register("deliveries", views.DeliveryViewSet, basename="delivery")
router.register("runs", runs.RunViewSet, basename="run")
router.register("conflicts", conflicts.ConflictViewSet, basename="conflict")
router.register("links", links.LinkViewSet, basename="link")
router.register("kept-apart", KeptApartViewSet, basename="kept-apart")
router.register("sync/rows", sync.RowViewSet, basename="sync-row")
router.register("sync/entries", sync.EntryViewSet, basename="sync-entry")

RECORDS = {
    "leads": "lead",
    "companies": "company",
    "deals": "deal",
    "activities": "activity",
    "campaigns": "campaign",
    "campaign-members": "campaign_member",
}

urlpatterns = [
    *(
        path(
            f"{words}/<int:pk>/standing/",
            StandingView.as_view(record_type=record_type),
            name=f"{record_type}-standing",
        )
        for words, record_type in RECORDS.items()
    ),
    path("leads/<int:pk>/timeline/", sync.TimelineView.as_view(), name="lead-timeline"),
    path(
        "runs/<int:pk>/entries/",
        runs.RunEntryViewSet.as_view({"get": "list"}),
        name="run-entries",
    ),
    path("connections/<int:pk>/forms/", forms.FormListView.as_view(), name="forms"),
    path(
        "connections/<int:pk>/forms/<str:remote_id>/",
        forms.FormView.as_view(),
        name="form",
    ),
    path("sync/now/", sync.SendView.as_view(), name="sync-now"),
    *router.urls,
]
