"""What a field and an object are, and how describe shows them."""

from dataclasses import dataclass, field
from typing import Any

from integrations.simulators.wire import Json

_TEXT = frozenset(
    {
        "string",
        "textarea",
        "phone",
        "url",
        "email",
        "picklist",
        "multipicklist",
        "combobox",
        "encryptedstring",
    }
)
_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "address": "urn:address",
}
_NOT_GROUPED = frozenset({"datetime", "double", "currency", "percent", "address"})
# What describe says of every field here.
_UNUSED: Json = {
    "aiPredictionField": False,
    "cascadeDelete": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "mask": None,
    "maskType": None,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "searchPrefilterable": False,
    "writeRequiresMasterRead": False,
}
# A record's currency, and the one that a user's new records have.
CURRENCY, USER_CURRENCY = "CurrencyIsoCode", "DefaultCurrencyIsoCode"
SYSTEM_TIMES = frozenset({"CreatedDate", "LastModifiedDate", "SystemModstamp"})


@dataclass(slots=True)
class Field:
    """One field. options: picklist values as describe shows them; options_on: their
    controlling field; formula: a path whose value a calculated field shows."""

    name: str
    type: str
    label: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    required: bool = False
    createable: bool = False
    updateable: bool = False
    defaulted: bool = False
    id_lookup: bool = False
    restricted: bool = False
    filterable: bool = True
    sortable: bool = True
    groupable: bool = True
    name_field: bool = False
    permissionable: bool = False
    compound: str = ""
    default: Any = None
    refs: list[str] = field(default_factory=list)
    relationship: str = ""
    options: list[Json] = field(default_factory=list)
    custom: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    calculated: bool = False
    formula: str = ""
    auto_number: bool = False
    help: str = ""
    id: str = ""
    # Made through the API: nobody sees it until a permission set says so.
    ungranted: bool = False

    @property
    def is_text(self) -> bool:
        """Whether values are strings limited by length."""
        return self.type in _TEXT

    @property
    def plain(self) -> bool:
        """Whether any string of the right length is a good value."""
        if self.type in ("picklist", "combobox"):
            return not self.restricted
        return self.is_text and self.type not in ("email", "multipicklist")

    @property
    def looked_up(self) -> bool:
        """Whether records are found by this field's value."""
        return self.external_id or self.id_lookup or self.unique

    @property
    def must_be_given(self) -> bool:
        """Whether a create without it is refused."""
        return self.createable and self.required and not self.defaulted

    def allows(self, value: str) -> bool:
        """Return whether a restricted picklist has this value."""
        return any(o["value"] == value and o["active"] for o in self.options)

    def describe(self) -> Json:
        """Return the field as describe shows it."""
        return _UNUSED | {
            "aggregatable": self.filterable and self.type not in ("boolean", "address"),
            "autoNumber": self.auto_number,
            "byteLength": self.length * (3 if self.is_text else 1),
            "calculated": self.calculated,
            "calculatedFormula": self.formula or None,
            "caseSensitive": self.case_sensitive,
            "compoundFieldName": self.compound or None,
            "createable": self.createable,
            "custom": self.custom,
            "defaultValue": False if self.type == "boolean" else self.default,
            "defaultedOnCreate": self.defaulted,
            "digits": self.digits,
            "externalId": self.external_id,
            "extraTypeInfo": "plaintextarea" if self.type == "textarea" else None,
            "filterable": self.filterable,
            "groupable": self.groupable and self.type not in _NOT_GROUPED,
            "idLookup": self.id_lookup or self.external_id,
            "inlineHelpText": self.help or None,
            "label": self.label,
            "length": self.length,
            "name": self.name,
            "nameField": self.name_field,
            "namePointing": len(self.refs) > 1,
            "nillable": not self.required,
            "permissionable": self.permissionable,
            "picklistValues": self.options,
            "polymorphicForeignKey": len(self.refs) > 1,
            "precision": self.precision,
            "queryByDistance": self.type == "address",
            "referenceTo": self.refs,
            "relationshipName": self.relationship or None,
            "restrictedPicklist": self.restricted,
            "scale": self.scale,
            "soapType": _SOAP.get(self.type, "xsd:string"),
            "sortable": self.sortable,
            "type": self.type,
            "unique": self.unique,
            "updateable": self.updateable,
        }


@dataclass(frozen=True, slots=True)
class SObject:
    """One object. prefix: the first three characters of its ids."""

    name: str
    prefix: str
    label: str
    plural: str
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    mergeable: bool = False
    custom: bool = False

    def summary(self, version: str) -> Json:
        """Return the object as the list of all objects shows it."""
        base = f"/services/data/{version}/sobjects/{self.name}"
        return {
            "activateable": False,
            "associateEntityType": None,
            "associateParentEntity": None,
            "createable": self.createable,
            "custom": self.custom,
            "customSetting": False,
            "deepCloneable": False,
            "deletable": self.deletable,
            "deprecatedAndHidden": False,
            "feedEnabled": not self.custom,
            "hasSubtypes": False,
            "isInterface": False,
            "isSubtype": False,
            "keyPrefix": self.prefix,
            "label": self.label,
            "labelPlural": self.plural,
            "layoutable": self.createable,
            "mergeable": self.mergeable,
            "mruEnabled": self.createable,
            "name": self.name,
            "queryable": True,
            "replicateable": True,
            "retrieveable": True,
            "searchable": self.createable,
            "triggerable": self.createable,
            "undeletable": self.deletable,
            "updateable": self.updateable,
            "urls": {
                "rowTemplate": f"{base}/{{ID}}",
                "describe": f"{base}/describe",
                "sobject": base,
            },
        }


def option(value: str, label: str = "", *, default: bool = False) -> Json:
    """Return one picklist value."""
    return {
        "active": True,
        "defaultValue": default,
        "label": label or value,
        "validFor": None,
        "value": value,
    }
