"""What a CRM has to be asked to tell, so that its connection's mappings hear of it."""

from __future__ import annotations

from integrations.models import Endpoint, FieldMapping, ObjectMapping
from integrations.webhooks.sources import SOURCES


def subscriptions_of(endpoint: Endpoint) -> list[str]:
    """Return what to subscribe to in the CRM, in its own words, by its mappings."""
    source = SOURCES.get(endpoint.source)
    if source is None or endpoint.connection_id is None:
        return []
    found: list[str] = []
    for remote_object, fields in _read_fields(endpoint.connection_id).items():
        found += source.subscriptions(remote_object, fields)
    return found


def _read_fields(connection_id: int) -> dict[str, list[str]]:
    """Return the fields that are read of each object, by its mappings."""
    both = [ObjectMapping.Direction.PULL, ObjectMapping.Direction.BOTH]
    mappings = ObjectMapping.objects.filter(
        connection=connection_id, direction__in=both
    )
    objects = dict(mappings.order_by("pk").values_list("pk", "remote_object"))
    rows = FieldMapping.objects.filter(mapping__in=objects, active=True)
    rows = rows.exclude(direction=FieldMapping.Direction.PUSH)
    found: dict[str, dict[str, None]] = {one: {} for one in objects.values()}
    for mapping_id, name in rows.values_list("mapping_id", "destination"):
        found[objects[mapping_id]].setdefault(name)
    return {remote_object: list(names) for remote_object, names in found.items()}
