"""One form for values that mean the same, so that comparing them does not lie.

PURE. Applying it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from integrations.records import RemoteField
from leads.matching import normal_email, normal_phone

Canon = Callable[[str], str]

# Types whose text can be written in several ways by the CRM itself.
_REWRITTEN = frozenset({"number", "bool", "date", "datetime", "multi_enum"})


def canon_of(
    field: RemoteField,
    our_type: str,
    *,
    reform: Callable[[str, RemoteField], str],
    phone_region: str,
) -> Canon:
    """Return what brings a field's text into its one form.

    our_type: the type of the field it is mapped to, in the words of custom fields;
    reform: reads the vendor's text and writes it again.
    """
    if our_type == "phone":
        return lambda text: normal_phone(text, phone_region) or text.strip()
    if our_type == "email":
        return lambda text: normal_email(text) or text.strip().lower()
    if field.type in _REWRITTEN:
        return lambda text: reform(text, field) if text else ""
    return str.strip
