"""What the control panel reads and changes in HubSpot's accounts."""

from collections.abc import Iterable

from integrations.simulators import control, currencies
from integrations.simulators.errors import ControlError
from integrations.simulators.hubspot import errors, seeding
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.hubspot.values import iso
from integrations.simulators.hubspot.webhooks import Webhooks
from integrations.simulators.hubspot.webhooks_api import WebhooksApi
from integrations.simulators.hubspot.world import World
from integrations.simulators.wire import Json, Request


class Control(control.Control[Portal, RecordTable]):
    """Answers /__sim/... for HubSpot."""

    title = "HubSpot"

    def __init__(
        self, world: World, webhooks: Webhooks, webhooks_api: WebhooksApi
    ) -> None:
        self.world = world
        self.webhooks = webhooks
        self.webhooks_api = webhooks_api
        super().__init__(world)

    def handlers(self) -> control.Handlers:
        """Return (method, name) -> handler."""
        return {
            **super().handlers(),
            ("GET", "webhooks"): self.show_webhooks,
            ("POST", "webhooks"): self.set_webhooks,
            ("DELETE", "webhooks"): self.drop_webhooks,
            ("GET", "forms"): self.show_forms,
            ("GET", "currencies"): self.show_currencies,
            ("POST", "currencies"): self.set_currencies,
        }

    def close(self) -> None:
        """Stop delivering."""
        self.webhooks.close()

    def cleared(self) -> None:
        """Forget what waits to be delivered."""
        self.webhooks.clear()
        self.webhooks.refresh()

    # -- accounts and tables

    def account(self, request: Request) -> Portal:
        """Return the account of ?hub=, by default the first."""
        hub = request.first("hub")
        if not hub:
            return self.world.default_portal
        if not hub.isdigit() or int(hub) not in self.world.portals:
            raise ControlError(f"no such account: {hub}")
        return self.world.portals[int(hub)]

    def table(self, account: Portal, name: str) -> RecordTable:
        """Return an object's records; raises ControlError."""
        table = account.table(name)
        if table is None:
            raise ControlError(f"no such object: {name}")
        return table

    def written(self, account: Portal) -> Iterable[RecordTable]:
        """Return the tables that hold records."""
        return [table for table in account.tables.values() if table.records]

    def live(self, table: RecordTable) -> int:
        """Return how many records are not archived."""
        return table.live_count

    def records(
        self, account: Portal, table: RecordTable, *, archived: bool
    ) -> list[Json]:
        """Return a table's records as the ground truth shows them."""
        return [
            _dumped(account, table, record)
            for record in (table.records[number] for number in table.ids)
            if archived or not record.archived_at
        ]

    def record_history(self, account: Portal, table: RecordTable, number: str) -> Json:
        """Return {id, fields: property -> versions, writes}, oldest first."""
        record = table.find(number)
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
        return {"id": table.identity(record), "fields": fields, "writes": writes}

    def editable(self, table: RecordTable) -> Iterable[str]:
        """Return the properties that may be set."""
        return table.writable

    def put_in(self, account: Portal, raw: Json) -> Json:
        """See seeding.seed."""
        return seeding.seed(self.world, account, raw)

    def fixed_token(self, raw: Json) -> tuple[str, Json]:
        """Read {token, scopes?, hub_id?}: a private app token."""
        token, scopes = str(raw.get("token", "")), raw.get("scopes")
        if not token.startswith("pat-"):
            raise ControlError("a private app token starts with pat-")
        hub_id = int(raw.get("hub_id") or self.world.default_portal.hub_id)
        if hub_id not in self.world.portals:
            raise ControlError(f"no such account: {hub_id}")
        return token, {"hub_id": hub_id, "scopes": scopes}

    # -- forms

    def show_forms(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/forms: {forms, submissions: "guid/number" -> what was sent}."""
        account = self.account(request)
        with self.world.lock:
            return {
                "forms": list(account.documents("forms").values()),
                "submissions": dict(account.documents("submissions")),
            }

    # -- currencies

    def show_currencies(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/currencies: {company_currency, additional_currencies}."""
        return self.account(request).currencies

    def set_currencies(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/currencies {company_currency?, additional_currencies?}."""
        account, raw = self.account(request), request.object()
        with self.world.lock:
            wanted = currencies.changed(account.currencies, raw)
            account.do(["currencies", wanted])
            self.world.commit()
        return account.currencies

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
        raw = request.object()
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
            self.cleared()
            self.world.commit()
        return self.show_webhooks(request, rest)


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
        "id": table.identity(record),
        "properties": record.props,
        "createdAt": iso(record.created),
        "updatedAt": iso(record.updated),
        "archived": bool(record.archived_at),
        "writes": len(record.events),
        "associations": associations,
    }
