"""Reads the change events of Salesforce, as a relay or a flow posts them on as JSON.

PURE. The envelope depends on who posts: the event itself, what the streaming interface
hands out, or what an event bus wraps around it. Several come as an array.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from integrations.webhooks import reading
from integrations.webhooks.base import OWN, Hint, HintKind

HEADER = "ChangeEventHeader"
_WRAPPERS = ("payload", "detail", "data")
_MAX_WRAPPERS = 4
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
# The bus names its source ".../salesforce.com/<org>/<channel>".
_ORG = re.compile(r"/(00D(?:[A-Za-z0-9]{12}|[A-Za-z0-9]{15}))(?:/|$)")
_KINDS: Mapping[str, HintKind] = {
    "CREATE": "changed",
    "UPDATE": "changed",
    "DELETE": "deleted",
    "UNDELETE": "restored",
}
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_IDENTITY = ("entityName", "changeType", "transactionKey", "sequenceNumber")


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One event. organization: "" where the envelope does not say."""

    header: Mapping[str, object]
    values: Mapping[str, object]
    organization: str

    def identity(self) -> str:
        """Return the same text for the same event."""
        if not self.header.get("transactionKey"):
            return reading.canonical([self.header, self.values])
        return reading.canonical([self.header.get(one) for one in _IDENTITY])


def events_in(payload: object) -> list[ChangeEvent]:
    """Return the events of a body, in order; what is none is left out."""
    found = payload if isinstance(payload, list) else [payload]
    return [event for one in found if (event := _event(one))]


def hints_of(event: ChangeEvent, received_at: datetime) -> list[Hint]:
    """Return a hint for each record of an event; all share the values that changed."""
    header = event.header
    what = reading.as_text(header.get("changeType"), limit=40).upper()
    remote_object = reading.as_text(header.get("entityName"), limit=60)
    if not remote_object:
        return []
    at = reading.as_time(header.get("commitTimestamp"), fallback=received_at)
    kind = _KINDS.get(what.removeprefix("GAP_"), "changed")
    fields = {} if what.startswith("GAP_") else _fields(event)
    # What overflowed, or names its records by "001*", is about all of the object.
    told = [""] if what == "GAP_OVERFLOW" else list(_ids(header))
    return [
        Hint(remote_object, one, kind, at=at, origin=_origin(header), fields=fields)
        for one in dict.fromkeys(told)
    ]


def _event(wrapped: object) -> ChangeEvent | None:
    organization = ""
    for _ in range(_MAX_WRAPPERS):
        if not isinstance(wrapped, Mapping):
            return None
        header = wrapped.get(HEADER)
        if isinstance(header, Mapping):
            return ChangeEvent(header, wrapped, organization)
        source = _ORG.search(reading.as_text(wrapped.get("source"), limit=300))
        organization = source[1] if source else organization
        inner = (wrapped.get(name) for name in _WRAPPERS)
        wrapped = next((one for one in inner if isinstance(one, Mapping)), None)
    return None


def _ids(header: Mapping[str, object]) -> Iterator[str]:
    many = header.get("recordIds")
    for one in many if isinstance(many, list) else [header.get("recordId")]:
        text = reading.as_text(one, limit=20)
        if text.endswith("*"):
            yield ""
        elif found := long_id(text):
            yield found


def _origin(header: Mapping[str, object]) -> str:
    told = reading.as_text(header.get("changeOrigin"), limit=200)
    is_own = f"client={OWN}" in [part.strip() for part in told.split(";")]
    return OWN if is_own else told[:60]


# --- values ---------------------------------------------------------------------------


def _fields(event: ChangeEvent) -> dict[str, str | None]:
    """Return field -> text, None = emptied, without what did not change.

    Who decodes an event may leave every field in it that did not change as null, so a
    null counts only where the header names it.
    """
    told = dict(_flat(event.values))
    for name in _names(event, "diffFields"):
        # Of a long text only the lines that differ are told, which is no value.
        told.pop(name, None)
    emptied = {*_names(event, "nulledFields"), *_names(event, "changedFields")}
    return {
        name: value
        for name, value in told.items()
        if value is not None or name in emptied
    } | dict.fromkeys(_names(event, "nulledFields"))


def _names(event: ChangeEvent, name: str) -> set[str]:
    """Return names of fields; "MailingAddress.Street" is MailingStreet."""
    listed = event.header.get(name)
    texts = [reading.as_text(one) for one in listed] if isinstance(listed, list) else []
    return {_joined(*one.split(".", 1)) for one in texts if one and one[:2] != "0x"}


def _flat(values: Mapping[str, object]) -> Iterator[tuple[str, str | None]]:
    for name, value in values.items():
        if name == HEADER:
            continue
        if isinstance(value, Mapping):
            for part, inner in value.items():
                yield _joined(name, part), _text(inner)
        elif not isinstance(value, list):
            yield name, _text(value)


def _joined(name: str, part: str = "") -> str:
    """Return the field that a part of a compound one is when it is read by itself."""
    if not part:
        return name
    return name.removesuffix("Address") + part if name.endswith("Address") else part


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | Decimal) else None


# --- ids ------------------------------------------------------------------------------


def long_id(text: str) -> str:
    """Return the form of an id with 18 characters, "" for what is no id.

    The last three say which of the fifteen before them are capitals.

    >>> long_id("001D000000IqhSL")
    '001D000000IqhSLIAZ'
    """
    if not _ID.fullmatch(text):
        return ""
    base = text[:15]
    chunks = (base[start : start + 5] for start in (0, 5, 10))
    bits = (sum(1 << i for i, c in enumerate(one) if c.isupper()) for one in chunks)
    return base + "".join(_CHECK[one] for one in bits)


def same_id(one: str, other: str) -> bool:
    """Tell whether two ids are the same, in whichever form each of them is."""
    return bool(long_id(one)) and long_id(one) == long_id(other)
