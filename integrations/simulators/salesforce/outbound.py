"""Outbound messages: the SOAP notifications of a workflow, and the answer they need."""

import re
from xml.sax.saxutils import escape

from integrations.simulators.salesforce import ids
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table, is_system_time
from integrations.simulators.salesforce.values import iso
from integrations.simulators.wire import Json

MOST_NOTIFICATIONS = 100
_ACK = re.compile(
    rb"<(?:\w+:)?notificationsResponse[^>]*>\s*<(?:\w+:)?Ack[^>]*>\s*true\s*</",
)
_NAMESPACES = (
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)


def notification_id(org: Org, number: int) -> str:
    """Return the id receivers tell repeated notifications by."""
    return ids.make("04l", org.pod, number)


def envelope(
    org: Org, target: Json, notifications: list[Json], *, base: str, session: str
) -> bytes:
    """Return one message. notifications: {id, record}; values are the current ones."""
    table = org.tables[target["object"]]
    soap = f"{base}/services/Soap"
    shown = f"<SessionId>{escape(session)}</SessionId>" if session else _NO_SESSION
    inside = "".join(_notification(table, target, each) for each in notifications)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope {_NAMESPACES}>'
        '<soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{org.id}</OrganizationId>"
        f"<ActionId>{target['action_id']}</ActionId>{shown}"
        f"<EnterpriseUrl>{soap}/c/64.0/{org.id[:15]}</EnterpriseUrl>"
        f"<PartnerUrl>{soap}/u/64.0/{org.id[:15]}</PartnerUrl>{inside}"
        "</notifications></soapenv:Body></soapenv:Envelope>"
    ).encode()


_NO_SESSION = '<SessionId xsi:nil="true"/>'


def _notification(table: Table, target: Json, notification: Json) -> str:
    row = table.rows.get(notification["record"])
    fields = (
        "".join(_field(table, row, name) for name in target["fields"]) if row else ""
    )
    return (
        f"<Notification><Id>{notification['id']}</Id>"
        f'<sObject xsi:type="sf:{table.name}" '
        'xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        f"<sf:Id>{notification['record']}</sf:Id>{fields}</sObject></Notification>"
    )


def _field(table: Table, row: Row, name: str) -> str:
    value = table.value(row, name)
    if value is None or name == "Id":
        return ""
    if is_system_time(name):
        value = iso(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<sf:{name}>{escape(text.replace('+0000', 'Z'))}</sf:{name}>"


def acknowledged(status: int, body: bytes) -> bool:
    """Return whether an answer is the acknowledgement; anything else is retried."""
    return 200 <= status < 300 and _ACK.search(body) is not None
