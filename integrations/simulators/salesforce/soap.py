"""SOAP envelopes: the session and the request in them, and faults out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from integrations.simulators.salesforce import access, errors
from integrations.simulators.salesforce.access import Grant
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.world import World
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import Reply, Request

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
    f'xmlns:soapenv="{ENVELOPE}" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
Element = ElementTree.Element
_MAILS = ("triggerAutoResponseEmail", "triggerOtherEmail", "triggerUserEmail")


class SoapFault(Exception):
    """Answer with a fault. code: without its prefix."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def reply(self) -> Reply:
        """Return the fault as an answer."""
        body = (
            f'{_HEAD} xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body>'
            f"<soapenv:Fault><faultcode>sf:{self.code}</faultcode>"
            f"<faultstring>{self.code}: {escape(str(self))}</faultstring>"
            "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
        )
        return _xml(body, 500)


@dataclass(frozen=True, slots=True)
class SoapCall:
    """One request. operation: the element in the body; version: "64.0".

    auto_assign: assignment rules may give leads away, as they do on REST unless told
    not to; mails: kinds of e-mail that its headers ask for.
    """

    world: World
    grant: Grant
    operation: Element
    version: str
    client: str
    all_or_none: bool
    allow_duplicates: bool
    auto_assign: bool
    mails: tuple[str, ...]

    def writer(self, source: str) -> Writer:
        """Return a writer for this call's changes."""
        origin = f"com/salesforce/api/soap/{self.version}"
        return Writer(
            self.world,
            self.grant.org,
            user=self.grant.user,
            client=self.client or self.grant.client_id,
            source=source,
            origin=f"{origin};client={self.client}" if self.client else origin,
            auto_assign=self.auto_assign,
            allow_duplicates=self.allow_duplicates,
        )


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def kind(element: Element) -> str:
    """Return an element's xsi:type without its prefix."""
    return element.get(_TYPE, "").rpartition(":")[2]


def text_of(element: Element, name: str) -> str:
    """Return a child's text, empty when there is none."""
    for child in element:
        if local(child) == name:
            return (child.text or "").strip()
    return ""


def tree_of(element: Element) -> Any:
    """Return an element's content as JSON would say it; repeats become lists."""
    if not len(element):
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in element:
        name, value = local(child), tree_of(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _find(root: Element, path: Iterable[str]) -> Element | None:
    found: Element | None = root
    for name in path:
        if found is None:
            return None
        found = next((c for c in found if local(c) == name), None)
    return found


def read(world: World, request: Request, version: str) -> SoapCall:
    """Return the call in an envelope; raises SoapFault."""
    try:
        # Only tests and demonstrations write to this simulator.
        root = ElementTree.fromstring(request.body)  # noqa: S314
    except ElementTree.ParseError as error:
        raise SoapFault("XML_PARSER_ERROR", str(error)) from error
    body = _find(root, ["Body"])
    if body is None or not len(body):
        raise SoapFault("MISSING_ARGUMENT", "there is no request in the body")
    grant = _session(world, root)
    request.caller = grant.caller
    return SoapCall(
        world,
        grant,
        body[0],
        version,
        client=_header(root, "CallOptions", "client"),
        all_or_none=_header(root, "AllOrNoneHeader", "allOrNone") == "true",
        allow_duplicates=_header(root, "DuplicateRuleHeader", "allowSave") == "true",
        auto_assign=_header(root, "AssignmentRuleHeader", "useDefaultRule") != "false",
        mails=tuple(
            name
            for name in _MAILS
            # An automation may send what no header forbids.
            if _header(root, "EmailHeader", name) != "false"
        ),
    )


def _header(root: Element, *path: str) -> str:
    found = _find(root, ["Header", *path])
    return (found.text or "").strip() if found is not None else ""


def _session(world: World, root: Element) -> Grant:
    try:
        return access.session(world, _header(root, "SessionHeader", "sessionId"))
    except errors.ApiError as error:
        message = "Invalid Session ID found in SessionHeader: Illegal Session"
        raise SoapFault("INVALID_SESSION_ID", message) from error


def answer(name: str, namespace: str, results: Iterable[str]) -> Reply:
    """Return an operation's results, each the inside of a result element."""
    inside = "".join(f"<result>{result}</result>" for result in results)
    return _xml(
        f'{_HEAD} xmlns="{namespace}"><soapenv:Body><{name}Response>{inside}'
        f"</{name}Response></soapenv:Body></soapenv:Envelope>"
    )


def _xml(body: str, status: int = 200) -> Reply:
    return Reply(status, body.encode(), content_type="text/xml;charset=UTF-8")


def tag(name: str, value: Any) -> str:
    """Return one element; xsi:nil when there is no value."""
    if value in (None, ""):
        return f'<{name} xsi:nil="true"/>'
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(shown)}</{name}>"


def error_tag(error: RowError) -> str:
    """Return one record's error."""
    inside = tag("message", error.message) + tag("statusCode", error.code)
    return f"<errors>{inside}</errors>"
