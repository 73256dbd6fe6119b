"""Bodies and answers of associations, and which of several is the main one.

PURE. Bodies: guide crm/associations; SDK.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from integrations.connectors.hubspot.answers import entries, next_after
from integrations.connectors.hubspot.spec import SPEC
from integrations.connectors.hubspot.values import clean
from integrations.records import Association

# An association type: its category, and its id in that category. Customers' own types
# have ids of their own, so that 1 is the primary company or somebody's label.
Kind = tuple[str, int]
# Id of the other record -> the types of the association with it.
Tied = dict[str, tuple[Kind, ...]]

BUILT_IN = "HUBSPOT_DEFINED"


def main_kind(from_object: str, to_object: str) -> Kind | None:
    """Return the type that marks the main one of several, None where there is none."""
    number = SPEC.main_ties.get((from_object, to_object))
    return None if number is None else (BUILT_IN, number)


def belongs_to(tied: Tied, main: Kind | None) -> list[str]:
    """Return the ids that a record belongs to: the main one alone, or all by age."""
    marked = [one for one, kinds in tied.items() if main in kinds]
    return marked or sorted(tied, key=lambda one: (len(one), one))


def kinds_of(tie: Association, tied: Tied, main: Kind) -> tuple[Kind, ...] | None:
    """Return the types that make a tie the main one, None for the default one.

    tied: what there is already. Naming types replaces those there, so that the labels
    which people gave are named again.
    """
    taken = any(main in kinds for other, kinds in tied.items() if other != tie.to_id)
    if tie.yields and taken:
        return None
    return tuple(dict.fromkeys((*tied.get(tie.to_id, ()), main)))


def type_body(kind: Kind) -> dict[str, object]:
    """Return a type as bodies name it."""
    return {"associationCategory": kind[0], "associationTypeId": kind[1]}


def tie_input(
    from_id: str, to_id: str, kinds: Sequence[Kind] | None
) -> dict[str, object]:
    """Return an input of an association batch. kinds: None = the default type."""
    ends: dict[str, object] = {"from": {"id": from_id}, "to": {"id": to_id}}
    return ends if kinds is None else ends | {"types": [type_body(k) for k in kinds]}


def collect(body: Mapping[str, Any], ties: dict[str, Tied]) -> list[dict[str, str]]:
    """Add the ties of one answer; return the inputs that have more to come.

    A record without any is an error entry or absent: both mean none.
    """
    more: list[dict[str, str]] = []
    for entry in entries(body):
        source = entry.get("from")
        origin = clean(source.get("id")) if isinstance(source, Mapping) else None
        targets = entry.get("to")
        if origin not in ties or not isinstance(targets, list):
            continue
        known = ties[origin]
        before = len(known)
        for target in targets:
            one = clean(target.get("toObjectId")) if isinstance(target, Mapping) else ""
            if one and one not in known:
                known[one] = _kinds(target.get("associationTypes"))
        after = next_after(entry)
        # Only while it brings something new: a vendor that repeats a page would
        # otherwise be asked for ever.
        if after and len(known) > before:
            more.append({"id": origin, "after": after})
    return more


def _kinds(told: object) -> tuple[Kind, ...]:
    """Read the types of an association; their labels are words, and change."""
    found = []
    for one in told if isinstance(told, list) else ():
        if isinstance(one, Mapping):
            category, number = one.get("category"), one.get("typeId")
            if isinstance(category, str) and isinstance(number, int):
                found.append((category, number))
    return tuple(found)
