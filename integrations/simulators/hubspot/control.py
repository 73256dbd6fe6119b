"""The control panel's API under /__sim: faults, dump, log, stats, seed, settings."""

from collections.abc import Callable
from typing import Any

from integrations.simulators import panel
from integrations.simulators.faults import FaultRuleError
from integrations.simulators.hubspot import errors, seeding
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.hubspot.values import iso
from integrations.simulators.hubspot.webhooks import Webhooks
from integrations.simulators.hubspot.webhooks_api import WebhooksApi
from integrations.simulators.hubspot.world import World
from integrations.simulators.wire import (
    BadJsonError,
    Json,
    Reply,
    Request,
    html_reply,
    json_reply,
    path_segments,
)

LOG_PAGE = 100_000


class ControlError(Exception):
    """The control request makes no sense."""


class Control:
    """Answers /__sim/...; never counts against limits, never in the statistics."""

    def __init__(
        self, world: World, webhooks: Webhooks, webhooks_api: WebhooksApi
    ) -> None:
        self.world = world
        self.webhooks = webhooks
        self.webhooks_api = webhooks_api
        self._handlers: dict[tuple[str, str], Callable[[Request, list[str]], Any]] = {
            ("GET", "faults"): self.show_faults,
            ("POST", "faults"): self.add_faults,
            ("PUT", "faults"): self.replace_faults,
            ("DELETE", "faults"): self.remove_faults,
            ("GET", "dump"): self.dump,
            ("GET", "log"): self.log,
            ("GET", "stats"): self.stats,
            ("POST", "reset"): self.reset,
            ("POST", "seed"): self.seed,
            ("GET", "config"): self.show_config,
            ("POST", "config"): self.change_config,
            ("GET", "history"): self.history,
            ("GET", "tokens"): self.show_tokens,
            ("POST", "tokens"): self.add_token,
            ("DELETE", "tokens"): self.remove_token,
            ("POST", "expire-tokens"): self.expire_tokens,
            ("POST", "revoke"): self.revoke,
            ("GET", "webhooks"): self.show_webhooks,
            ("POST", "webhooks"): self.set_webhooks,
            ("DELETE", "webhooks"): self.drop_webhooks,
        }

    def reply(self, request: Request) -> Reply:
        """Answer one control request."""
        rest = path_segments(request.path)[1:]
        if not rest and request.method == "GET":
            return html_reply(panel.page("HubSpot simulator"))
        handler = self._handlers.get((request.method, rest[0] if rest else ""))
        if handler is None:
            return json_reply({"error": "no such control"}, 404)
        try:
            return json_reply(handler(request, rest[1:]))
        except (ControlError, FaultRuleError, BadJsonError, ValueError) as error:
            return json_reply({"error": str(error)}, 400)
        except errors.ApiError as error:
            return error.reply()

    # -- faults

    def show_faults(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/faults."""
        return {"faults": self.world.faults.as_json()}

    def add_faults(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/faults: one rule or a list."""
        raw = request.json()
        for rule in raw if isinstance(raw, list) else [raw]:
            self.world.faults.add(rule)
        return self.show_faults(request, rest)

    def replace_faults(self, request: Request, rest: list[str]) -> Json:
        """PUT /__sim/faults: these rules and no others."""
        raw = request.json()
        self.world.faults.replace(raw if isinstance(raw, list) else [raw])
        return self.show_faults(request, rest)

    def remove_faults(self, request: Request, rest: list[str]) -> Json:
        """DELETE /__sim/faults or /__sim/faults/{id}."""
        self.world.faults.remove(int(rest[0]) if rest else None)
        return self.show_faults(request, rest)

    # -- looking

    def dump(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/dump?object=&archived=&hub=: object -> records."""
        portal = self._portal(request)
        wanted = request.names("object")
        archived = request.first("archived", "true").lower() == "true"
        with self.world.lock:
            tables = [_table(portal, name) for name in wanted] or [
                table for table in portal.tables.values() if table.records
            ]
            return {
                table.kind.name: [
                    _dumped(portal, table, record)
                    for record in (table.records[number] for number in table.ids)
                    if archived or not record.archived_at
                ]
                for table in tables
            }

    def log(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/log?since=<epoch s>&after=<seq>&limit=."""
        lines = self.world.traffic.lines(
            since=float(request.first("since") or 0),
            after=int(request.first("after") or 0),
            limit=int(request.first("limit") or LOG_PAGE),
        )
        return {"requests": lines}

    def stats(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/stats."""
        with self.world.lock:
            counts = {
                name: len(table.records) - sum(map(_gone, table.records.values()))
                for name, table in self._portal(request).tables.items()
                if table.records
            }
        return self.world.traffic.stats() | {"records": counts}

    def history(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/history/{object}/{id}: property -> versions, oldest first."""
        if len(rest) != 2:
            raise ControlError("use /__sim/history/{object}/{id}")
        with self.world.lock:
            table = _table(self._portal(request), rest[0])
            record = table.find(rest[1])
            if record is None:
                raise errors.not_found()
            names = {name for event in record.events for name in event.changes}
            fields = {name: record.history(name)[::-1] for name in sorted(names)}
            writes = [
                {
                    "at": iso(event.at),
                    "changes": event.changes,
                    "source": event.source,
                    "sourceId": event.source_id,
                }
                for event in record.events
            ]
            return {"id": str(record.id), "fields": fields, "writes": writes}

    # -- changing

    def reset(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/reset {keep_tokens: true}: forget everything else."""
        keep = _object(request).get("keep_tokens", True)
        with self.world.lock:
            self.world.reset(keep_tokens=bool(keep))
            self.webhooks.clear()
            self.webhooks.refresh()
        return {"reset": True}

    def seed(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/seed: see seeding.seed."""
        with self.world.lock:
            try:
                return seeding.seed(self.world, self._portal(request), _object(request))
            finally:
                self.world.commit()

    def show_config(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/config."""
        return self.world.settings.as_json()

    def change_config(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/config {setting: value}."""
        with self.world.lock:
            self.world.put("settings", "", _object(request))
            self.world.commit()
        return self.show_config(request, rest)

    def show_tokens(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/tokens: private app tokens, and how many OAuth tokens live."""
        with self.world.lock:
            return {
                "private": self.world.documents("private"),
                "access": len(self.world.documents("access")),
                "refresh": len(self.world.documents("refresh")),
            }

    def add_token(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/tokens {token, scopes?, hub_id?}: a private app token."""
        raw = _object(request)
        token, scopes = str(raw.get("token", "")), raw.get("scopes")
        if not token.startswith("pat-"):
            raise ControlError("a private app token starts with pat-")
        hub_id = int(raw.get("hub_id") or self.world.default_portal.hub_id)
        if hub_id not in self.world.portals:
            raise ControlError(f"no such account: {hub_id}")
        with self.world.lock:
            document = {"hub_id": hub_id, "scopes": scopes}
            self.world.put("private", token, document)
            self.world.commit()
        return self.show_tokens(request, rest)

    def remove_token(self, request: Request, rest: list[str]) -> Json:
        """DELETE /__sim/tokens/{token}."""
        with self.world.lock:
            self.world.put("private", rest[0] if rest else "", None)
            self.world.commit()
        return self.show_tokens(request, rest)

    def expire_tokens(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/expire-tokens: every OAuth access token expires now."""
        with self.world.lock:
            for token, found in list(self.world.documents("access").items()):
                expired = found | {"expires_at": self.world.now() - 1}
                self.world.put("access", token, expired)
            self.world.commit()
        return self.show_tokens(request, rest)

    def revoke(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/revoke: the app is uninstalled; no OAuth token works any more."""
        with self.world.lock:
            for kind in ("access", "refresh", "codes"):
                for token in list(self.world.documents(kind)):
                    self.world.put(kind, token, None)
            self.world.commit()
        return self.show_tokens(request, rest)

    # -- webhooks

    def show_webhooks(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/webhooks: settings, subscriptions, deliveries, events waiting."""
        return {
            "settings": self.world.documents("webhook_settings"),
            "subscriptions": list(self.world.documents("subscriptions").values()),
            "waiting": self.webhooks.waiting(),
            "deliveries": list(self.webhooks.deliveries),
        }

    def set_webhooks(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/webhooks {target_url, subscriptions}: replaces all.

        subscriptions: "contact.creation", "contact.propertyChange:email" or
        "object.creation@0-136"; active at once.
        """
        raw = _object(request)
        wanted = [_subscription(str(text)) for text in raw.get("subscriptions") or []]
        app_id = str(next(iter(self.world.apps.values())).app_id)
        with self.world.lock:
            self.drop_webhooks(request, rest)
            settings: Json = {"targetUrl": str(raw.get("target_url", ""))}
            now = iso(self.world.now_ms())
            settings |= {"createdAt": now, "throttling": {"maxConcurrentRequests": 10}}
            self.world.put("webhook_settings", app_id, settings)
            for subscription in wanted:
                self.webhooks_api.add(app_id, subscription)
            self.webhooks.refresh()
            self.world.commit()
        return self.show_webhooks(request, rest)

    def drop_webhooks(self, request: Request, rest: list[str]) -> Json:
        """DELETE /__sim/webhooks: no settings, no subscriptions, nothing waiting."""
        with self.world.lock:
            for kind in ("webhook_settings", "subscriptions"):
                for key in list(self.world.documents(kind)):
                    self.world.put(kind, key, None)
            self.webhooks.clear()
            self.webhooks.refresh()
            self.world.commit()
        return self.show_webhooks(request, rest)

    def _portal(self, request: Request) -> Portal:
        hub = request.first("hub")
        if not hub:
            return self.world.default_portal
        if not hub.isdigit() or int(hub) not in self.world.portals:
            raise ControlError(f"no such account: {hub}")
        return self.world.portals[int(hub)]


def _subscription(text: str) -> Json:
    """Read "contact.propertyChange:email" or "object.creation@0-136"."""
    text, _, type_id = text.partition("@")
    kind, _, name = text.partition(":")
    return {
        "eventType": kind,
        "propertyName": name,
        "objectTypeId": type_id,
        "active": True,
    }


def _gone(record: Record) -> bool:
    return bool(record.archived_at)


def _object(request: Request) -> Json:
    raw = request.json()
    if not isinstance(raw, dict):
        raise ControlError("an object was expected")
    return raw


def _table(portal: Portal, name: str) -> RecordTable:
    table = portal.table(name)
    if table is None:
        raise ControlError(f"no such object: {name}")
    return table


def _dumped(portal: Portal, table: RecordTable, record: Record) -> Json:
    associations: dict[str, list[Json]] = {}
    for target in portal.tables:
        partners = portal.linked(table.kind.name, record.id, target)
        if partners:
            associations[target] = [
                {"id": str(other), "types": [number for _, number in labels]}
                for other, labels in sorted(partners.items())
            ]
    return {
        "id": str(record.id),
        "properties": record.props,
        "createdAt": iso(record.created),
        "updatedAt": iso(record.updated),
        "archived": bool(record.archived_at),
        "writes": len(record.events),
        "associations": associations,
    }
