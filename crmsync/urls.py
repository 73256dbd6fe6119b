"""Where every address leads; webhooks are taken before Django (`crmsync.asgi`)."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

import crmsync.core.admin  # noqa: F401 - the console's pages register themselves
import integrations.admin  # noqa: F401
import leads.admin  # noqa: F401
from crmsync.core.api.base import Nothing
from crmsync.core.api.docs import DocsView, SchemaView
from crmsync.core.views.health import healthz, readyz
from integrations.views.metrics import metrics

api = [
    path("", include("crmsync.core.api.urls")),
    path("", include("leads.api.urls")),
    path("", include("integrations.api.urls")),
]
urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", DocsView.as_view(), name="docs"),
    path("api/v1/", include((api, "api"))),
    re_path(r"^api/", Nothing.as_view(), name="api-nothing"),
    path("", include("crmsync.core.urls")),
    path("", include("leads.urls")),
    path("", include("integrations.urls")),
]
