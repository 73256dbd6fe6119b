"""Controls for event delivery: who is told of which changes, and what was told."""

from collections.abc import Callable

from integrations.simulators.errors import ControlError
from integrations.simulators.salesforce import change_events, ids
from integrations.simulators.salesforce.controlling import (
    named_table,
    picked_org,
)
from integrations.simulators.salesforce.deliveries import (
    EVENTS,
    MESSAGES,
    Deliveries,
    Target,
)
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.world import World
from integrations.simulators.wire import Json, Request

Handler = Callable[[Request, list[str]], Json]


class EventControl:
    """Answers /__sim/events, /__sim/outbound, /__sim/webhooks and /__sim/gap."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.deliveries = Deliveries(world)

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """Return (method, name) -> handler."""
        return {
            ("GET", "events"): self.show,
            ("POST", "events"): self.add_events,
            ("DELETE", "events"): self.drop,
            ("GET", "outbound"): self.show,
            ("POST", "outbound"): self.add_messages,
            ("DELETE", "outbound"): self.drop,
            ("GET", "webhooks"): self.show,
            ("POST", "webhooks"): self.set_webhooks,
            ("DELETE", "webhooks"): self.drop,
            ("POST", "gap"): self.gap,
        }

    def reset(self) -> None:
        """Forget subscribers and deliveries."""
        self.deliveries.clear()
        self.deliveries.refresh()

    def close(self) -> None:
        """Stop delivering."""
        self.deliveries.close()

    def show(self, request: Request, rest: list[str]) -> Json:
        """GET: subscribers, deliveries, and how many events wait."""
        org = picked_org(self.world, request)
        with self.world.lock:
            return {
                "events": org.documents(EVENTS),
                "outbound": org.documents(MESSAGES),
                "waiting": self.deliveries.waiting(),
                "deliveries": list(self.deliveries.deliveries),
            }

    def add_events(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/events {url, objects?, headers?, batch?: 1, name?}.

        Change events as JSON, as a relay would deliver them: one object per request, or
        a list of up to `batch`.
        """
        raw = request.object()
        org = picked_org(self.world, request)
        objects = [named_table(org, name).name for name in raw.get("objects") or []]
        target = {
            "url": _url(raw),
            "objects": objects,
            "headers": raw.get("headers") or {},
            "batch": int(raw.get("batch") or 1),
        }
        return self._add(org, EVENTS, raw, target, request)

    def add_messages(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/outbound {url, object, fields, headers?, session_id?, name?}."""
        raw = request.object()
        org = picked_org(self.world, request)
        table = named_table(org, raw.get("object"))
        unknown = [n for n in raw.get("fields") or [] if n not in table.fields]
        if unknown:
            raise ControlError(f"no such field: {', '.join(unknown)}")
        number = len(org.documents(MESSAGES)) + 1
        target = {
            "url": _url(raw),
            "object": table.name,
            "fields": raw.get("fields") or [],
            "headers": raw.get("headers") or {},
            "session_id": raw.get("session_id") or "",
            "instance_url": f"http://{request.header('Host')}",
            "action_id": ids.make("04k", org.pod, number),
        }
        return self._add(org, MESSAGES, raw, target, request)

    def _add(
        self, org: Org, kind: str, raw: Json, target: Json, request: Request
    ) -> Json:
        with self.world.lock:
            name = str(raw.get("name") or len(org.documents(kind)) + 1)
            org.do(["doc", kind, name, target])
            self.world.commit()
            self.deliveries.refresh()
        return self.show(request, [])

    def set_webhooks(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/webhooks {target_url, subscriptions: [objects]}: replaces all."""
        raw = request.object()
        self.drop(request, rest)
        org = picked_org(self.world, request)
        objects = [named_table(org, n).name for n in raw.get("subscriptions") or []]
        target = {
            "url": _url({"url": raw.get("target_url")}),
            "objects": objects,
            "headers": {},
            "batch": 1,
        }
        return self._add(org, EVENTS, {}, target, request)

    def drop(self, request: Request, rest: list[str]) -> Json:
        """DELETE: nobody is told any more, nothing waits."""
        org = picked_org(self.world, request)
        with self.world.lock:
            for kind in (EVENTS, MESSAGES):
                for name in list(org.documents(kind)):
                    org.do(["doc", kind, name, None])
            self.world.commit()
            self.reset()
        return self.show(request, rest)

    def gap(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/gap {object, ids?, kind?}: tell that, not what. GAP_UPDATE."""
        raw = request.object()
        org = picked_org(self.world, request)
        table = named_table(org, raw.get("object"))
        kind = str(raw.get("kind") or "GAP_UPDATE")
        header = change_events.header_of(table.name, list(raw.get("ids") or []), kind)
        header["commitTimestamp"] = self.world.now_ms()
        with self.world.lock:
            for name, target in org.documents(EVENTS).items():
                if not target["objects"] or table.name in target["objects"]:
                    event = {"ChangeEventHeader": header}
                    to = Target(org, EVENTS, name)
                    self.deliveries.push(to, [event], at_once=True)
        return self.show(request, rest)


def _url(raw: Json) -> str:
    url = str(raw.get("url") or "")
    if not url.startswith(("http://", "https://")):
        raise ControlError("a url is needed")
    return url
