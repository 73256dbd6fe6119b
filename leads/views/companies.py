"""The list of companies."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render

from crmsync.core.roles import Can
from crmsync.core.views.access import PageRequest, needs
from crmsync.core.views.paging import keyset
from leads import browse

COLUMNS = [
    {"label": "Company"},
    {"label": "Place"},
    {"label": "Industry"},
    {"label": "Leads", "end": True},
    {"label": "Deals", "end": True},
]


@needs(Can.VIEW_RECORDS)
def company_list(request: PageRequest) -> HttpResponse:
    """Show the companies, searched."""
    rows = browse.companies_of(request.GET).annotate(
        lead_count=Count("leads", distinct=True),
        deal_count=Count("deals", distinct=True),
    )
    context = {
        "page_title": "Companies",
        "page": keyset(rows, request.GET),
        "columns": COLUMNS,
        "filtered": bool(request.GET.get("q")),
    }
    return render(request, "leads/company_list.html", context)
