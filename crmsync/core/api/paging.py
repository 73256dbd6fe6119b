"""Pages by key, newest first: the tenth page costs what the first does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError as InvalidValue
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

if TYPE_CHECKING:  # settings name this module: importing views would be a circle
    from rest_framework.views import APIView


class KeysetPagination(CursorPagination):
    """`?limit=` up to 500; `next` and `previous` are addresses to follow."""

    ordering = "-id"
    page_size_query_param = "limit"
    max_page_size = 500

    def get_page_size(self, request: Request) -> int:
        """Return the wanted size. Raises ValidationError for what is no size."""
        given = request.query_params.get("limit")
        if given is None:
            return int(self.page_size or 50)
        if not given.isascii() or not given.isdigit() or len(given) > 9:
            raise ValidationError({"limit": [f"A number up to {self.max_page_size}."]})
        if int(given) < 1:
            raise ValidationError({"limit": ["At least 1."]})
        return min(int(given), self.max_page_size)

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """Return one page. Raises NotFound for a cursor that is not one of ours."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, TypeError, InvalidValue, OverflowError) as error:
            raise NotFound(self.invalid_cursor_message) from error
