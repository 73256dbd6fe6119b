"""Where every address leads; webhooks are taken before Django (`crmsync.asgi`)."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
    path("", include("crmsync.core.urls")),
    path("", include("leads.urls")),
    path("", include("integrations.urls")),
]
