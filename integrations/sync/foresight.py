"""What a push would do with records, decided as a push decides and then not done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from crmsync.core.models import WorkItem
from integrations.connectors.base import Connector
from integrations.models import ObjectMapping
from integrations.sync import adopt, gather, outbox
from integrations.sync.adopt import Found
from integrations.sync.plan import (
    Decision,
    Delete,
    Find,
    Leave,
    Send,
    Wait,
    decide,
)
from integrations.sync.subjects import Subject
from integrations.sync.terms import terms_of

# What a dry run counts, in the order it is shown.
OUTCOMES = (
    "created",
    "updated",
    "created_here",
    "updated_here",
    "cleared_here",
    "unchanged",
    "skipped",
    "held",
)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One record of ours. fields: remote field -> [value there by now, value sent].

    key: of a new one, the value it is looked for by there, "" for none.
    """

    record_id: int
    label: str
    outcome: str
    reason: str = ""
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    key: str = ""

    @property
    def sample(self) -> dict[str, object]:
        """Return it as a dry run keeps it."""
        return {
            "record_id": self.record_id,
            "remote_id": "",
            "label": self.label,
            "here": {},
            "there": dict(self.fields),
        }


def foresee_out(
    mapping: ObjectMapping, record_ids: Sequence[int], connector: Connector
) -> list[Foreseen]:
    """Return what sending these records would come to; writes nothing.

    Of the CRM only what is known by what it belongs to is asked for.
    """
    terms = terms_of(mapping, connector)
    rules = gather.rules_of(mapping, terms)
    items = [WorkItem(pk=one, key=outbox.key_of(mapping.pk, one)) for one in record_ids]
    subjects = gather.subjects(mapping, items, asks_parents=False)
    decided = [(one, decide(one, rules)) for one in subjects]
    found = Found()
    if rules.known_by_ties:
        sends = [(one, send) for one, send in decided if isinstance(send, Send)]
        found = adopt.find(mapping, sends, rules, connector)
    told = []
    for record_id, (subject, decision) in zip(record_ids, decided, strict=True):
        one = _foreseen(record_id, subject, decision, rules.match_field)
        if subject.ref in found.adopted:
            one = replace(one, outcome="updated")
        elif subject.ref in found.taken:
            one = replace(one, outcome="held")
        told.append(one)
    return told


def _foreseen(
    record_id: int, subject: Subject, decision: Decision, match_field: str
) -> Foreseen:
    label = subject.record.label if subject.record else ""
    match decision:
        case Send():
            new = decision.write.remote_id is None
            fields = {
                name: [subject.base.get(name, ""), str(text)]
                for name, text in decision.write.fields.items()
            }
            word = "created" if new else "updated"
            is_found_by_it = new and decision.write.key_field == match_field
            key = decision.write.key_value or "" if is_found_by_it else ""
            return Foreseen(record_id, label, word, fields=fields, key=key)
        case Wait():
            word = "updated" if subject.remote_id else "created"
            return Foreseen(record_id, label, word, decision.reason)
        case Leave():
            word = "skipped" if decision.outcome == "excluded" else "unchanged"
            return Foreseen(record_id, label, word, decision.reason)
        case Find():
            return Foreseen(record_id, label, "unchanged")
        case Delete():
            return Foreseen(record_id, label, "updated", "It would be deleted there.")
        case _:
            return Foreseen(record_id, label, "held", decision.message)
