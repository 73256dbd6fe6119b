"""Which records a person said are two, though they look like one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from integrations.models import KeptApart, ObjectMapping
from integrations.sync.subjects import Apart


def of_records(
    mapping: ObjectMapping, record_ids: Collection[int]
) -> Mapping[int, tuple[Apart, ...]]:
    """Return record id -> the remote records it is not. Costs nothing where none is."""
    if not mapping.keeps_apart or not record_ids:
        return {}
    rows = KeptApart.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        record_id__in=list(record_ids),
    )
    found: dict[int, tuple[Apart, ...]] = {}
    for one in rows.order_by("pk"):
        apart = Apart(one.remote_object, one.remote_id, one.field, one.digest)
        found[one.record_id] = (*found.get(one.record_id, ()), apart)
    return found


def of_remote(
    mapping: ObjectMapping, remote_ids: Collection[str]
) -> Mapping[str, set[int]]:
    """Return remote id -> the records of ours that it is not."""
    if not mapping.keeps_apart or not remote_ids:
        return {}
    rows = KeptApart.objects.filter(
        connection=mapping.connection,
        record_type=mapping.record_type,
        remote_object=mapping.remote_object,
        remote_id__in=list(remote_ids),
    )
    found: dict[str, set[int]] = defaultdict(set)
    for remote_id, record_id in rows.values_list("remote_id", "record_id"):
        found[remote_id].add(record_id)
    return found
