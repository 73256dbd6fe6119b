"""One form for values that mean the same, so that comparing them does not lie.

PURE. Applying it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from unicodedata import normalize

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
    if field.lower:
        return lambda text: _plain(text).lower()
    if field.type in _REWRITTEN:
        return lambda text: reform(text, field) if text else ""
    return _plain


def _plain(text: str) -> str:
    """Return text without what CRMs change of it: blanks around it, the way lines end,
    and letters that are written in two ways."""
    text = text.strip()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else normalize("NFC", text).strip()
