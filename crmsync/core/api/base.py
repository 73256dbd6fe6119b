"""What all API views share: the workspace's rows only, strict bodies, one error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from crmsync.core.models import ApiKey, User, Workspace
from crmsync.core.roles import Can
from crmsync.core.services import Actor, Refused


def workspace_of(request: Request) -> Workspace:
    """Return the workspace the caller speaks in."""
    return request._request.workspace  # type: ignore[attr-defined] # noqa: SLF001


def role_of(request: Request) -> str:
    """Return the caller's role."""
    return str(request._request.role)  # type: ignore[attr-defined] # noqa: SLF001


def actor_of(request: Request) -> Actor:
    """Return who calls, for the audit trail."""
    key: ApiKey | None = request._request.api_key  # type: ignore[attr-defined] # noqa: SLF001
    user = request.user if key is None and isinstance(request.user, User) else None
    return Actor(user, key)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses names it does not know; read-only ones of a round trip are ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values. Raises ValidationError for unknown names."""
        if isinstance(data, Mapping):
            unknown = [str(name) for name in data if name not in self.fields]
            if unknown:
                raise ValidationError({name: ["Unknown field."] for name in unknown})
        return super().to_internal_value(data)


class ScopedViewSet(GenericViewSet[Any]):
    """Serves rows of the caller's workspace; all others do not exist."""

    model: ClassVar[type[Any]]
    related: ClassVar[tuple[str, ...]] = ()
    prefetched: ClassVar[tuple[str, ...]] = ()
    lookup_value_converter = "int"
    # A PUT would have to say every field; a PATCH says what changes.
    http_method_names = ("get", "post", "patch", "delete", "head", "options")

    reads: ClassVar[Can] = Can.VIEW_RECORDS
    writes: ClassVar[Can] = Can.EDIT_RECORDS
    needs: ClassVar[Mapping[str, Can]] = {}

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows of the current workspace."""
        if getattr(self, "swagger_fake_view", False):
            return self.model.objects.none()
        rows = self.model.objects.select_related(*self.related)
        return rows.prefetch_related(*self.prefetched)

    def checked(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """Return the request's body as the serializer understands it."""
        body = serializer(data=self.request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def shown(self, row: Model, *, status: int = 200) -> Response:
        """Return the answer that shows one row."""
        return Response(self.get_serializer(row).data, status=status)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a refusal of the services as what it is: a 400 with its field."""
        if isinstance(exc, Refused):
            exc = ValidationError({exc.field: [exc.message]})
        return super().handle_exception(exc)


class Nothing(APIView):
    """Answers for addresses under the API that lead nowhere, in the API's own shape."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Say that there is nothing, whatever the method."""
        raise NotFound
