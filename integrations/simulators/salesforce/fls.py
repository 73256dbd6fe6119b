"""Field-level security: which fields a user sees and may write."""

from integrations.simulators.salesforce.definitions import Field
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.settings import Settings
from integrations.simulators.salesforce.table import Table


class FieldAccess:
    """One user's fields. user: None = an administrator in the browser sees them all."""

    def __init__(self, org: Org, settings: Settings, user: str | None) -> None:
        self.org = org
        self._all = user is None
        self._hide_new = settings.api_fields_hidden
        self._hidden = _listed(settings.hidden_fields)
        self._read_only = _listed(settings.readonly_fields)
        self._granted = _granted(org, user) if user else {}
        self._names: dict[str, dict[str, Field]] = {}

    def names(self, table: Table) -> dict[str, Field]:
        """Return what is visible, by name and by name in lower case."""
        found = self._names.get(table.name)
        if found is None:
            seen = [f for f in table.fields.values() if self._sees(table, f)]
            found = {f.name.lower(): f for f in seen} | {f.name: f for f in seen}
            self._names[table.name] = found
        return found

    def find(self, table: Table, name: str) -> Field | None:
        """Return a visible field by its name in any case."""
        names = self.names(table)
        return names.get(name) or names.get(name.lower())

    def fields(self, table: Table) -> list[Field]:
        """Return the visible fields in order."""
        names = self.names(table)
        return [made for made in table.fields.values() if made.name in names]

    def may_edit(self, table: Table, made: Field) -> bool:
        """Return whether permissions allow writing; the definition may still not."""
        if self._all:
            return True
        key = f"{table.name}.{made.name}".lower()
        if key in self._read_only:
            return False
        return not self._needs_grant(made) or self._granted.get(key, False)

    def _needs_grant(self, made: Field) -> bool:
        return made.ungranted and self._hide_new

    def _sees(self, table: Table, made: Field) -> bool:
        if self._all:
            return True
        key = f"{table.name}.{made.name}".lower()
        if key in self._hidden:
            return False
        return not self._needs_grant(made) or key in self._granted


def _listed(text: str) -> frozenset[str]:
    return frozenset(part.strip().lower() for part in text.split(",") if part.strip())


def _granted(org: Org, user: str) -> dict[str, bool]:
    """Return "object.field" -> whether it may be edited too."""
    assigned = org.tables["PermissionSetAssignment"].linked("AssigneeId", user)
    found: dict[str, bool] = {}
    for assignment in assigned:
        parent = assignment.values["PermissionSetId"]
        for row in org.tables["FieldPermissions"].linked("ParentId", parent):
            if row.values.get("PermissionsRead"):
                key = str(row.values["Field"]).lower()
                editable = bool(row.values.get("PermissionsEdit"))
                found[key] = found.get(key, False) or editable
    return found
