"""Controls for what people and administrators do: edit, convert, merge, set rules."""

from collections.abc import Callable
from typing import Any

from integrations.simulators.errors import ControlError
from integrations.simulators.salesforce import (
    conversion,
    merging,
    metadata,
    org_currencies,
    picklists,
    seeding,
)
from integrations.simulators.salesforce.controlling import (
    named_row,
    named_table,
    picked_org,
    ui_writer,
)
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.world import World
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import Json, Request

Handler = Callable[[Request, list[str]], Any]
_RULES = {"validation-rules": "validation_rules", "duplicate-rules": "duplicate_rules"}


class OrgControl:
    """Answers the controls that act within an organization, each under the lock."""

    def __init__(self, world: World) -> None:
        self.world = world

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """Return (method, name) -> handler."""
        acts: dict[tuple[str, str], Callable[[Org, Request, list[str]], Any]] = {
            ("GET", "orgs"): self.show_orgs,
            ("POST", "create"): self.create,
            ("POST", "edit"): self.edit,
            ("POST", "silent"): self.silent,
            ("POST", "delete"): self.delete,
            ("POST", "undelete"): self.undelete,
            ("POST", "purge"): self.purge,
            ("POST", "convert"): self.convert,
            ("GET", "conversions"): self.show_conversions,
            ("POST", "merge"): self.merge,
            ("POST", "locks"): self.lock,
            ("DELETE", "locks"): self.unlock,
            ("POST", "fields"): self.put_field,
            ("DELETE", "fields"): self.drop_field,
            ("POST", "picklists"): self.change_picklist,
            ("GET", "currencies"): self.show_currencies,
            ("POST", "currencies"): self.change_currencies,
            ("POST", "settle"): self.settle,
            ("POST", "quota"): self.set_quota,
        }
        for path in _RULES:
            acts["GET", path] = self._rules_shown(path)
            acts["POST", path] = self._rule_added(path)
            acts["DELETE", path] = self._rule_removed(path)
        return {key: self._locked(act) for key, act in acts.items()}

    def _locked(self, act: Callable[[Org, Request, list[str]], Any]) -> Handler:
        def handle(request: Request, rest: list[str]) -> Any:
            with self.world.lock:
                try:
                    return act(picked_org(self.world, request), request, rest)
                finally:
                    self.world.commit()

        return handle

    def show_orgs(self, org: Org, request: Request, rest: list[str]) -> Json:
        """GET /__sim/orgs: the organizations, and their users by e-mail."""
        return {
            each.id: {
                "name": each.spec.name,
                "users": {
                    row.values["Email"]: row.id
                    for row in each.tables["User"].rows.values()
                },
            }
            for each in self.world.orgs.values()
        }

    # -- records

    def create(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/create {object, values, user?, at?}: as a person would."""
        raw = request.object()
        item = raw | {"properties": raw.get("values")}
        item.pop("id", None)
        return seeding.seed(self.world, org, {"records": [item]})

    def edit(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/edit {object, id, values, user?, at?}: as a person would.

        at: the time the edit is stamped with, ISO or epoch ms; by default now.
        """
        return self._change(org, request.object())

    def silent(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/silent {object, id, values}: no stamp moves, nobody is told."""
        return self._change(org, request.object() | {"silent": True})

    def _change(self, org: Org, raw: Json) -> Json:
        table = named_table(org, raw.get("object"))
        row = named_row(table, raw.get("id"))
        writer = ui_writer(self.world, org, raw)
        seeding.change(writer, table, row, dict(raw.get("values") or {}), raw)
        writer.done()
        return {"id": row.id, "stamp": row.stamp}

    def delete(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/delete {object, id, user?}."""
        writer, raw = self._writer(org, request, "UI")
        table = named_table(org, raw.get("object"))
        writer.delete(table, named_row(table, raw.get("id")))
        writer.done()
        return {"deleted": raw.get("id")}

    def undelete(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/undelete {object, id, user?}: what went with it comes too."""
        writer, raw = self._writer(org, request, "UI")
        table = named_table(org, raw.get("object"))
        row = named_row(table, raw.get("id"))
        if not row.deleted_at:
            raise ControlError(f"{row.id} is not in the recycle bin")
        writer.restore(table, row)
        writer.done()
        return {"restored": row.id}

    def purge(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/purge {object?, id?}: empty the recycle bin."""
        raw = request.object()
        tables = (
            [named_table(org, raw["object"])]
            if raw.get("object")
            else list(org.tables.values())
        )
        gone = []
        for table in tables:
            for identifier in list(table.bin):
                if raw.get("id") in (None, identifier):
                    org.do(["purge", table.name, identifier])
                    gone.append(identifier)
        return {"purged": gone}

    def convert(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/convert {id, status?, account_id?, contact_id?, opportunity?}.

        opportunity: false for none; opportunity_name, owner_id and user may be given.
        """
        writer, raw = self._writer(org, request, "CONVERT")
        wanted = conversion.Conversion(
            lead_id=str(raw.get("id")),
            status=str(raw.get("status") or conversion.default_status(org)),
            account_id=str(raw.get("account_id") or ""),
            contact_id=str(raw.get("contact_id") or ""),
            owner_id=str(raw.get("owner_id") or ""),
            opportunity_name=str(raw.get("opportunity_name") or ""),
            no_opportunity=raw.get("opportunity") is False,
        )
        done = conversion.convert(writer, wanted)
        writer.done()
        return {
            "lead_id": done.lead_id,
            "account_id": done.account_id,
            "contact_id": done.contact_id,
            "opportunity_id": done.opportunity_id or None,
        }

    def show_conversions(self, org: Org, request: Request, rest: list[str]) -> Json:
        """GET /__sim/conversions: by SOAP, with the mails that they let out."""
        return {"conversions": org.conversions}

    def merge(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/merge {object, master, losers: [ids], values?, user?}."""
        writer, raw = self._writer(org, request, "MERGE")
        table = named_table(org, raw.get("object"))
        losers = [named_row(table, given) for given in raw.get("losers") or []]
        master = named_row(table, raw.get("master"))
        merging.merge(writer, table, master, losers, raw.get("values") or {})
        writer.done()
        return {"master": master.id, "losers": [row.id for row in losers]}

    def _writer(self, org: Org, request: Request, source: str) -> tuple[Writer, Json]:
        raw = request.object()
        return ui_writer(self.world, org, raw, source=source), raw

    # -- rules and definitions

    def _rules_shown(self, path: str) -> Callable[[Org, Request, list[str]], Any]:
        """GET /__sim/validation-rules or duplicate-rules."""
        return lambda org, request, rest: org.documents(_RULES[path])

    def _rule_added(self, path: str) -> Callable[[Org, Request, list[str]], Any]:
        """POST {name?, object, ...}: see the module rules."""

        def add(org: Org, request: Request, rest: list[str]) -> Json:
            raw = request.object()
            kind = _RULES[path]
            table = named_table(org, raw.get("object"))
            needed = "field" if kind == "validation_rules" else "fields"
            named = raw.get(needed)
            for name in named if isinstance(named, list) else [named]:
                if table.field(str(name)) is None:
                    raise ControlError(f"no such field: {name}")
            raw.setdefault(
                "message", "" if needed == "fields" else "Refused by a rule."
            )
            raw["object"] = table.name
            default = f"{table.name}_DR_{len(org.documents(kind)) + 1}"
            org.do(["doc", kind, str(raw.get("name") or default), raw])
            return org.documents(kind)

        return add

    def _rule_removed(self, path: str) -> Callable[[Org, Request, list[str]], Any]:
        """DELETE .../{name}, or all."""

        def remove(org: Org, request: Request, rest: list[str]) -> Json:
            kind = _RULES[path]
            for name in rest or list(org.documents(kind)):
                org.do(["doc", kind, name, None])
            return org.documents(kind)

        return remove

    def lock(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/locks {ids, times?}: writes fail so often, by default always."""
        raw = request.object()
        for identifier in raw.get("ids") or []:
            times = int(raw.get("times") or -1)
            org.do(["doc", "locks", str(identifier), {"times": times}])
        return org.documents("locks")

    def unlock(self, org: Org, request: Request, rest: list[str]) -> Json:
        """DELETE /__sim/locks."""
        for identifier in list(org.documents("locks")):
            org.do(["doc", "locks", identifier, None])
        return {}

    def put_field(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/fields {full_name, metadata, granted?: true}: as metadata does.

        metadata.formula: `Field` or `Relation.Field`, for a calculated field.
        """
        raw = request.object()
        made, created = metadata.put_field(
            org,
            str(raw.get("full_name")),
            raw.get("metadata") or {},
            at=int(self.world.now()),
            ungranted=raw.get("granted") is False,
            new=False,
        )
        return {"created": created, "field": made.describe()}

    def drop_field(self, org: Org, request: Request, rest: list[str]) -> Json:
        """DELETE /__sim/fields/{object}/{field}: custom or standard."""
        if len(rest) != 2:
            raise ControlError("use /__sim/fields/{object}/{field}")
        table = named_table(org, rest[0])
        if rest[1] not in table.fields:
            raise ControlError(f"no such field: {rest[1]}")
        at = int(self.world.now())
        org.do(["unfield", table.name, rest[1]])
        org.do(["doc", "describe_changed", table.name, {"at": at}])
        return {"removed": rest[1]}

    def change_picklist(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/picklists {object, field, add?, remove?, restricted?}."""
        raw = request.object()
        table = named_table(org, raw.get("object"))
        made = table.field(str(raw.get("field")))
        if made is None:
            raise ControlError(f"no such field: {raw.get('field')}")
        changed = picklists.change(org, table, made, raw, at=int(self.world.now()))
        return {"options": changed.options}

    def show_currencies(self, org: Org, request: Request, rest: list[str]) -> Json:
        """GET /__sim/currencies: {company_currency, additional_currencies}."""
        return org.currencies

    def change_currencies(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/currencies {company_currency?, additional_currencies?}.

        With additional ones the organization has several, and records name theirs.
        """
        org_currencies.change(org, request.object(), at=self.world.now_ms())
        return org.currencies

    def settle(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/settle: queries see everything at once."""
        for table in org.tables.values():
            table.lagging.clear()
        return {"settled": True}

    def set_quota(self, org: Org, request: Request, rest: list[str]) -> Json:
        """POST /__sim/quota {used}: how many calls others have made today."""
        used = int(request.object().get("used") or 0)
        org.do(["doc", "quota", "", {"used": used}])
        return {"used": used}
