"""Managing webhooks: /webhooks/{version}/{appId}/settings and /subscriptions.

Called with the developer's own key (?hapikey=), not with an account's token.
"""

from collections.abc import Callable

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.values import iso
from integrations.simulators.hubspot.webhooks import Webhooks
from integrations.simulators.hubspot.world import World
from integrations.simulators.wire import (
    BadJsonError,
    Json,
    Reply,
    Request,
    json_reply,
)

DEVELOPER_KEY = "demo-developer-key"
MAX_SUBSCRIPTIONS = 1000
NEVER = frozenset({"hs_lastmodifieddate", "num_unique_conversion_events"})
_WHATS = "creation deletion merge restore propertyChange associationChange"
EVENTS = frozenset(
    f"{prefix}.{what}"
    for prefix in ("contact", "company", "deal", "ticket", "object")
    for what in _WHATS.split()
) | {"contact.privacyDeletion"}


class WebhooksApi:
    """Answers the management calls."""

    def __init__(self, world: World, webhooks: Webhooks) -> None:
        self.world = world
        self.webhooks = webhooks

    def reply(self, request: Request, segments: list[str]) -> Reply:
        """Answer /webhooks/{version}/{appId}/...; raises ApiError."""
        app_id, rest = segments[2], segments[3:]
        known = {str(app.app_id) for app in self.world.apps.values()}
        if request.first("hapikey") != DEVELOPER_KEY or app_id not in known:
            raise errors.invalid_token()
        try:
            return self._route(request, app_id, rest)
        except BadJsonError as error:
            raise errors.bad_request(f"Invalid input JSON: {error}") from error
        finally:
            self.webhooks.refresh()

    def _route(self, request: Request, app_id: str, rest: list[str]) -> Reply:
        depth = "/".join(part if i != 1 else "{id}" for i, part in enumerate(rest))
        if rest == ["subscriptions", "batch", "update"]:
            depth = "subscriptions/batch/update"
        handlers: dict[tuple[str, str], Callable[[], Reply]] = {
            ("GET", "settings"): lambda: self.read_settings(app_id),
            ("PUT", "settings"): lambda: self.write_settings(app_id, request),
            ("DELETE", "settings"): lambda: self.clear_settings(app_id),
            ("GET", "subscriptions"): lambda: self.list_subscriptions(app_id),
            ("POST", "subscriptions"): lambda: self.subscribe(app_id, request),
            ("GET", "subscriptions/{id}"): lambda: self.read_one(app_id, rest[1]),
            ("PATCH", "subscriptions/{id}"): lambda: self.switch(
                app_id, rest[1], request
            ),
            ("DELETE", "subscriptions/{id}"): lambda: self.unsubscribe(app_id, rest[1]),
            ("POST", "subscriptions/batch/update"): lambda: self.switch_many(
                app_id, request
            ),
        }
        handler = handlers.get((request.method, depth))
        if handler is None:
            raise errors.not_found()
        return handler()

    def read_settings(self, app_id: str) -> Reply:
        """GET settings."""
        found = self.world.documents("webhook_settings").get(app_id)
        if found is None:
            raise errors.not_found("no webhook settings")
        return json_reply(found)

    def write_settings(self, app_id: str, request: Request) -> Reply:
        """PUT {targetUrl, throttling{maxConcurrentRequests}}."""
        body = request.json()
        url = str(body.get("targetUrl") or "")
        if not url.startswith(("https://", "http://")):
            raise errors.bad_request("targetUrl must be an absolute URL")
        now = iso(self.world.now_ms())
        throttling = body.get("throttling") or {"maxConcurrentRequests": 10}
        settings = {"targetUrl": url, "throttling": throttling}
        settings |= {"createdAt": now, "updatedAt": now}
        self.world.put("webhook_settings", app_id, settings)
        return json_reply(settings)

    def clear_settings(self, app_id: str) -> Reply:
        """DELETE settings."""
        self.world.put("webhook_settings", app_id, None)
        return Reply(204)

    def list_subscriptions(self, app_id: str) -> Reply:
        """GET all."""
        found = self.world.documents("subscriptions").values()
        mine = [_shown(item) for item in found if str(item["appId"]) == app_id]
        return json_reply({"results": mine})

    def subscribe(self, app_id: str, request: Request) -> Reply:
        """POST {eventType, propertyName?, objectTypeId?, active?}: starts paused."""
        return json_reply(_shown(self.add(app_id, request.json())), 201)

    def add(self, app_id: str, raw: Json) -> Json:
        """Check and keep a subscription; raises ApiError."""
        kind, name = str(raw.get("eventType")), raw.get("propertyName")
        known = self.world.documents("subscriptions")
        if kind not in EVENTS or len(known) >= MAX_SUBSCRIPTIONS:
            raise errors.bad_request(f"Cannot subscribe to {kind}")
        if kind.endswith("propertyChange") and (not name or name in NEVER):
            raise errors.bad_request(f"Cannot subscribe to changes of {name}")
        if kind.startswith("object.") and not raw.get("objectTypeId"):
            raise errors.bad_request("objectTypeId is required")
        now = iso(self.world.now_ms())
        number = str(max((int(key) for key in known), default=0) + 1)
        made: Json = {
            "id": number,
            "appId": int(app_id),
            "eventType": kind,
            "active": bool(raw.get("active", False)),
            "createdAt": now,
            "updatedAt": now,
        }
        extra = {"propertyName": name, "objectTypeId": raw.get("objectTypeId")}
        made |= {key: value for key, value in extra.items() if value}
        self.world.put("subscriptions", number, made)
        return made

    def read_one(self, app_id: str, number: str) -> Reply:
        """GET one."""
        return json_reply(_shown(self._one(app_id, number)))

    def switch(self, app_id: str, number: str, request: Request) -> Reply:
        """PATCH {active}."""
        return json_reply(self._switched(app_id, number, request.json().get("active")))

    def switch_many(self, app_id: str, request: Request) -> Reply:
        """POST batch/update {inputs[{id, active}]}."""
        now = iso(self.world.now_ms())
        inputs = request.json().get("inputs") or []
        results = [
            self._switched(app_id, str(raw.get("id")), raw.get("active"))
            for raw in inputs
        ]
        done: Json = {"status": "COMPLETE", "results": results}
        return json_reply(done | {"startedAt": now, "completedAt": now})

    def unsubscribe(self, app_id: str, number: str) -> Reply:
        """DELETE one."""
        self._one(app_id, number)
        self.world.put("subscriptions", number, None)
        return Reply(204)

    def _switched(self, app_id: str, number: str, active: object) -> Json:
        now = iso(self.world.now_ms())
        changed = self._one(app_id, number) | {"active": bool(active), "updatedAt": now}
        self.world.put("subscriptions", number, changed)
        return _shown(changed)

    def _one(self, app_id: str, number: str) -> Json:
        found = self.world.documents("subscriptions").get(number)
        if found is None or str(found["appId"]) != app_id:
            raise errors.not_found("subscription not found")
        return found


def _shown(item: Json) -> Json:
    return {key: value for key, value in item.items() if key != "appId"}
