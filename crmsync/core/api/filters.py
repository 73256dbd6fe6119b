"""Filters that say when they do not understand, instead of answering it all."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

if TYPE_CHECKING:  # settings name this module: importing views would be a circle
    from rest_framework.views import APIView


class IdField(forms.IntegerField):
    """An id that a database can be asked for."""

    def __init__(self, **options: Any) -> None:
        options.pop("min_value", None)
        super().__init__(min_value=1, max_value=2**63 - 1, **options)


@extend_schema_field(OpenApiTypes.INT)
class IdFilter(filters.NumberFilter):
    """Filters by an id; half of one is refused."""

    field_class = IdField

    def get_max_validator(self) -> None:
        """Leave the limit to the field."""


class MomentField(filters.IsoDateTimeFilter.field_class):
    """A time in UTC; PostgreSQL refuses offsets that ISO 8601 allows."""

    def clean(self, value: Any) -> Any:
        """Return the time. Raises ValidationError for one that UTC has no year for."""
        found = super().clean(value)
        try:
            return found.astimezone(UTC) if found else found
        except OverflowError as error:
            raise forms.ValidationError("This time is out of range.") from error


class MomentFilter(filters.IsoDateTimeFilter):
    """Filters by a time in ISO form."""

    field_class = MomentField


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
