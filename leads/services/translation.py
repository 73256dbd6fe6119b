"""From the words of snapshots, which mappings speak, to those of the services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from django.db.models.functions import Lower
from django.utils import timezone

from crmsync.core.models import Membership, User
from leads.services.drafts import Draft
from leads.services.fields import FIELDS, AnyRecord
from leads.services.values import Wrong, text
from leads.snapshots import FIELDS as SNAPSHOT_FIELDS
from leads.snapshots import value_of


class Row(Protocol):
    """What came in; see `incoming.Incoming`."""

    @property
    def values(self) -> Mapping[str, object]:
        """Return snapshot field -> value."""

    @property
    def expected(self) -> Mapping[str, object] | None:
        """Return snapshot field -> the value that was seen."""

    @property
    def parents(self) -> Mapping[str, int | None]:
        """Return record type -> id, None = none any more."""

    @property
    def kind(self) -> str:
        """Return an activity's kind."""


class Words:
    """The words of one record type, with the owners that the rows name."""

    def __init__(self, record_type: str, rows: Sequence[Row]) -> None:
        self._fields = FIELDS[record_type]
        self._targets = {
            info.name: info.writes for info in SNAPSHOT_FIELDS.get(record_type, ())
        }
        self._expects_owners = any("owner_email" in (r.expected or ()) for r in rows)
        self._owners = _members(row.values.get("owner_email") for row in rows)

    def current_owners(self, records: Iterable[AnyRecord]) -> dict[int, str]:
        """Return the e-mails of the records' owners where rows expect some."""
        if not self._expects_owners:
            return {}
        ids = {getattr(record, "owner_id", None) or 0 for record in records}
        rows = User.objects.filter(pk__in=ids).values_list("pk", "email")
        return {pk: email.lower() for pk, email in rows}

    def differs(self, row: Row, record: AnyRecord, emails: Mapping[int, str]) -> bool:
        """Tell whether the record is no longer what the row was decided on."""
        return any(
            value_of(record, name, emails) != value
            for name, value in (row.expected or {}).items()
        )

    def translate(
        self,
        row: Row,
        draft: Draft,
        values: dict[str, object],
        names: dict[str, str],
        errors: dict[str, str],
    ) -> None:
        """Fill values (service field -> value), their names there, and errors."""
        targets, special = self._targets, _SPECIAL
        for name, value in row.values.items():
            if name.startswith("custom."):
                own: Any = values.setdefault("custom", {})
                own[name.removeprefix("custom.")] = value
                continue
            target = targets.get(name)
            if not target:
                errors[name] = "This field cannot be written."
                continue
            names[target] = name
            if target in special:
                try:
                    value = special[target](value, draft, self._owners)
                except Wrong as error:
                    errors[name] = str(error)
                    continue
            values[target] = value
        for parent, parent_id in row.parents.items():
            if f"{parent}_id" in self._fields:
                values[f"{parent}_id"] = parent_id
                names[f"{parent}_id"] = parent
        if row.kind and draft.is_new and "kind" in self._fields:
            values["kind"] = row.kind


def _members(emails: Iterable[object]) -> dict[str, int]:
    wanted = set()
    for one in emails:
        with suppress(Wrong):
            wanted.add(_address(one))
    if not wanted:
        return {}
    rows = Membership.objects.filter(user__is_active=True)
    found = rows.annotate(email=Lower("user__email")).filter(email__in=wanted)
    return dict(found.values_list("email", "user_id"))


Special = Callable[[object, Draft, Mapping[str, int]], object]


def _owner(value: object, _: Draft, owners: Mapping[str, int]) -> object:
    if value in (None, ""):
        return None
    address = _address(value)
    if address not in owners:
        raise Wrong(f"Nobody in this workspace has the e-mail {address}.")
    return owners[address]


_text = text(254)


def _address(value: object) -> str:
    return _text(value).lower()


def _done_at(value: object, draft: Draft, _: Mapping[str, int]) -> object:
    if value not in (None, "", "open", "done"):
        raise Wrong("This must be open or done.")
    if value != "done":
        return None
    return getattr(draft.record, "done_at", None) or timezone.now()


def _stage(value: object, _: Draft, __: Mapping[str, int]) -> object:
    """Read the id as a mapping's table of values gives it: as text."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 19:
        return int(value)
    return value or None


_SPECIAL: Mapping[str, Special] = {
    "owner_id": _owner,
    "done_at": _done_at,
    "stage_id": _stage,
}
