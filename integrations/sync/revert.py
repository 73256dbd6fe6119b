"""Takes back what a run changed, wherever nobody has changed it since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.connectors.base import Connector
from integrations.mapping.merge import FieldRule
from integrations.models import FieldMapping, Link, ObjectMapping, SyncEntry
from integrations.records import Write
from integrations.sync import optouts, steps
from integrations.sync.cases import base_of
from integrations.sync.driving import Drive
from integrations.sync.terms import terms_of
from leads.facts import Origin
from leads.services import incoming

CHUNK = 100


def take_back(drive: Drive) -> bool:
    """Take back the next entries of the run to revert; return whether all are done.

    Newest first, so that a field changed twice ends where it began.
    """
    run = drive.run
    entries = SyncEntry.objects.filter(
        run=run.options.get("run"), mapping=drive.mapping
    ).exclude(undo={})
    if run.total is None:
        drive.save(total=entries.count())
    while drive.may_go_on():
        before = run.cursor.get("before_id")
        rows = entries.filter(pk__lt=before) if before else entries
        some = list(rows.order_by("-pk")[:CHUNK])
        if not some:
            return True
        _here(drive, [one for one in some if one.direction == "pull"])
        _there(drive, [one for one in some if one.direction != "pull"])
        run.cursor["before_id"] = some[-1].pk
        drive.save(settled=run.settled + len(some))
    return False


def _here(drive: Drive, entries: Sequence[SyncEntry]) -> None:
    """Put our own fields back that still have what the run gave them."""
    if not entries:
        return
    mapping, run = drive.mapping, drive.run
    origin = Origin(
        kind="run", id=f"run:{run.pk}", label=f"Revert of {run.options}"[:120]
    )
    rows = mapping.rows.filter(rule=FieldMapping.Rule.RESTRICTIVE)
    strict = {row.source: row for row in rows}
    for entry in entries:
        back = incoming.put_back(
            mapping.workspace,
            mapping.record_type,
            entry.record_id,
            {
                name: (old, new)
                for name, (old, new) in entry.undo.items()
                if name not in strict or not optouts.looser(strict[name], old, new)
            },
            origin=origin,
        )
        drive.count({"put_back_here": int(back > 0), "changed_since": int(back == 0)})


def _there(drive: Drive, entries: Sequence[SyncEntry]) -> None:
    """Write the CRM's old values where it still has what the run sent."""
    if not entries:
        return
    mapping = drive.mapping
    links = {
        link.remote_id: link
        for link in Link.objects.filter(
            connection=mapping.connection,
            remote_object=mapping.remote_object,
            remote_id__in=[one.remote_id for one in entries],
        )
    }
    current = _current(mapping, drive.connector, links, entries)
    terms = terms_of(mapping, drive.connector)
    rules = terms.rules
    writes, kept = [], 0
    for entry in entries:
        fields = {
            name: old
            for name, (old, new) in entry.undo.items()
            if current.get(entry.remote_id, {}).get(name) == new
            and _may_go_back(rules.get(name), old, new)
        }
        kept += not fields
        if fields and entry.remote_id in links:
            there = current[entry.remote_id]
            back = steps.cleared_first(fields, there, terms)
            writes.append(_write(mapping, entry, fields, back))
    if writes:
        results = drive.connector.write(mapping.remote_object, writes)
        done = {one.ref for one in results if one.error is None}
        _remember(links, [one for one in writes if one.ref in done])
        drive.count({"put_back_there": len(done), "failed": len(writes) - len(done)})
    drive.count({"changed_since": kept})


def _current(
    mapping: ObjectMapping,
    connector: Connector,
    links: Mapping[str, Link],
    entries: Sequence[SyncEntry],
) -> dict[str, dict[str, str]]:
    names = sorted({name for one in entries for name in one.undo})
    canon = terms_of(mapping, connector).canon
    found = connector.fetch(mapping.remote_object, list(links), fields=names)
    return {
        record.remote_id: {
            name: canon[name](record.fields.get(name) or "")
            for name in names
            if name in canon
        }
        for record in found
    }


def _may_go_back(rule: FieldRule | None, old: str, new: str) -> bool:
    """Tell whether the mapping lets a value go back.

    A stage that only moves forward does not unless that is allowed, and who opted out
    is let in by nobody but a person.
    """
    if rule is None:
        return True
    back = rule.is_back(old, new) and not rule.backward
    return not back and not rule.loosens(old, new)


def _write(
    mapping: ObjectMapping,
    entry: SyncEntry,
    fields: Mapping[str, str],
    clears_first: tuple[str, ...],
) -> Write:
    return Write(
        ref=str(entry.pk),
        object_type=mapping.remote_object,
        remote_id=entry.remote_id,
        key_field=None,
        key_value=None,
        fields=fields,
        mode="update",
        clears_first=clears_first,
    )


def _remember(links: Mapping[str, Link], writes: Sequence[Write]) -> None:
    """Note theirs as it is now; ours stays, and goes out again only when it changes."""
    changed = []
    for write in writes:
        link = links[write.remote_id or ""]
        for name, text in write.fields.items():
            base = base_of(link.base, name)
            link.base = {**link.base, name: [str(text), base.hub if base else ""]}
        changed.append(link)
    Link.objects.bulk_update(changed, ["base"])
