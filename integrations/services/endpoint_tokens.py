"""Gives an endpoint a new address; the old one is closed at once."""

from __future__ import annotations

from django.db import transaction

from crmsync.core.services import Actor, audit
from integrations.models import Endpoint


@transaction.atomic
def rotate_token(endpoint: Endpoint, actor: Actor) -> Endpoint:
    """Store a new token; who posts to the old address gets 404 within seconds."""
    endpoint.token = Endpoint.new_token()
    endpoint.token_digest = Endpoint.digest_of(endpoint.token)
    endpoint.save(update_fields=["token", "token_digest"])
    audit(endpoint.workspace, actor, "endpoint.rotated", target=endpoint)
    return endpoint
