"""Addresses of the core: people, keys and the workspace itself."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from crmsync.core.views import keys, people, workspace

urlpatterns: list[URLPattern | URLResolver] = [
    path("settings/people/", people.people, name="people"),
    path("settings/people/<int:pk>/role/", people.person_role, name="person-role"),
    path(
        "settings/people/<int:pk>/remove/", people.person_remove, name="person-remove"
    ),
    path(
        "settings/people/<int:pk>/letter/", people.person_letter, name="person-letter"
    ),
    path("settings/api-keys/", keys.api_keys, name="api-keys"),
    path(
        "settings/api-keys/<int:pk>/revoke/", keys.api_key_revoke, name="api-key-revoke"
    ),
    path("settings/workspace/", workspace.workspace_settings, name="workspace"),
    path("workspace/switch/", workspace.switch_workspace, name="switch-workspace"),
]
