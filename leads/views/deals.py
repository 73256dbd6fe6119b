"""Deals as a list and as a board by stage."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Sum
from django.http import HttpResponse
from django.shortcuts import render

from crmsync.core.roles import Can
from crmsync.core.views.access import PageRequest, needs
from crmsync.core.views.paging import keyset
from leads import browse
from leads.models import Deal, Pipeline, Stage

COLUMNS = [
    {"label": "Deal"},
    {"label": "Lead"},
    {"label": "Stage"},
    {"label": "Amount", "end": True},
    {"label": "Owner"},
    {"label": "Opened", "end": True},
]
FILTERS = ("q", "stage", "pipeline", "owner")
# A column of the board shows so many; the list has all of them.
PER_COLUMN = 20


@needs(Can.VIEW_RECORDS)
def deal_list(request: PageRequest) -> HttpResponse:
    """Show the deals, searched and filtered."""
    query = request.GET
    context = {
        "page_title": "Deals",
        "page": keyset(browse.deals_of(query, request.user), query),
        "choices": browse.deal_choices(query, request.workspace),
        "columns": COLUMNS,
        "filtered": any(query.get(name) for name in FILTERS),
    }
    return render(request, "leads/deal_list.html", context)


@dataclass(frozen=True, slots=True)
class Column:
    """One stage of the board. sums: (currency, amount) of all its deals."""

    stage: Stage
    deals: list[Deal]
    count: int
    sums: list[tuple[str, Decimal]]

    @property
    def more(self) -> int:
        """Return how many deals the column does not show."""
        return self.count - len(self.deals)


@needs(Can.VIEW_RECORDS)
def deal_board(request: PageRequest) -> HttpResponse:
    """Show one pipeline's deals by stage."""
    pipelines = list(Pipeline.objects.order_by("-is_default", "name"))
    wanted = request.GET.get("pipeline", "")
    chosen = next((one for one in pipelines if str(one.pk) == wanted), None)
    pipeline = chosen or next(iter(pipelines), None)
    context = {
        "page_title": "Deals",
        "pipelines": pipelines,
        "pipeline": pipeline,
        "columns": _columns(pipeline) if pipeline else [],
    }
    return render(request, "leads/deal_board.html", context)


def _columns(pipeline: Pipeline) -> list[Column]:
    stages = list(pipeline.stages.order_by("position"))
    mine = Deal.objects.filter(pipeline=pipeline)
    counted = mine.order_by().values_list("stage_id").annotate(n=Count("id"))
    counts = dict(counted)
    sums: dict[int, list[tuple[str, Decimal]]] = {}
    money = mine.filter(amount__isnull=False).order_by("currency")
    summed = money.values_list("stage_id", "currency").annotate(total=Sum("amount"))
    for stage_id, currency, total in summed:
        sums.setdefault(stage_id, []).append((currency, total))
    return [
        Column(
            stage,
            list(
                mine.filter(stage=stage)
                .select_related("lead", "owner")
                .order_by("-id")[:PER_COLUMN]
            ),
            counts.get(stage.pk, 0),
            sums.get(stage.pk, []),
        )
        for stage in stages
    ]
