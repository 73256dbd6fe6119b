"""What is leased to us: locked in one order, changed only under its token, extended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Collate, Length
from django_scopes import scopes_disabled

from crmsync.core.clock import now
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State

# The share of a lease that is left of one just taken; `keeping` renews far below it.
_NEW = 0.75


def ours(items: Iterable[WorkItem]) -> Q:
    """Match the items that are still leased under the token they were claimed with."""
    by_token: dict[int | None, list[int]] = {}
    for item in items:
        by_token.setdefault(item.lease_token, []).append(item.pk)
    mine = Q(pk__in=[])
    for token, ids in by_token.items():
        mine |= Q(pk__in=ids, lease_token=token, state=State.LEASED)
    return mine


@scopes_disabled()
def lock(items: Iterable[WorkItem]) -> None:
    """Lock rows before several are changed in one transaction, in the order of `ask`.

    Does nothing on SQLite, where a transaction that writes is alone.
    """
    ids = [item.pk for item in items]
    if connection.vendor == "postgresql" and len(ids) > 1:
        rows = WorkItem.objects.filter(pk__in=ids).select_for_update()
        list(in_order(rows).values_list("pk", flat=True))


def in_order(rows: QuerySet[WorkItem]) -> QuerySet[WorkItem]:
    """Sort as Python sorts text, whatever the database's own collation is."""
    plain = "C" if connection.vendor == "postgresql" else "BINARY"
    return rows.order_by("kind", Length("key"), Collate("key", plain))


def change(
    items: Sequence[WorkItem], changes: dict[str, object], *, locked: bool = False
) -> int:
    """Change those of the items that are still ours; return how many.

    locked: the caller's transaction has locked them already.
    """
    if len(items) == 1 or locked:
        return WorkItem.objects.filter(ours(items)).update(**changes)
    with transaction.atomic():
        lock(items)
        return WorkItem.objects.filter(ours(items)).update(**changes)


@scopes_disabled()
def extend(items: Sequence[WorkItem]) -> list[WorkItem]:
    """Renew the lease before a call; return the items that are still ours.

    A worker that was paused past its lease learns here that others have its items,
    before it sends anything. One that is nearly new is looked at, not written again.
    """
    at = now()
    if all(_is_new(item, at) for item in items):
        rows = WorkItem.objects.filter(ours(items), leased_until__gt=at)
        kept_ids = set(rows.values_list("pk", flat=True))
        return [item for item in items if item.pk in kept_ids]
    with transaction.atomic():
        lock(items)
        kept = WorkItem.objects.filter(ours(items), leased_until__gt=at)
        kept_ids = set(kept.select_for_update().values_list("pk", flat=True))
        until = at + timedelta(seconds=settings.WORK_LEASE_S)
        WorkItem.objects.filter(pk__in=kept_ids).update(leased_until=until)
    return [item for item in items if item.pk in kept_ids]


def _is_new(item: WorkItem, at: datetime) -> bool:
    if item.leased_until is None:
        return False
    return item.leased_until - at > timedelta(seconds=_NEW * settings.WORK_LEASE_S)


RELEASED: dict[str, object] = {"lease_token": None, "leased_until": None}


def run_served(items: Sequence[WorkItem]) -> dict[str, object]:
    """Return the changes by which a run is counted once for each of its items.

    One that was asked for again meanwhile stays in the run only if that run is another.
    """
    by_run: dict[int, list[int]] = {}
    for item in items:
        if item.run is not None:
            by_run.setdefault(item.run, []).append(item.pk)
    over = [
        When(pk__in=ids, run=run, wanted__gt=F("leased_wanted"), then=Value(None))
        for run, ids in by_run.items()
    ]
    return {"run": Case(*over, default=F("run"))} if over else {}
