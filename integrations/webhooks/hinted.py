"""Hands a CRM's hints on, and writes into each delivery what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from crmsync.core.models import Workspace
from integrations.models import Connection, Delivery, Event
from integrations.webhooks.base import Hint, Malformed
from integrations.webhooks.sources import SOURCES

KIND = "hint."
# What takes hints, each with its trace id, and says in a word what became of each.
TakeHints = Callable[[Connection, Sequence[tuple[Hint, str]]], Sequence[str]]
_TOLD = {
    "fetch": "{n} to be read again: {ids}",
    "pull": "All of it is to be read again.",
    "echo": "{n} of our own writes: {ids}",
    "skipped": "{n} of an object that no active mapping reads: {ids}",
}
_SHOWN = 20


def take_none(_: Connection, told: Sequence[tuple[Hint, str]]) -> Sequence[str]:
    """Refuse hints: nobody has said who takes them."""
    if told:
        raise RuntimeError("Hints have arrived, and nothing takes them.")
    return []


def hints_of(delivery: Delivery, payload: object) -> list[Hint]:
    """Return the hints of a delivery. Raises Malformed for one of another account."""
    source, connection = SOURCES[delivery.endpoint.source], delivery.endpoint.connection
    if not source.vendor:
        return []
    if connection is None:
        raise Malformed("The endpoint belongs to no connection.")
    account, received_at = connection.account_id, delivery.received_at
    if not source.is_about(payload, account):
        raise Malformed("It is about another account than this endpoint's connection.")
    return source.hints(payload, account=account, received_at=received_at)


def hand_on(
    workspace: Workspace,
    connection: Connection,
    deliveries: Iterable[tuple[Delivery, Sequence[Hint]]],
    take: TakeHints,
) -> None:
    """Let `take` have all hints at once; write one event per object and outcome."""
    each = [(one, hint) for one, hints in deliveries for hint in hints]
    if not each:
        return
    outcomes = take(connection, [(hint, one.trace_id) for one, hint in each])
    groups: dict[tuple[int, str, str, str], list[str]] = {}
    for (delivery, hint), outcome in zip(each, outcomes, strict=True):
        key = (delivery.pk, hint.remote_object, hint.kind, outcome)
        groups.setdefault(key, []).append(hint.remote_id)
    # A replay tells what becomes of them this time.
    touched = {delivery.pk for delivery, _ in each}
    Event.objects.filter(delivery__in=touched, kind__startswith=KIND).delete()
    Event.objects.bulk_create(
        Event(
            workspace=workspace,
            delivery_id=delivery_id,
            kind=f"{KIND}{kind}",
            key=remote_object[:200],
            outcome=outcome,
            detail=_detail(outcome, ids),
        )
        for (delivery_id, remote_object, kind, outcome), ids in groups.items()
    )


def _detail(outcome: str, ids: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(ids))
    shown = ", ".join(distinct[:_SHOWN]) + (" …" if distinct[_SHOWN:] else "")
    return _TOLD[outcome].format(n=len(distinct), ids=shown)[:500]
