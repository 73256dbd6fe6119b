"""Pages by key, newest first: the tenth page costs what the first does."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class KeysetPagination(CursorPagination):
    """`?limit=` up to 500; `next` and `previous` are addresses to follow."""

    ordering = "-id"
    page_size_query_param = "limit"
    max_page_size = 500
