"""The API of connections, endpoints and deliveries."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from crmsync.core.api.base import ScopedViewSet, actor_of, role_of, workspace_of
from crmsync.core.api.errors import Conflict
from crmsync.core.roles import Can, allows
from crmsync.core.services import audit
from crmsync.core.wake import wake_after_commit
from integrations.api import filters, serializers
from integrations.models import Connection, Delivery, Endpoint
from integrations.services import (
    ConnectionRefused,
    connect_with_token,
    disconnect,
    reconnect_with_token,
    samples,
)
from integrations.services.connect import queue_setup
from integrations.services.endpoint_tokens import rotate_token
from integrations.services.endpoints import change_endpoint, create_endpoint
from integrations.webhooks import inbox


class ConnectionViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """Connected CRM accounts."""

    model = Connection
    related = ("channel",)
    reads = Can.VIEW_SYNC
    writes = Can.MANAGE_CONNECTIONS
    needs = {"refresh": Can.EDIT_MAPPINGS}
    serializer_class = serializers.ConnectionSerializer
    filterset_class = filters.ConnectionFilters

    @extend_schema(
        request=serializers.NewConnectionBody,
        responses={201: serializers.ConnectionSerializer},
    )
    def create(self, request: Request) -> Response:
        """Connect an account by a private app token, which is checked at the vendor.

        The same account again gets the new token and stays one connection.
        """
        values = self.checked(serializers.NewConnectionBody)
        actor = actor_of(request)
        connection = connect_with_token(
            workspace_of(request),
            vendor=values["vendor"],
            name=values.get("name", ""),
            token=values["token"],
            api_url=values.get("api_url", ""),
            user=actor.user,
        )
        self._noted(connection, "connection.connected")
        return self.shown(connection, status=201)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Disconnect: forget the secrets, stop sending; links and history stay."""
        connection = self.get_object()
        disconnect(connection)
        self._noted(connection, "connection.disconnected")
        return Response(status=204)

    @extend_schema(
        request=serializers.TokenBody, responses=serializers.ConnectionSerializer
    )
    @action(detail=True, methods=["post"])
    def reconnect(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give the connection a new token of the same account."""
        connection = self.get_object()
        values = self.checked(serializers.TokenBody)
        reconnect_with_token(
            connection, values["token"], api_url=values.get("api_url", "")
        )
        self._noted(connection, "connection.reconnected")
        return self.shown(connection)

    @extend_schema(request=None, responses={202: serializers.ConnectionSerializer})
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Read the account's fields, pipelines and owners again."""
        connection = self.get_object()
        if connection.status == Connection.Status.DISCONNECTED:
            raise Conflict("It is disconnected; connect it again first.")
        queue_setup(connection)
        self._noted(connection, "connection.refreshed")
        return self.shown(connection, status=202)

    def _noted(self, connection: Connection, what: str) -> None:
        actor = actor_of(self.request)
        audit(connection.workspace, actor, what, target=connection)
        wake_after_commit("integrations.tasks.drain", "sync")

    def handle_exception(self, exc: Exception) -> Response:
        """Answer a refused account with the reason."""
        if isinstance(exc, ConnectionRefused):
            exc = ValidationError({"token": [str(exc)]})
        return super().handle_exception(exc)


class EndpointViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """Addresses that take webhooks."""

    model = Endpoint
    reads = Can.VIEW_SYNC
    writes = Can.MANAGE_WORKSPACE
    serializer_class = serializers.EndpointSerializer

    def get_serializer_context(self) -> dict[str, Any]:
        """Say whether the caller may see the addresses."""
        fake = getattr(self, "swagger_fake_view", False)
        manages = not fake and allows(role_of(self.request), Can.MANAGE_WORKSPACE)
        return {**super().get_serializer_context(), "may_manage": manages}

    @extend_schema(
        request=serializers.NewEndpointBody,
        responses={201: serializers.EndpointSerializer},
    )
    def create(self, request: Request) -> Response:
        """Make an address; give the `url` of the answer to the source."""
        values = self.checked(serializers.NewEndpointBody)
        endpoint = create_endpoint(workspace_of(request), actor_of(request), values)
        return self.shown(endpoint, status=201)

    @extend_schema(
        request=serializers.EndpointBody, responses=serializers.EndpointSerializer
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Rename, switch off, give new secrets, or choose where deals start."""
        endpoint, values = self.get_object(), self.checked(serializers.EndpointBody)
        return self.shown(change_endpoint(endpoint, actor_of(request), values))

    @extend_schema(request=None, responses=serializers.EndpointSerializer)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give the endpoint a new address; the old one is closed at once."""
        return self.shown(rotate_token(self.get_object(), actor_of(request)))

    @extend_schema(request=None, responses={202: serializers.SampleSerializer})
    @action(detail=True, methods=["post"])
    def sample(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let a sample of an invented person arrive, to see the whole way."""
        endpoint = self.get_object()
        if not samples.has_sample(endpoint.source) or not endpoint.active:
            raise Conflict(
                "There is no sample for this endpoint, or it is switched off."
            )
        delivery_id = samples.send_sample(endpoint, actor_of(request))
        return Response({"delivery_id": delivery_id}, status=202)


class DeliveryViewSet(ListModelMixin, RetrieveModelMixin, ScopedViewSet):
    """Webhook requests as they arrived."""

    model = Delivery
    reads = Can.VIEW_SYNC
    writes = Can.RETRY_SYNC
    serializer_class = serializers.DeliverySerializer
    filterset_class = filters.DeliveryFilters

    def get_queryset(self) -> QuerySet[Any]:
        """Return deliveries; lists leave the bodies where they are."""
        rows = super().get_queryset()
        if self.action == "retrieve":
            return rows.prefetch_related("events")
        return rows.defer("body", "headers", "traceback")

    @extend_schema(responses=serializers.DeliveryDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show one request, body and all, and what was in it."""
        delivery = self.get_object()
        return Response(serializers.DeliveryDetailSerializer(delivery).data)

    @extend_schema(request=None, responses={202: serializers.DeliverySerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Process the request again; what was recorded is not recorded twice."""
        delivery = self.get_object()
        if not inbox.replay([delivery.pk]):
            raise Conflict("A rejected delivery cannot be replayed.")
        wake_after_commit("integrations.tasks.process_deliveries", "ingest")
        return self.shown(self.get_queryset().get(pk=delivery.pk), status=202)
