"""Addresses of connections, mappings, errors and the inbox."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from integrations.views import (
    conflicts,
    connections,
    deciding,
    deliveries,
    endpoints,
    errors,
    forms,
    home,
    mappings,
    oauth,
    record_pages,
    runs,
    starting,
)

LEAD, COMPANY, DEAL = ({"record_type": name} for name in ("lead", "company", "deal"))
STANDING, SYNC_NOW = record_pages.record_standing, record_pages.sync_now
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("leads/<int:pk>/", record_pages.lead_page, name="lead"),
    path("leads/<int:pk>/standing/", STANDING, LEAD, name="lead-standing"),
    path("leads/<int:pk>/sync/", SYNC_NOW, LEAD, name="lead-sync"),
    path("companies/<int:pk>/", record_pages.company_page, name="company"),
    path("companies/<int:pk>/standing/", STANDING, COMPANY, name="company-standing"),
    path("companies/<int:pk>/sync/", SYNC_NOW, COMPANY, name="company-sync"),
    path("deals/<int:pk>/", record_pages.deal_page, name="deal"),
    path("deals/<int:pk>/standing/", STANDING, DEAL, name="deal-standing"),
    path("deals/<int:pk>/sync/", SYNC_NOW, DEAL, name="deal-sync"),
    path("connections/<slug:vendor>/connect/", oauth.start, name="oauth-start"),
    path("oauth/<slug:vendor>/callback/", oauth.callback, name="oauth-callback"),
    path("oauth/<slug:vendor>/problem/", oauth.problem, name="oauth-problem"),
    path("connections/", connections.connection_list, name="connections"),
    path(
        "connections/<slug:vendor>/new/",
        connections.connection_new,
        name="connection-new",
    ),
    path("connections/<int:pk>/", connections.connection_page, name="connection"),
    path(
        "connections/<int:pk>/setup/",
        connections.connection_setup,
        name="connection-setup",
    ),
    path(
        "connections/<int:pk>/reconnect/",
        connections.connection_reconnect,
        name="connection-reconnect",
    ),
    path(
        "connections/<int:pk>/refresh/",
        connections.connection_refresh,
        name="connection-refresh",
    ),
    path(
        "connections/<int:pk>/disconnect/",
        connections.connection_close,
        name="connection-close",
    ),
    path(
        "connections/<int:pk>/forms/", forms.connection_forms, name="connection-forms"
    ),
    path("connections/<int:pk>/forms/switch/", forms.form_switch, name="form-switch"),
    path("mappings/", mappings.mapping_list, name="mappings"),
    path("mappings/<int:pk>/", mappings.mapping, name="mapping"),
    path("mappings/<int:pk>/switch/", starting.mapping_switch, name="mapping-switch"),
    path("mappings/<int:pk>/first/", starting.mapping_first, name="mapping-first"),
    path("mappings/<int:pk>/sync/", starting.mapping_runs, name="mapping-runs"),
    path("mappings/<int:pk>/start/", starting.mapping_start, name="mapping-start"),
    path("conflicts/", conflicts.conflict_list, name="conflicts"),
    path("conflicts/decide/", conflicts.conflict_decide, name="conflicts-decide"),
    path(
        "conflicts/<int:pk>/restore/",
        conflicts.conflict_restore,
        name="conflict-restore",
    ),
    path("runs/", runs.run_list, name="runs"),
    path("runs/<int:pk>/", runs.run_page, name="run"),
    path("runs/<int:pk>/live/", runs.run_live, name="run-live"),
    path("runs/<int:pk>/steer/", runs.run_steer, name="run-steer"),
    path("runs/<int:pk>/revert/", runs.run_revert, name="run-revert"),
    path("runs/<int:pk>/retry/", runs.run_retry, name="run-retry"),
    path("runs/<int:pk>/export/", runs.run_export, name="run-export"),
    path("errors/", errors.issue_list, name="errors"),
    path("errors/<int:pk>/", errors.issue, name="issue"),
    path("errors/<int:pk>/decide/", deciding.issue_decide, name="issue-decide"),
    path("errors/<int:pk>/parent/", deciding.issue_parent, name="issue-parent"),
    path(
        "kept-apart/<int:pk>/forget/",
        deciding.kept_apart_forget,
        name="kept-apart-forget",
    ),
    path("errors/retry/", errors.issue_retry, name="errors-retry"),
    path("errors/export/", errors.issue_export, name="errors-export"),
    path("deliveries/", deliveries.delivery_list, name="deliveries"),
    path("deliveries/<int:pk>/", deliveries.delivery, name="delivery"),
    path(
        "deliveries/<int:pk>/replay/",
        deliveries.delivery_replay,
        name="delivery-replay",
    ),
    path("settings/endpoints/", endpoints.endpoint_list, name="endpoints"),
    path("settings/endpoints/new/", endpoints.endpoint_new, name="endpoint-new"),
    path("settings/endpoints/<int:pk>/", endpoints.endpoint, name="endpoint"),
    path(
        "settings/endpoints/<int:pk>/rotate/",
        endpoints.endpoint_rotate,
        name="endpoint-rotate",
    ),
    path(
        "settings/endpoints/<int:pk>/switch/",
        endpoints.endpoint_switch,
        name="endpoint-switch",
    ),
    path(
        "settings/endpoints/<int:pk>/sample/",
        endpoints.endpoint_sample,
        name="endpoint-sample",
    ),
]
