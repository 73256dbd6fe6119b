"""Addresses of the API of records."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from leads.api import merges, views

router = SimpleRouter(use_regex_path=False)
router.register("leads", views.LeadViewSet, basename="lead")
router.register("companies", views.CompanyViewSet, basename="company")
router.register("deals", views.DealViewSet, basename="deal")
router.register("activities", views.ActivityViewSet, basename="activity")
router.register("campaigns", views.CampaignViewSet, basename="campaign")
router.register(
    "campaign-members", views.CampaignMemberViewSet, basename="campaign-member"
)
router.register("pipelines", views.PipelineViewSet, basename="pipeline")
router.register("custom-fields", views.CustomFieldViewSet, basename="custom-field")
router.register("merges", merges.MergeViewSet, basename="merge")

urlpatterns = router.urls
