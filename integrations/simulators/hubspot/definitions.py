"""What an object type and a property are."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from integrations.simulators.hubspot import values
from integrations.simulators.wire import Json

BORN = "2024-01-15T09:00:00.000Z"
FIELD_TYPES = {
    "string": {"text", "textarea", "html", "phonenumber", "file"},
    "number": {"number", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
    "bool": {"booleancheckbox"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox"},
}


@dataclass(slots=True)
class ObjectType:
    """One object.

    defaults: properties returned unless others are named; guid: the property with the
    record's id where ids are GUIDs, as in APIs outside the generic CRM API, which does
    not know such a type.
    """

    type_id: str
    name: str
    singular: str
    plural: str
    label: str
    scope: str
    created: str
    modified: str
    defaults: tuple[str, ...]
    searchable: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    event: str = ""
    pipeline: str = ""
    stage: str = ""
    custom: bool = False
    guid: str = ""

    def identified(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return a new record's values, with a GUID where that is its id."""
        return {self.guid: str(uuid4())} | values if self.guid else values

    @property
    def names(self) -> tuple[str, ...]:
        """Every name a path may use for this type."""
        plain = (self.type_id, self.name, self.singular.lower(), self.label.lower())
        return (*plain, f"p_{self.name}") if self.custom else plain


@dataclass(slots=True)
class Property:
    """One property. options: internal value -> label, in display order."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group: str = ""
    description: str = ""
    options: dict[str, str] = field(default_factory=dict)
    hidden_options: list[str] = field(default_factory=list)
    unique: bool = False
    hidden: bool = False
    calculated: bool = False
    read_only: bool = False
    hubspot_defined: bool = True
    external_options: bool = False
    form_field: bool = False
    referenced: str = ""
    formula: str = ""
    display_order: int = -1
    archived_at: str = ""
    created_at: str = BORN
    updated_at: str = BORN
    email: bool = False

    @property
    def writable(self) -> bool:
        """Whether the API may set it."""
        return not (self.read_only or self.calculated)

    @property
    def plain(self) -> bool:
        """Whether any text of allowed length will do."""
        return self.type == "string" and not self.email

    @property
    def multiple(self) -> bool:
        """Whether several options may be chosen."""
        return self.type == "enumeration" and self.field_type == "checkbox"

    def clean(self, raw: str, before: str | None) -> str:
        """Return the value as kept; raises values.InvalidValueError."""
        if self.type == "enumeration" and not self.external_options:
            if self.field_type == "booleancheckbox" and not self.options:
                return values.clean_bool(raw)
            if self.multiple:
                return values.clean_options(raw, self.options, before)
            return values.clean_option(raw, self.options)
        if self.email:
            return values.clean_email(raw)
        cleaner = _CLEANERS.get(self.type)
        return cleaner(raw) if cleaner else values.clean_string(self.name, raw)

    def as_json(self) -> Json:
        """Return the definition as the properties API does."""
        shown: Json = {
            "updatedAt": self.updated_at,
            "createdAt": self.created_at,
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": self._options(),
            "displayOrder": self.display_order,
            "calculated": self.calculated,
            "externalOptions": self.external_options,
            "archived": bool(self.archived_at),
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "hubspotDefined": self.hubspot_defined,
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyOptions": self.hubspot_defined,
                "readOnlyValue": not self.writable,
            },
            "formField": self.form_field,
        }
        optional = {
            "referencedObjectType": self.referenced,
            "calculationFormula": self.formula,
            "archivedAt": self.archived_at,
        }
        return shown | {name: value for name, value in optional.items() if value}

    def _options(self) -> list[Json]:
        return [
            {
                "label": label,
                "value": value,
                "displayOrder": order,
                "hidden": value in self.hidden_options,
                "description": "",
            }
            for order, (value, label) in enumerate(self.options.items())
        ]


_CLEANERS = {
    "number": values.clean_number,
    "date": values.clean_date,
    "datetime": values.clean_datetime,
    "bool": values.clean_bool,
}
