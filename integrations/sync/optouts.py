"""Keeps out who opted out, where two records of ours become one.

A field that "most restrictive wins" holds for is one by its mapping, whichever CRM it
goes to: the record that stays has the stricter value of the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crmsync.core.models import Workspace
from integrations.mapping.merge import FieldRule
from integrations.models import FieldMapping
from leads.facts import RecordChange
from leads.models import Merge
from leads.services import records
from leads.services.records import Edit
from leads.snapshots import snapshots

_CUSTOM = "custom."


def follow_merges(workspace: Workspace, changes: Sequence[RecordChange]) -> None:
    """Give what records were merged into the stricter values of those that went."""
    for change in changes:
        if change.action == "merged":
            _, winner = change.fields.get("merged_into", (None, None))
            if isinstance(winner, int):
                _keep_out(workspace, change, winner)


def _keep_out(workspace: Workspace, change: RecordChange, winner: int) -> None:
    rows = FieldMapping.objects.filter(
        mapping__record_type=change.record_type,
        rule=FieldMapping.Rule.RESTRICTIVE,
        active=True,
    )
    rules = list(rows)
    merges = Merge.objects.filter(
        record_type=change.record_type, loser_id=change.record_id
    )
    merge = merges.order_by("-pk").first() if rules else None
    record = snapshots(change.record_type, [winner]).get(winner) if merge else None
    if merge is None or record is None:
        return
    stricter: dict[str, object] = {}
    for row in rules:
        theirs = _value(merge.kept.get("loser", {}), row.source)
        ours = stricter.get(row.source, record.values.get(row.source))
        if looser(row, ours, theirs):
            stricter[row.source] = theirs
    if stricter:
        origin = replace(change.origin, connection_id=None)
        edit = Edit(winner, _as_edit(stricter))
        records.update(workspace, change.record_type, [edit], origin=origin)


def looser(row: FieldMapping, value: object, than: object) -> bool:
    """Tell whether a value of ours is less strict than another, by a row's order."""
    rule = FieldRule(
        row.source, row.destination, rule=row.rule, order=tuple(map(str, row.order))
    )
    return rule.loosens(_theirs(row, value), _theirs(row, than))


def _theirs(row: FieldMapping, value: object) -> str:
    """Return what a value of ours is there."""
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return str(row.values.get(str(value), text))


def _value(columns: Mapping[str, object], source: str) -> object:
    custom = columns.get("custom")
    if source.startswith(_CUSTOM) and isinstance(custom, dict):
        return custom.get(source.removeprefix(_CUSTOM))
    return columns.get(source)


def _as_edit(values: Mapping[str, object]) -> dict[str, object]:
    plain = {n: v for n, v in values.items() if not n.startswith(_CUSTOM)}
    custom = {
        n.removeprefix(_CUSTOM): v for n, v in values.items() if n.startswith(_CUSTOM)
    }
    return {**plain, "custom": custom} if custom else plain
