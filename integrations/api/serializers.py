"""What connections, endpoints and deliveries look like in the API."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crmsync.core.api.base import StrictSerializer
from integrations.api.freshness import FreshnessSerializer
from integrations.connectors import CONNECTORS
from integrations.freshness import Freshness, of_connections
from integrations.models import (
    Connection,
    Delivery,
    Endpoint,
    Event,
)
from integrations.webhooks.sources import SOURCES

# --- connections ----------------------------------------------------------------------


class ConnectionSerializer(serializers.ModelSerializer[Connection]):
    """A connected account and how fresh it is; its secrets are never shown.

    `clock_offset_s`: the CRM's clock minus ours, null until it is known.
    """

    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)
    freshness = serializers.SerializerMethodField()

    class Meta:
        model = Connection
        fields = (
            "id",
            "vendor",
            "name",
            "auth",
            "status",
            "status_detail",
            "account_id",
            "account_name",
            "currency",
            "scopes",
            "last_ok_at",
            "clock_offset_s",
            "freshness",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    @extend_schema_field(FreshnessSerializer)
    def get_freshness(self, connection: Connection) -> dict[str, Any]:
        """Return how far behind each side may be."""
        return FreshnessSerializer(self._fresh[connection.pk]).data

    @cached_property
    def _fresh(self) -> Mapping[int, Freshness]:
        """How each connection that is shown stands: a page is read in one go."""
        shown = [self.instance] if self.parent is None else self.parent.instance
        return of_connections(shown or [], timezone.now())


class NewConnectionBody(StrictSerializer):
    """An account to be connected by the token of a private app."""

    vendor = serializers.ChoiceField(choices=sorted(CONNECTORS))
    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    token = serializers.CharField(max_length=4000, write_only=True)
    api_url = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="The account's own address, for vendors that give each one.",
    )


class TokenBody(StrictSerializer):
    """A new token of the same account, and its address where that has changed."""

    token = serializers.CharField(max_length=4000, write_only=True)
    api_url = serializers.CharField(max_length=200, required=False, allow_blank=True)


# --- endpoints and deliveries ---------------------------------------------------------


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    """An address that takes webhooks; `url` is shown to who may manage it.

    `connection_id`: whose changes it is told, where a CRM posts to it.
    """

    connection_id = serializers.IntegerField(read_only=True, allow_null=True)
    deal_stage_id = serializers.IntegerField(read_only=True, allow_null=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = Endpoint
        fields = (
            "id",
            "source",
            "name",
            "active",
            "deal_stage_id",
            "connection_id",
            "url",
            "created_at",
            "last_delivery_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_url(self, endpoint: Endpoint) -> str | None:
        """Return the address to the ones who may know it: it is the secret."""
        return endpoint.url if self.context.get("may_manage") else None


class EndpointBody(StrictSerializer):
    """What may change of an endpoint."""

    name = serializers.CharField(max_length=100, required=False)
    active = serializers.BooleanField(required=False)
    deal_stage_id = serializers.IntegerField(
        required=False, allow_null=True, min_value=1
    )
    secrets = serializers.ListField(
        child=serializers.CharField(max_length=500),
        required=False,
        write_only=True,
        max_length=5,
        help_text="What the source signs with, the newest first.",
    )


class NewEndpointBody(EndpointBody):
    """An endpoint to be made."""

    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=sorted(SOURCES)
    )
    connection_id = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        help_text="For a CRM: the connection whose changes it tells.",
    )


class SampleSerializer(serializers.Serializer[object]):
    """The delivery that a sample became."""

    delivery_id = serializers.IntegerField()


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One HTTP request, without its body."""

    endpoint_id = serializers.IntegerField(read_only=True)

    class Meta:
        model = Delivery
        fields: tuple[str, ...] = (
            "id",
            "endpoint_id",
            "received_at",
            "method",
            "size",
            "seen",
            "state",
            "status_code",
            "reason",
            "trace_id",
            "processed_at",
        )
        read_only_fields = fields


class EventSerializer(serializers.ModelSerializer[Event]):
    """One thing that happened in a delivery, and what it became."""

    lead_id = serializers.IntegerField(read_only=True, allow_null=True)
    activity_id = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = Event
        fields = (
            "id",
            "kind",
            "key",
            "lead_id",
            "activity_id",
            "outcome",
            "detail",
            "at",
        )
        read_only_fields = fields


class DeliveryDetailSerializer(DeliverySerializer):
    """One HTTP request as it came, and what was in it."""

    headers = serializers.DictField(child=serializers.CharField(), read_only=True)
    body = serializers.SerializerMethodField()
    body_encoding = serializers.SerializerMethodField()
    events = EventSerializer(many=True, read_only=True)

    class Meta(DeliverySerializer.Meta):
        fields = (
            *DeliverySerializer.Meta.fields,
            "headers",
            "body",
            "body_encoding",
            "traceback",
            "events",
        )
        read_only_fields = fields

    def get_body(self, delivery: Delivery) -> str:
        """Return the body as text where it is UTF-8, else in base64."""
        text = _as_text(bytes(delivery.body))
        if text is not None:
            return text
        return base64.b64encode(bytes(delivery.body)).decode()

    @extend_schema_field(serializers.ChoiceField(choices=["text", "base64"]))
    def get_body_encoding(self, delivery: Delivery) -> str:
        """Return how to read `body`."""
        return "base64" if _as_text(bytes(delivery.body)) is None else "text"


def _as_text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
