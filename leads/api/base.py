"""Writing records through the API: the services decide, this says what they said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from structlog.contextvars import get_contextvars

from crmsync.core.api.base import (
    ScopedViewSet,
    StrictSerializer,
    actor_of,
    workspace_of,
)
from crmsync.core.api.errors import Conflict
from crmsync.core.roles import Can
from leads.facts import Origin
from leads.services import records, removal
from leads.services.errors import InvalidFields, NoSuchRecord, Stale
from leads.services.records import Edit


def origin_of(request: Request) -> Origin:
    """Return the API call as the origin of changes."""
    actor = actor_of(request)
    trace_id = str(get_contextvars().get("request_id", ""))[:40]
    if actor.api_key is not None:
        label = actor.api_key.name[:120]
        return Origin("api", str(actor.api_key.pk), label, trace_id)
    assert actor.user is not None
    return Origin("user", str(actor.user.pk), str(actor.user)[:120], trace_id)


def as_detail(fields: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return messages in the framework's shape; `custom.tier` is nested.

    >>> as_detail({"custom.tier": ("Too long.",)})
    {'custom': {'tier': ['Too long.']}}
    """
    detail: dict[str, Any] = {}
    for name, messages in fields.items():
        outer, _, inner = name.partition(".")
        if inner:
            detail.setdefault(outer, {})[inner] = list(messages)
        else:
            detail[name] = list(messages)
    return detail


class RecordViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """Lists, shows, makes, changes and deletes records of one type."""

    needs: ClassVar[Mapping[str, Can]] = {"destroy": Can.DELETE_RECORDS}
    record_type: ClassVar[str]
    body: ClassVar[type[StrictSerializer]]

    def create(self, request: Request) -> Response:
        """Make a record."""
        values = self.checked(self.body)
        values.pop("version", None)
        (made,) = records.create(
            workspace_of(request), self.record_type, [values], origin=origin_of(request)
        )
        return self.shown(self.get_queryset().get(pk=made.pk), status=201)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change fields; absent ones stay, null clears.

        With `version` the change is refused (409) when somebody else was faster.
        """
        row, values = self.get_object(), self.checked(self.body)
        edit = Edit(row.pk, values, values.pop("version", None))
        records.update(
            workspace_of(request), self.record_type, [edit], origin=origin_of(request)
        )
        return self.shown(self.get_queryset().get(pk=row.pk))

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete a record for good, and what cannot be without it."""
        row = self.get_object()
        removal.delete(
            workspace_of(request),
            self.record_type,
            [row.pk],
            origin=origin_of(request),
        )
        return Response(status=204)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer what the services raise."""
        if isinstance(exc, InvalidFields):
            exc = ValidationError(as_detail(exc.fields))
        elif isinstance(exc, Stale):
            exc = Conflict(str(exc), code="stale")
        elif isinstance(exc, NoSuchRecord):
            exc = NotFound()
        return super().handle_exception(exc)
