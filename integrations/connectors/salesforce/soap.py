"""The SOAP calls that have no REST: bodies, and what their answers say.

PURE. Bodies: partner WSDL LeadConvert; metadata WSDL upsertMetadata.
"""

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from integrations.connectors.salesforce.errors import VENDOR
from integrations.connectors.salesforce.spec import CLIENT
from integrations.errors import OutcomeUnknown

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="{space}">'
    "<soapenv:Header><SessionHeader><sessionId>{token}</sessionId></SessionHeader>"
    "{headers}</soapenv:Header><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)
PARTNER = "urn:partner.soap.sforce.com"
METADATA = "http://soap.sforce.com/2006/04/metadata"
# As WRITE_HEADERS on REST: change events name us, no rule gives a record away, nobody
# gets a mail. Partner WSDL; not all of them are named for convertLead, and what writes
# records behind it, such as a trigger, may heed them.
WRITE_HEADERS = (
    f"<CallOptions><client>{CLIENT}</client></CallOptions>"
    "<AssignmentRuleHeader><useDefaultRule>false</useDefaultRule>"
    "</AssignmentRuleHeader>"
    "<EmailHeader><triggerAutoResponseEmail>false</triggerAutoResponseEmail>"
    "<triggerOtherEmail>false</triggerOtherEmail>"
    "<triggerUserEmail>false</triggerUserEmail></EmailHeader>"
)
# No answer of theirs declares types or entities; one that does is not parsed.
_DECLARES = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.I)

Values = Sequence[tuple[str, str]]


def envelope(space: str, body: str, token: str, headers: str = "") -> bytes:
    """Return a whole request. headers: elements beside that of the session."""
    text = _ENVELOPE.format(
        space=space, body=body, token=escape(token), headers=headers
    )
    return text.encode()


def elements(values: Values) -> str:
    """Return elements in order: a schema's sequence means what it says."""
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in values)


def convert_leads(conversions: Sequence[Values]) -> str:
    """Return the body that converts leads, one list of elements each."""
    parts = (f"<leadConverts>{elements(one)}</leadConverts>" for one in conversions)
    return f"<convertLead>{''.join(parts)}</convertLead>"


def permission_set(name: str, label: str, field: str) -> str:
    """Return the body that lets whoever has the set see and edit one field."""
    grants = [("editable", "true"), ("field", field), ("readable", "true")]
    inner = (
        elements([("fullName", name)])
        + f"<fieldPermissions>{elements(grants)}</fieldPermissions>"
        + elements([("label", label)])
    )
    return (
        '<upsertMetadata><metadata xsi:type="PermissionSet">'
        f"{inner}</metadata></upsertMetadata>"
    )


def results(body: bytes) -> Sequence[Mapping[str, str]]:
    """Return the <result> elements, each as name -> text; errors as {"error": code}.

    Raises OutcomeUnknown for an answer that holds none.
    """
    try:
        if _DECLARES.search(body):
            raise ElementTree.ParseError("declarations")
        root = ElementTree.fromstring(body)  # noqa: S314 - no declarations, checked
    except ElementTree.ParseError:
        raise _unreadable() from None
    found = [_flat(one) for one in root.iter() if _local(one.tag) == "result"]
    if not found:
        raise _unreadable()
    return found


def _flat(result: ElementTree.Element) -> dict[str, str]:
    told: dict[str, str] = {}
    for child in result:
        name = _local(child.tag)
        if name == "errors":
            inner = {_local(one.tag): one.text or "" for one in child}
            told.setdefault("error", inner.get("statusCode", ""))
            told.setdefault("message", inner.get("message", ""))
        elif child.text and child.text.strip():
            told[name] = child.text.strip()
    return told


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _unreadable() -> OutcomeUnknown:
    return OutcomeUnknown("The answer is not readable", vendor=VENDOR, code="BAD_SHAPE")
