"""The control panel's API under /__sim: faults, dump, log, stats, seed, settings."""

from collections.abc import Callable
from typing import Any

from integrations.simulators import panel
from integrations.simulators.faults import FaultRuleError
from integrations.simulators.salesforce import errors, seeding
from integrations.simulators.salesforce.control_events import EventControl
from integrations.simulators.salesforce.control_org import OrgControl
from integrations.simulators.salesforce.controlling import (
    ControlError,
    named_table,
    object_of,
    picked_org,
)
from integrations.simulators.salesforce.defaults import integration_user
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.values import iso, iso_ms
from integrations.simulators.salesforce.world import World
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


class Control:
    """Answers /__sim/...; never counts against limits, never in the statistics."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.events = EventControl(world)
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
            **OrgControl(world).handlers(),
            **self.events.handlers(),
        }

    def close(self) -> None:
        """Stop background work."""
        self.events.close()

    def reply(self, request: Request) -> Reply:
        """Answer one control request."""
        rest = path_segments(request.path)[1:]
        if not rest and request.method == "GET":
            return html_reply(panel.page("Salesforce simulator"))
        handler = self._handlers.get((request.method, rest[0] if rest else ""))
        if handler is None:
            return json_reply({"error": "no such control"}, 404)
        try:
            return json_reply(handler(request, rest[1:]))
        except (ControlError, FaultRuleError, BadJsonError, ValueError) as error:
            return json_reply({"error": str(error)}, 400)
        except errors.RowError as error:
            return error.in_request().reply()
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
        """GET /__sim/dump?object=&archived=&hub=: object -> records.

        Without an object: all that were written, setup records left out.
        """
        org = picked_org(self.world, request)
        wanted = request.names("object")
        archived = request.first("archived", "true").lower() == "true"
        with self.world.lock:
            tables = [named_table(org, name) for name in wanted] or [
                table for table in org.tables.values() if _written(table)
            ]
            return {
                table.name: [
                    dumped(table, row)
                    for row in table.in_id_order()
                    if archived or not row.deleted_at
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
        org = picked_org(self.world, request)
        with self.world.lock:
            counts = {
                table.name: table.live_count
                for table in org.tables.values()
                if _written(table)
            }
        return self.world.traffic.stats() | {"records": counts}

    def history(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/history/{object}/{id}: field -> versions, oldest first."""
        if len(rest) != 2:
            raise ControlError("use /__sim/history/{object}/{id}")
        with self.world.lock:
            table = named_table(picked_org(self.world, request), rest[0])
            row = table.rows.get(rest[1])
            if row is None:
                raise errors.not_found()
            return row_history(row)

    # -- changing

    def reset(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/reset {keep_tokens: true}: forget everything else."""
        keep = object_of(request).get("keep_tokens", True)
        with self.world.lock:
            self.world.reset(keep_tokens=bool(keep))
            self.events.reset()
            self.world.jobs.clear()
        return {"reset": True}

    def seed(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/seed: see seeding.seed."""
        with self.world.lock:
            try:
                org = picked_org(self.world, request)
                return seeding.seed(self.world, org, object_of(request))
            finally:
                self.world.commit()

    def show_config(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/config."""
        return self.world.settings.as_json()

    def change_config(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/config {setting: value}."""
        with self.world.lock:
            self.world.put("settings", "", object_of(request))
            self.world.commit()
        return self.show_config(request, rest)

    # -- sessions

    def show_tokens(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/tokens: fixed sessions, and how many OAuth tokens live."""
        with self.world.lock:
            return {
                "fixed": self.world.documents("fixed"),
                "access": len(self.world.documents("access")),
                "refresh": len(self.world.documents("refresh")),
            }

    def add_token(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/tokens {token, org?, user?}: a session that never expires.

        user: an id, username or e-mail; by default the integration user.
        """
        raw = object_of(request)
        token = str(raw.get("token") or "")
        if not token:
            raise ControlError("a token is needed")
        org = self.world.org_with(str(raw.get("org") or self.world.default_org.id))
        if org is None:
            raise ControlError(f"no such organization: {raw.get('org')}")
        with self.world.lock:
            user = integration_user(org.spec)
            if raw.get("user"):
                row = org.user_named(str(raw["user"]))
                if row is None:
                    raise ControlError(f"no such user: {raw['user']}")
                user = row.id
            self.world.put("fixed", token, {"org": org.pod, "user": user})
            self.world.commit()
        return self.show_tokens(request, rest)

    def remove_token(self, request: Request, rest: list[str]) -> Json:
        """DELETE /__sim/tokens/{token}."""
        with self.world.lock:
            self.world.put("fixed", rest[0] if rest else "", None)
            self.world.commit()
        return self.show_tokens(request, rest)

    def expire_tokens(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/expire-tokens: every OAuth session expires now."""
        with self.world.lock:
            for token, found in list(self.world.documents("access").items()):
                expired = found | {"expires_at": self.world.now() - 1}
                self.world.put("access", token, expired)
            self.world.commit()
        return self.show_tokens(request, rest)

    def revoke(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/revoke: an administrator ends all; no OAuth token works now."""
        with self.world.lock:
            for kind in ("access", "refresh", "codes"):
                for token in list(self.world.documents(kind)):
                    self.world.put(kind, token, None)
            self.world.commit()
        return self.show_tokens(request, rest)


def _written(table: Table) -> bool:
    return any(table.rows[number].events for number in table.ids[-1:])


def dumped(table: Table, row: Row) -> Json:
    """Return a record as the ground truth shows it: every field, hidden or not."""
    shown: Json = {}
    for name in table.fields:
        value = table.value(row, name)
        if value is not None:
            shown[name] = value
    for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
        shown[name] = iso(shown[name])
    return {
        "id": row.id,
        "properties": shown,
        "createdAt": iso(row.created),
        "updatedAt": iso(row.stamp),
        "archived": bool(row.deleted_at),
        "writes": len(row.events),
    }


def row_history(row: Row) -> Json:
    """Return {id, fields: field -> versions, writes} of one record."""
    names = {name for event in row.events for name in event.changes}
    return {
        "id": row.id,
        "fields": {name: row.history(name) for name in sorted(names)},
        "writes": [
            {
                "at": iso_ms(event.at),
                "changes": event.changes,
                "source": event.source,
                "sourceId": event.client or event.user,
                "userId": event.user,
            }
            for event in row.events
        ],
    }
