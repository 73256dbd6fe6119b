"""A mapping of fifteen fields, compiled without a database, and the same by hand."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from integrations.bench import people
from integrations.connectors.hubspot.values import from_remote, to_remote
from integrations.mapping.canon import Canon, canon_of
from integrations.mapping.engine import Compiled, Row, ToText
from integrations.mapping.inverse import FromText, Inverse
from integrations.mapping.merge import FieldRule
from integrations.records import FieldType, RemoteField
from integrations.sync.terms import Terms

_OUR_TYPES = {"email": "email", "phone": "phone", "fax": "text"}
_THEIR_TYPES: Mapping[str, FieldType] = {"phone": "phone"}
# All of them are texts, which the product sends as they are.
_AS_IT_IS = dict.fromkeys(people.FIELDS, sys.maxsize)
_INDUSTRIES = {"Machinery": "MACHINERY", "Software": "COMPUTER_SOFTWARE"}


def fifteen_fields() -> Terms:
    """Return the terms of the invented people's mapping, both ways."""
    fields = {
        name: RemoteField(name, name, _THEIR_TYPES.get(name, "text"))
        for name in people.FIELDS
    }
    rows = [Row(ours, theirs) for theirs, ours in people.FIELDS.items()]
    writers = {name: _writer(field) for name, field in fields.items()}
    return Terms(
        compiled=Compiled(rows, writers, as_it_is=_AS_IT_IS),
        texts=Compiled(rows, writers, as_it_is=_AS_IT_IS),
        inverse=Inverse(rows, {name: _reader(field) for name, field in fields.items()}),
        rules={n: FieldRule(own, n, rule="crm") for n, own in people.FIELDS.items()},
        canon={name: _canon(field) for name, field in fields.items()},
    )


def engine() -> Compiled:
    """Return a mapping that also lists values, cuts, and says what blanks become."""
    plain = [Row(ours, theirs) for theirs, ours in people.FIELDS.items()]
    special = {
        "email": Row("email", "email", transform="lower"),
        "firstname": Row("first_name", "firstname", transform="first_word"),
        "industry": Row("custom.industry", "industry", values=_INDUSTRIES),
        "country": Row("country", "country", default="Examplia"),
    }
    rows = [special.get(row.destination, row) for row in plain]
    writers = {row.destination: to_remote for row in rows}
    return Compiled(rows, writers, as_it_is=_AS_IT_IS)


def by_hand(values: Mapping[str, object]) -> dict[str, str]:
    """Do what `engine` does, as somebody would write it for this one mapping."""
    fields: dict[str, str] = {}
    if email := values.get("email"):
        fields["email"] = str(email).lower()
    if first_name := values.get("first_name"):
        fields["firstname"] = str(first_name).split(" ", 1)[0]
    if industry := values.get("custom.industry"):
        fields["industry"] = _INDUSTRIES[str(industry)]
    fields["country"] = str(values.get("country") or "Examplia")
    for theirs, ours in _PLAIN:
        if value := values.get(ours):
            fields[theirs] = value if isinstance(value, str) else to_remote(value)
    return fields


_PLAIN = [
    (theirs, ours)
    for theirs, ours in people.FIELDS.items()
    if theirs not in {"email", "firstname", "industry", "country"}
]


def _writer(field: RemoteField) -> ToText:
    return lambda value: to_remote(value, field)


def _reader(field: RemoteField) -> FromText:
    return lambda text: from_remote(text, field)


def _canon(field: RemoteField) -> Canon:
    return canon_of(
        field,
        _OUR_TYPES.get(field.name, "text"),
        reform=lambda text, field: to_remote(from_remote(text, field), field),
        phone_region="US",
    )
