"""What a CRM makes of what we send compares as what we sent: nothing travels back.

N(vendor(N(v))) = N(v) and N(N(v)) = N(v), for every type and vendor. The vendors are
the simulators' own idea of what is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from integrations.connectors.hubspot import values as hubspot
from integrations.connectors.salesforce import values as salesforce
from integrations.errors import RecordRejected
from integrations.mapping.canon import canon_of
from integrations.records import FieldType, RemoteField
from integrations.simulators.hubspot.definitions import Property
from integrations.simulators.hubspot.values import InvalidValueError
from integrations.simulators.salesforce import cleaning
from integrations.simulators.salesforce.definitions import Field
from integrations.simulators.salesforce.errors import RowError
from integrations.tests.connectors.fuzz import patient


@dataclass(frozen=True)
class Place:
    """A field of a vendor. keeps: the text we send -> what the vendor answers."""

    values: ModuleType
    field: RemoteField
    keeps: Callable[[str], object]
    our_type: str = "text"

    def sent(self, value: object) -> str:
        text = self.values.to_remote(value, self.field)
        return self._reform(text, self.field) if self.field.type != "text" else text

    def canon(self, text: str) -> str:
        made = canon_of(
            self.field, self.our_type, reform=self._reform, phone_region="DE"
        )
        return made(text)

    def _reform(self, text: str, field: RemoteField) -> str:
        back = self.values.from_remote(text, field)
        return str(self.values.to_remote(back, field))

    def kept(self, text: str) -> str:
        """Return what we read after a write."""
        return self.values.clean(self.keeps(text)) or ""


def in_hubspot(
    kind: FieldType, type_: str, *, our_type: str = "text", **more: Any
) -> Place:
    there = Property("f", "F", type=type_, email=more.get("lower", False))
    field = RemoteField("f", "F", kind, **more)
    return Place(hubspot, field, lambda t: there.clean(t, None) if t else "", our_type)


def in_salesforce(
    kind: FieldType, type_: str, *, our_type: str = "text", **more: Any
) -> Place:
    there = Field(
        "F", type_, "F", length=255, precision=18, scale=more.get("scale") or 0
    )
    field = RemoteField("F", "F", kind, **more)
    return Place(salesforce, field, lambda t: cleaning.clean(there, t), our_type)


PLACES = {
    "hubspot text": in_hubspot("text", "string"),
    "hubspot e-mail": in_hubspot("text", "string", lower=True),
    "hubspot e-mail of ours": in_hubspot(
        "text", "string", lower=True, our_type="email"
    ),
    "hubspot phone": in_hubspot("phone", "string", our_type="phone"),
    "hubspot number": in_hubspot("number", "number"),
    "hubspot date": in_hubspot("date", "date"),
    "hubspot datetime": in_hubspot("datetime", "datetime"),
    "hubspot bool": in_hubspot("bool", "bool"),
    "salesforce text": in_salesforce("text", "string"),
    "salesforce e-mail": in_salesforce("text", "email", lower=True),
    "salesforce e-mail of ours": in_salesforce(
        "text", "email", lower=True, our_type="email"
    ),
    "salesforce phone": in_salesforce("phone", "phone", our_type="phone"),
    "salesforce whole number": in_salesforce("number", "double", scale=0),
    "salesforce decimals": in_salesforce("number", "currency", scale=2),
    "salesforce percent": in_salesforce("number", "percent", scale=4),
    "salesforce date": in_salesforce("date", "date"),
    "salesforce datetime": in_salesforce("datetime", "datetime"),
    "salesforce bool": in_salesforce("bool", "boolean"),
}
_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
_TIMES = st.datetimes(
    min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1), timezones=_ZONES
)
_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
_MAILS = st.builds(
    "{}{}@{}.example.com{}".format,
    st.sampled_from(["", " ", "\t"]),
    st.text("aBcZ09._", min_size=1, max_size=8),
    st.text("aBc", min_size=1, max_size=5),
    st.sampled_from(["", " ", "\n"]),
)
_PHONES = st.text("+0123456789 ()-/", max_size=20)
_NUMBERS = (
    st.decimals(-(10**9), 10**9, allow_nan=False, places=8)
    | st.floats(-1e9, 1e9)
    | st.integers(-(10**9), 10**9)
)
VALUES: dict[str, st.SearchStrategy[object]] = {
    "text": _WORDS,
    "e-mail": _MAILS,
    "phone": _PHONES,
    "number": _NUMBERS,
    "date": _TIMES,
    "datetime": _TIMES,
    "bool": st.booleans(),
}


def _values_of(name: str) -> st.SearchStrategy[object]:
    words = [one for one in VALUES if f" {one}" in name]
    return VALUES[words[-1] if words else "number"]


CASES = st.sampled_from(sorted(PLACES)).flatmap(
    lambda name: st.tuples(st.just(name), _values_of(name))
)


@patient
@given(CASES)
@example(("salesforce datetime", datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)))
@example(("salesforce decimals", Decimal("-0.005")))
@example(("salesforce whole number", 2.5))
@example(("salesforce e-mail", "Ada@Fern.Example.com"))
@example(("hubspot e-mail", "Ada@Fern.Example.com "))
def test_what_a_vendor_keeps_compares_as_what_was_sent(
    case: tuple[str, object],
) -> None:
    place, value = PLACES[case[0]], case[1]
    try:
        sent = place.sent(value)
        kept = place.kept(sent)
    except (RecordRejected, InvalidValueError, RowError):
        assume(False)

    form = place.canon(sent)

    assert place.canon(form) == form
    assert place.canon(kept) == form


@patient
@given(CASES)
def test_sending_again_what_was_kept_changes_nothing_there(
    case: tuple[str, object],
) -> None:
    place, value = PLACES[case[0]], case[1]
    try:
        kept = place.kept(place.sent(value))
        again = place.kept(place.sent(place.values.from_remote(kept, place.field)))
    except (RecordRejected, InvalidValueError, RowError):
        assume(False)

    assert again == kept


@pytest.mark.parametrize("name", sorted(PLACES))
def test_a_blank_stays_a_blank(name: str) -> None:
    place = PLACES[name]

    assert place.canon(place.kept(place.sent(None))) == ""
