"""The list of leads, and making and changing one."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from crmsync.core.roles import Can
from crmsync.core.views.access import PageRequest, needs
from crmsync.core.views.paging import keyset
from leads import browse
from leads.models import Lead

COLUMNS = [
    {"label": "Lead"},
    {"label": "Company"},
    {"label": "Status"},
    {"label": "Score", "end": True},
    {"label": "Owner"},
    {"label": "Last activity", "end": True},
]
FILTERS = ("q", "status", "owner", "score", "source", "campaign")


@needs(Can.VIEW_RECORDS)
def lead_list(request: PageRequest) -> HttpResponse:
    """Show the leads, searched, filtered and sorted."""
    query = request.GET
    by, _ = browse.SORTS[browse.sort_of(query)]
    filtered = any(query.get(name) for name in FILTERS)
    context = {
        "page_title": "Leads",
        "page": keyset(browse.leads_of(query, request.user), query, by=by),
        "choices": [
            *browse.lead_choices(query, request.workspace),
            browse.sort_choice(query),
        ],
        "columns": COLUMNS,
        "filtered": filtered,
        "none_at_all": filtered and not Lead.objects.exists(),
    }
    return render(request, "leads/lead_list.html", context)
