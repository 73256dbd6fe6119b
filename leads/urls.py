"""Addresses of records. Their own pages show syncs too: `integrations.urls`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from leads.views import companies, customfields, deals, editing, leads, removal

LEAD, COMPANY, DEAL = ({"record_type": name} for name in ("lead", "company", "deal"))
urlpatterns: list[URLPattern | URLResolver] = [
    path("leads/", leads.lead_list, name="leads"),
    path("leads/new/", editing.record_new, LEAD, name="lead-new"),
    path("leads/<int:pk>/edit/", editing.record_edit, LEAD, name="lead-edit"),
    path("leads/<int:pk>/merge/", removal.record_merge, LEAD, name="lead-merge"),
    path("leads/<int:pk>/delete/", removal.record_delete, LEAD, name="lead-delete"),
    path(
        "leads/<int:pk>/notes/", editing.activity_add, {"kind": "note"}, name="note-add"
    ),
    path(
        "leads/<int:pk>/tasks/", editing.activity_add, {"kind": "task"}, name="task-add"
    ),
    path("tasks/<int:pk>/done/", editing.task_done, name="task-done"),
    path("companies/", companies.company_list, name="companies"),
    path("companies/new/", editing.record_new, COMPANY, name="company-new"),
    path("companies/<int:pk>/edit/", editing.record_edit, COMPANY, name="company-edit"),
    path(
        "companies/<int:pk>/merge/", removal.record_merge, COMPANY, name="company-merge"
    ),
    path(
        "companies/<int:pk>/delete/",
        removal.record_delete,
        COMPANY,
        name="company-delete",
    ),
    path("deals/", deals.deal_list, name="deals"),
    path("deals/board/", deals.deal_board, name="deals-board"),
    path("deals/new/", editing.record_new, DEAL, name="deal-new"),
    path("deals/<int:pk>/edit/", editing.record_edit, DEAL, name="deal-edit"),
    path("deals/<int:pk>/merge/", removal.record_merge, DEAL, name="deal-merge"),
    path("deals/<int:pk>/delete/", removal.record_delete, DEAL, name="deal-delete"),
    path("deals/<int:pk>/move/", editing.deal_move, name="deal-move"),
    path("merges/<int:pk>/undo/", removal.merge_undo, name="merge-undo"),
    path("settings/fields/", customfields.custom_fields, name="custom-fields"),
    path("settings/fields/<int:pk>/", customfields.custom_field, name="custom-field"),
    path(
        "settings/fields/<int:pk>/archive/",
        customfields.custom_field_archive,
        name="custom-field-archive",
    ),
]
