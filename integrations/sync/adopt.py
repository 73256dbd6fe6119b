"""Finds what the CRM has already, so that nothing is created a second time.

Three cases: a try whose answer was lost (looked up by our own key), what is known by
what it belongs to (looked up by that), and a deal of a contact that was in the CRM
before us (looked up through the contact).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from integrations.connectors.base import Connector
from integrations.connectors.spec import ObjectFacts
from integrations.models import Link, ObjectMapping
from integrations.records import RemoteRecord
from integrations.sync.links import owners_of
from integrations.sync.plan import Hold, Send
from integrations.sync.subjects import Rules, Subject
from leads.services.fields import MODELS


@dataclass(frozen=True, slots=True)
class Adopted:
    """A remote record that is ours to link.

    agreed: fields that must not be overwritten now; found: it was not made by us;
    left: it is still linked to one that no longer exists here.
    """

    remote_id: str
    agreed: Mapping[str, str]
    found: bool
    left: bool = False


@dataclass(slots=True)
class Found:
    """ref -> what was found, and where a person must choose.

    taken: (remote id, which other record of ours it is).
    """

    adopted: dict[str, Adopted] = field(default_factory=dict)
    unsure: dict[str, Hold] = field(default_factory=dict)
    taken: dict[str, tuple[str, int]] = field(default_factory=dict)


def find(
    mapping: ObjectMapping,
    sends: Sequence[tuple[Subject, Send]],
    rules: Rules,
    connector: Connector,
) -> Found:
    """Look up what may be there. Costs no call where nothing gives reason to."""
    found = Found()
    doubted = [(s, send) for s, send in sends if send.look_first]
    if doubted and rules.known_by_ties:
        _by_ties(mapping, doubted, rules, connector, found)
    elif doubted and rules.key_field:
        _by_own_key(doubted, rules, connector, found)
    if mapping.record_type == "deal":
        fresh = [
            one
            for one in sends
            if one[1].write.remote_id is None and one[0].ref not in found.adopted
        ]
        _open_deals(mapping, fresh, connector, found)
    return found


def _by_own_key(
    tried: Sequence[tuple[Subject, Send]],
    rules: Rules,
    connector: Connector,
    found: Found,
) -> None:
    keys = [subject.key for subject, _ in tried]
    names = {name for _, send in tried for name in send.write.fields}
    there = connector.fetch(
        rules.remote_object,
        keys,
        fields=sorted(names | {rules.key_field}),
        key_field=rules.key_field,
    )
    by_key = {record.fields.get(rules.key_field): record for record in there}
    for subject, send in tried:
        record = by_key.get(subject.key)
        if record is not None:
            agreed = _same(record, send)
            found.adopted[subject.ref] = Adopted(record.remote_id, agreed, found=False)


def _by_ties(
    mapping: ObjectMapping,
    sends: Sequence[tuple[Subject, Send]],
    rules: Rules,
    connector: Connector,
    found: Found,
) -> None:
    """Link what is there between the same records; what it has is compared then."""
    ties = [send.write.associations for _, send in sends]
    there = connector.tied_to_all(rules.remote_object, ties)
    known = [remote_id for remote_id in there if remote_id is not None]
    owners = owners_of(mapping.connection, rules.remote_object, known) if known else {}
    records = MODELS[mapping.record_type].objects.filter(pk__in=owners.values())
    living = set(records.values_list("pk", flat=True)) if owners else set()
    for (subject, _), remote_id in zip(sends, there, strict=True):
        if remote_id is None or subject.kept_from(remote_id):
            continue
        owner = owners.get(remote_id)
        if owner is not None and owner in living:
            found.taken[subject.ref] = remote_id, owner
        else:
            left = owner is not None
            found.adopted[subject.ref] = Adopted(remote_id, {}, found=True, left=left)


def _same(record: RemoteRecord, send: Send) -> dict[str, str]:
    """Return what reached the CRM: our values may have changed since that try."""
    wanted = {name: str(value) for name, value in send.write.fields.items()}
    return {n: text for n, text in wanted.items() if record.fields.get(n) == text}


# --- deals of contacts that were there before -----------------------------------------


def _open_deals(
    mapping: ObjectMapping,
    sends: Sequence[tuple[Subject, Send]],
    connector: Connector,
    found: Found,
) -> None:
    contacts = _contacts_before_us(mapping, sends)
    if not contacts:
        return
    contact_object = next(iter(contacts.values()))[0]
    ids = sorted({remote_id for _, remote_id in contacts.values()})
    tied = connector.associations(contact_object, mapping.remote_object, ids)
    deal_ids = sorted({deal for deals in tied.values() for deal in deals})
    facts = connector.spec.objects.get(mapping.remote_object)
    if not deal_ids or facts is None:
        return
    names = {name for _, send in sends for name in send.write.fields}
    names = (names | {facts.stage_field, facts.pipeline_field}) - {""}
    deals = connector.fetch(mapping.remote_object, deal_ids, fields=sorted(names))
    free = _free_deals(mapping, deals, facts)
    for subject, send in sends:
        if subject.ref in contacts:
            ids_there = tied.get(contacts[subject.ref][1], ())
            its = [
                free[one]
                for one in ids_there
                if one in free and not subject.kept_from(one)
            ]
            _choose(subject, send, _of_its_pipeline(its, send, facts), found)
            if chosen := found.adopted.get(subject.ref):
                free.pop(chosen.remote_id, None)


def _free_deals(
    mapping: ObjectMapping, deals: Sequence[RemoteRecord], facts: ObjectFacts
) -> dict[str, RemoteRecord]:
    """Return by id the open deals that are not linked to one of ours."""
    ids = [deal.remote_id for deal in deals]
    ours = owners_of(mapping.connection, mapping.remote_object, ids)
    closed = _closed_stages(mapping)
    return {
        deal.remote_id: deal
        for deal in deals
        if deal.remote_id not in ours
        and not deal.archived
        and deal.fields.get(facts.stage_field) not in closed
    }


def _of_its_pipeline(
    deals: Sequence[RemoteRecord], send: Send, facts: ObjectFacts
) -> list[RemoteRecord]:
    name = facts.pipeline_field
    pipeline = str(send.write.fields.get(name, ""))
    return [deal for deal in deals if (deal.fields.get(name) or "") == pipeline]


def _contacts_before_us(
    mapping: ObjectMapping, sends: Sequence[tuple[Subject, Send]]
) -> dict[str, tuple[str, str]]:
    """Return ref -> (object, id) of the deal's contact where we found, not made it."""
    ties = [
        (subject.ref, (tie.to_object, tie.to_id))
        for subject, send in sends
        for tie in send.write.associations
    ]
    rows = Link.objects.filter(
        connection=mapping.connection,
        record_type="lead",
        remote_id__in={remote_id for _, (_, remote_id) in ties},
        found=True,
    )
    found = set(rows.values_list("remote_object", "remote_id"))
    return {ref: tie for ref, tie in ties if tie in found}


def _choose(
    subject: Subject, send: Send, fitting: Sequence[RemoteRecord], found: Found
) -> None:
    if len(fitting) > 1:
        found.unsure[subject.ref] = Hold(
            "ambiguous",
            f"Its contact has {len(fitting)} open deals in this pipeline. Choose the "
            "one that is meant, or close all but one in the CRM and retry.",
            about=tuple(
                (deal.remote_id, tuple(_not_blank(deal, send))) for deal in fitting
            ),
        )
    elif fitting:
        agreed = _not_blank(fitting[0], send)
        found.adopted[subject.ref] = Adopted(fitting[0].remote_id, agreed, found=True)


def _not_blank(deal: RemoteRecord, send: Send) -> dict[str, str]:
    """Return our values where the CRM has one of its own: there, theirs stays."""
    return {
        name: str(value)
        for name, value in send.write.fields.items()
        if deal.fields.get(name)
    }


def _closed_stages(mapping: ObjectMapping) -> set[str]:
    return {
        stage["id"]
        for pipeline in mapping.connection.pipelines
        for stage in pipeline["stages"]
        if stage["closed"]
    }
