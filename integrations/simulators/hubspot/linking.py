"""Joining records: both directions, the plain label under every other, one primary."""

from collections.abc import Iterable

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.association_types import AssociationType
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.wire import Json


def spec_types(
    portal: Portal, source: str, specs: object, target: str = ""
) -> list[AssociationType]:
    """Return the association types a request names; raises ApiError.

    specs: [{associationCategory, associationTypeId}]. target: "" = tell it from the
    type, as inline associations on create do.
    """
    if not isinstance(specs, list) or not specs:
        raise errors.bad_request("Invalid input: association types must not be empty")
    return [_spec_type(portal, source, spec, target) for spec in specs]


def _spec_type(
    portal: Portal, source: str, spec: object, target: str
) -> AssociationType:
    raw = spec if isinstance(spec, dict) else {}
    number, category = raw.get("associationTypeId"), raw.get("associationCategory")
    for kind in portal.types.values():
        same = (kind.source, kind.id, kind.category) == (source, number, category)
        if same and target in ("", kind.target):
            return kind
    towards = f" to {target}" if target else ""
    raise errors.bad_request(
        f"Invalid association type: {category} {number} is not defined from "
        f"{source}{towards}"
    )


def label_set(
    portal: Portal, source: str, target: str, kinds: Iterable[AssociationType]
) -> list[AssociationType]:
    """Return these types with the plain one of the pair in front."""
    plain = portal.plain_type(source, target)
    chosen = [plain] if plain else []
    return chosen + [kind for kind in kinds if kind != plain]


def join(
    portal: Portal,
    source: tuple[str, int],
    target: tuple[str, int],
    kinds: Iterable[AssociationType],
    *,
    replace: bool = False,
) -> bool:
    """Associate two records; return whether anything changed.

    replace: drop the labels the pair had, as the labelled PUT does.
    """
    wanted = label_set(portal, source[0], target[0], kinds)
    there = {(kind.category, kind.id): None for kind in wanted}
    back = {(kind.category, kind.inverse): None for kind in wanted}
    old = portal.linked(*source, target[0]).get(target[1], {})
    if not replace:
        there = old | there
        back = portal.linked(*target, source[0]).get(source[1], {}) | back
    for kind in wanted:
        _demote_others(portal, kind, source, target)
    changed = set(there) != set(old)
    if changed:
        _write(portal, source, target, there)
        _write(portal, target, source, back)
    return changed


def part(portal: Portal, source: tuple[str, int], target: tuple[str, int]) -> bool:
    """Remove every label between two records; return whether there was one."""
    if target[1] not in portal.linked(*source, target[0]):
        return False
    _write(portal, source, target, {})
    _write(portal, target, source, {})
    return True


def drop_labels(
    portal: Portal,
    source: tuple[str, int],
    target: tuple[str, int],
    kinds: Iterable[AssociationType],
) -> bool:
    """Remove some labels; without the plain one nothing is left."""
    gone = list(kinds)
    if any(kind.label is None for kind in gone):
        return part(portal, source, target)
    there = dict(portal.linked(*source, target[0]).get(target[1], {}))
    back = dict(portal.linked(*target, source[0]).get(source[1], {}))
    before = len(there)
    for kind in gone:
        there.pop((kind.category, kind.id), None)
        back.pop((kind.category, kind.inverse), None)
    if len(there) == before:
        return False
    _write(portal, source, target, there)
    _write(portal, target, source, back)
    return True


def shown_types(
    portal: Portal, source: str, target: str, labels: dict[tuple[str, int], None]
) -> list[Json]:
    """Return [{category, typeId, label?}] as association reads do."""
    shown = []
    for category, number in labels:
        kind = portal.types.get((source, target, category, number))
        item: Json = {"category": category, "typeId": number}
        if kind and kind.label:
            item["label"] = kind.label
        shown.append(item)
    return shown


def _demote_others(
    portal: Portal,
    kind: AssociationType,
    source: tuple[str, int],
    target: tuple[str, int],
) -> None:
    """Take a single-partner label off the partner that had it before."""
    if not kind.primary:
        return
    if not kind.single:
        reverse = portal.types[kind.inverse_key]
        kind, source, target = reverse, target, source
    for other, labels in list(portal.linked(*source, target[0]).items()):
        if other != target[1] and (kind.category, kind.id) in labels:
            drop_labels(portal, source, (target[0], other), [kind])


def _write(
    portal: Portal,
    source: tuple[str, int],
    target: tuple[str, int],
    labels: dict[tuple[str, int], None],
) -> None:
    portal.do(["link", *source, *target, [list(label) for label in labels]])
