"""Which currencies an organization has, and the fields that come with several.

Where there are several, records name theirs in CurrencyIsoCode (Object Reference:
defaulted on create, nillable, restricted); where there is one there is no such field.
"""

from integrations.simulators import currencies
from integrations.simulators.salesforce.definitions import (
    CURRENCY,
    USER_CURRENCY,
    Field,
    option,
)
from integrations.simulators.salesforce.org import Org, definition_of
from integrations.simulators.salesforce.table import Table
from integrations.simulators.wire import Json

_RECORDS = ("Account", "Campaign", "Contact", "Lead", "Opportunity")
_FIELDS = (*((name, CURRENCY) for name in _RECORDS), ("User", USER_CURRENCY))


def change(org: Org, raw: Json, *, at: int) -> None:
    """Deal in the currencies that `raw` names; at: epoch ms. Raises ControlError."""
    wanted = currencies.changed(org.currencies, raw)
    org.do(["doc", "account", "currencies", wanted])
    for name, field in _FIELDS:
        table = org.tables[name]
        if org.multi_currency:
            org.do(["field", name, definition_of(_defined(table, field, wanted))])
        elif field in table.fields:
            org.do(["unfield", name, field])
        else:
            continue
        org.do(["doc", "describe_changed", name, {"at": at // 1000}])
    if org.multi_currency:
        _mark(org, wanted[currencies.COMPANY], at)


def _defined(table: Table, field: str, wanted: Json) -> Field:
    own = field == CURRENCY
    label = f"{table.kind.label} Currency" if own else "Default Currency ISO Code"
    made = Field(field, "picklist", label, length=3, restricted=True)
    made.createable = made.updateable = made.defaulted = True
    company = wanted[currencies.COMPANY]
    made.options = [
        option(code, default=code == company) for code in currencies.all_of(wanted)
    ]
    return made


def _mark(org: Org, company: str, at: int) -> None:
    """Let what was there before the switch be in the company's currency."""
    who = [next(iter(org.tables["User"].ids)), "", "SETUP"]
    for name in _RECORDS:
        for row in list(org.tables[name].rows.values()):
            if CURRENCY not in row.values:
                org.do(["mutate", name, row.id, at, {CURRENCY: company}, who])
