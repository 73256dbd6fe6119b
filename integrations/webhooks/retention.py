"""Drops rejected deliveries that are too old or too many."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django_scopes import scopes_disabled

from integrations.models import Delivery

_CHUNK = 500


@scopes_disabled()
def prune() -> int:
    """Keep the newest rejected deliveries of each workspace; return how many went."""
    rejected = Delivery.objects.filter(state=Delivery.State.REJECTED)
    oldest = timezone.now() - timedelta(days=settings.WEBHOOK_REJECTED_DAYS)
    gone = _delete(rejected.filter(received_at__lt=oldest))
    owners = rejected.order_by().values_list("workspace", flat=True)
    for workspace_id in owners.distinct():
        theirs = rejected.filter(workspace=workspace_id).order_by("-pk")
        newest = theirs.values_list("pk", flat=True)
        first_too_many = newest[settings.WEBHOOK_REJECTED_KEEP :].first()
        if first_too_many is not None:
            gone += _delete(theirs.filter(pk__lte=first_too_many))
    return gone


def _delete(rows: QuerySet[Delivery]) -> int:
    """Delete in small transactions, so that the inbox is never locked for long."""
    gone = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:_CHUNK]):
        Delivery.objects.filter(pk__in=ids).delete()
        gone += len(ids)
    return gone
