"""What rules may see and what crosses the border of the services: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from.

    kind: webhook, user, api, import, rule or connection; connection_id is set when it
    came from a connected CRM, so that it is not sent back there.
    """

    kind: str
    id: str = ""
    label: str = ""
    trace_id: str = ""
    connection_id: int | None = None


@dataclass(frozen=True, slots=True)
class RecordChange:
    """What changed in one record. fields: name -> (old, new).

    A deleted record's fields go to None; a merged one is gone, too, and its field
    `merged_into` names the record that is left. What passed was changed in a CRM and
    changed again before it was read: the record itself never had it. said_at: when it
    was entered where it came from, None when that was here or is not known.
    """

    record_type: str
    record_id: int
    action: Literal["created", "updated", "deleted", "merged", "passed"]
    fields: Mapping[str, tuple[object, object]]
    origin: Origin
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One record. values: field -> value; parents: record type -> id."""

    record_type: str
    record_id: int
    label: str
    values: Mapping[str, object]
    parents: Mapping[str, int]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field a mapping can read; type in the words of custom fields.

    writes: the field of the services that takes a value from outside, "" where the
    field is computed and can only be read.
    """

    name: str
    label: str
    type: str
    writes: str = ""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What an event says about a person; empty means it says nothing.

    external_id: the person's id in the source the event comes from, e.g. `lgm:6a03…`.
    """

    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    linkedin: str = ""
    job_title: str = ""
    company_name: str = ""
    company_domain: str = ""
    city: str = ""
    country: str = ""
    external_id: str = ""
    other_emails: tuple[str, ...] = ()
    # values of the workspace's own fields
    custom: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    source: which system; key: its id there, unique within the source; direction:
    inbound is a reply, outbound is our own, "" when the source does not say.
    """

    source: str
    key: str
    person: PersonFacts
    direction: Literal["inbound", "outbound", ""]
    body: str
    occurred_at: datetime
    channel: str = ""
    subject: str = ""
    thread_id: str = ""
    campaign: str = ""
    campaign_id: str = ""
    trace_id: str = ""
