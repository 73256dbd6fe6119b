"""Filters that say when they do not understand, instead of answering it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

if TYPE_CHECKING:  # settings name this module: importing views would be a circle
    from rest_framework.views import APIView

PAGING = frozenset({"cursor", "limit"})


class StrictFilterBackend(DjangoFilterBackend):
    """Filters lists; a parameter nobody knows is a 400, for single records too."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        """Return what the parameters leave. Raises ValidationError."""
        filterset = self.get_filterset(request, queryset, view)
        listing = getattr(view, "action", "list") == "list"
        known = {*filterset.filters, *PAGING} if filterset and listing else PAGING
        refuse_unknown(request, known if listing else frozenset())
        if not listing:
            return queryset
        found: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return found


def refuse_unknown(request: Request, known: frozenset[str] | set[str]) -> None:
    """Raise ValidationError naming the parameters that are none."""
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        told = f"Unknown parameter. Known: {', '.join(sorted(known)) or 'none'}."
        raise ValidationError({name: [told] for name in unknown})
