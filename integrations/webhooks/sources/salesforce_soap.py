"""Reads the outbound messages of Salesforce: SOAP, and answered in SOAP.

PURE. A message carries the values a record has when it is sent, not those it had when
something happened. Its session id is a live token, and nobody here needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from integrations.webhooks import reading
from integrations.webhooks.base import Hint, Malformed, Receipt
from integrations.webhooks.sources.salesforce_events import long_id
from integrations.webhooks.xml import Element, read_xml

ACKNOWLEDGED = Receipt(
    "text/xml; charset=utf-8",
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    b"<soapenv:Body>"
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound">'
    b"<Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>",
)
_SESSION = re.compile(rb"(<(?:[\w.-]+:)?SessionId\b[^<>]*>)[^<]+")


@dataclass(frozen=True, slots=True)
class Notification:
    """One record as it is now. id: the same each time this is sent."""

    id: str
    remote_object: str
    remote_id: str
    fields: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """What one request holds."""

    organization: str
    notifications: tuple[Notification, ...]


def is_xml(body: bytes) -> bool:
    """Tell whether a body means to be XML."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def without_session(body: bytes) -> bytes:
    """Return the body with its session id taken out.

    >>> without_session(b"<a><SessionId>00D!abc</SessionId></a>")
    b'<a><SessionId>removed</SessionId></a>'
    """
    return _SESSION.sub(rb"\1removed", body) if is_xml(body) else body


def read(body: bytes) -> OutboundMessage:
    """Return the message. Raises Malformed when the XML is none."""
    root = read_xml(body.removeprefix(b"\xef\xbb\xbf").lstrip())
    told = root.find("Body", "notifications")
    if root.name != "Envelope" or told is None:
        raise Malformed("The XML is no outbound message.")
    return OutboundMessage(
        organization=told.text_at("OrganizationId", limit=18),
        notifications=tuple(_notifications(told)),
    )


def ids(message: OutboundMessage) -> list[str]:
    """Return the ids of the notifications."""
    return [one.id for one in message.notifications]


def hints(message: OutboundMessage, received_at: datetime) -> list[Hint]:
    """Return a hint for each notification.

    None says when the change was, unless the record's own stamp is among its fields.
    """
    return [
        Hint(
            remote_object=one.remote_object,
            remote_id=one.remote_id,
            kind="changed",
            at=_stamp(one.fields, received_at),
            origin="outbound message",
            fields=one.fields,
        )
        for one in message.notifications
    ]


def _stamp(fields: Mapping[str, str | None], received_at: datetime) -> datetime | None:
    told = fields.get("SystemModstamp") or fields.get("LastModifiedDate")
    return reading.as_time(told, fallback=received_at) if told else None


def _notifications(told: Element) -> Iterator[Notification]:
    for one in told.all("Notification"):
        record = one.find("sObject")
        if record is None:
            continue
        own_id, remote_id = one.text_at("Id", limit=40), long_id(record.text_at("Id"))
        # "sf:Lead": what the type is called behind its prefix.
        remote_object = record.attributes.get("type", "").rpartition(":")[2]
        if own_id and remote_id and remote_object:
            yield Notification(
                id=own_id,
                remote_object=remote_object[:60],
                remote_id=remote_id,
                fields=_fields(record),
            )


def _fields(record: Element) -> dict[str, str | None]:
    return {
        one.name: one.text or None
        for one in record.children
        if one.name != "Id" and not one.children
    }
