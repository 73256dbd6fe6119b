"""Delivering events: change events as JSON, outbound messages as SOAP."""

import json
from dataclasses import dataclass

from integrations.simulators.deliveries import Courier, Parcel, Sent, post
from integrations.simulators.salesforce import change_events, outbound
from integrations.simulators.salesforce.changes import Change
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.world import World
from integrations.simulators.wire import Json

EVENTS, MESSAGES = "event_targets", "outbound_targets"
_OWN = frozenset({"API", "BULK"})


@dataclass(frozen=True, slots=True)
class Target:
    """A subscriber. kind: EVENTS or MESSAGES; name: of its document in the org."""

    org: Org
    kind: str
    name: str

    def document(self) -> Json | None:
        """Return where and what it is told; None when it is no more."""
        return self.org.documents(self.kind).get(self.name)


class Deliveries(Courier[Target]):
    """Tells subscribers of changes."""

    workers = 6
    prefix = "event"

    def __init__(self, world: World) -> None:
        self.world = world
        super().__init__(world)

    def wanted(self) -> bool:
        """Say whether there is any subscriber."""
        return any(
            org.documents(kind)
            for org in self.world.orgs.values()
            for kind in (EVENTS, MESSAGES)
        )

    def most(self, to: Target) -> int:
        """Return how many events go into one delivery."""
        if to.kind == MESSAGES:
            return outbound.MOST_NOTIFICATIONS
        return int((to.document() or {}).get("batch", 1))

    # -- hearing

    def hear(self, org: Org, changes: list[Change]) -> None:
        """Queue what subscribers ask for."""
        told = change_events.folded(changes)
        if not self.world.settings.own_echoes:
            told = [change for change in told if change.source not in _OWN]
        for name, target in org.documents(EVENTS).items():
            self.push(Target(org, EVENTS, name), self._events(org, target, told))
        for name, target in org.documents(MESSAGES).items():
            self.push(Target(org, MESSAGES, name), self._messages(org, target, told))

    def _events(self, org: Org, target: Json, told: list[Change]) -> list[Json]:
        settings = self.world.settings
        return change_events.bodies(
            org,
            change_events.wanted(told, target["objects"]),
            merge=settings.event_merge,
            single_id=settings.event_single_id,
        )

    def _messages(self, org: Org, target: Json, told: list[Change]) -> list[Json]:
        return [
            {
                "id": outbound.notification_id(org, next(self.numbers)),
                "record": change.row.id,
            }
            for change in told
            if change.table == target["object"] and change.kind != "DELETE"
        ]

    # -- delivering

    def send(self, parcel: Parcel[Target]) -> Sent | None:
        """Post a parcel; None when its target is no more."""
        to = parcel.to
        with self.world.lock:
            target = to.document()
            if target is None:
                return None
            body, headers = _body(to, target, parcel.items)
        url, more = target["url"], target.get("headers") or {}
        status, answer = post(url, body, headers | more)
        if to.kind == MESSAGES:
            good = outbound.acknowledged(status, answer)
        else:
            good = 200 <= status < 300
        return Sent(url, status, parcel.items, good, {"acknowledged": good})


def _body(to: Target, target: Json, items: list[Json]) -> tuple[bytes, dict[str, str]]:
    if to.kind == MESSAGES:
        body = outbound.envelope(
            to.org,
            target,
            items,
            base=str(target.get("instance_url", "")),
            session=str(target.get("session_id", "")),
        )
        return body, {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    payload = items if int(target["batch"]) > 1 else items[0]
    return json.dumps(payload).encode(), {"Content-Type": "application/json"}
