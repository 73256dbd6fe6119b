"""One request and what came back, as plain values.

PURE. What is journalled holds no ids, bodies or tokens.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlencode

from crmsync.core import quickjson

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Expects = Literal["object", "list", "raw"]

# Statuses that bring no body, whatever was expected.
EMPTY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_ACCEPT: Mapping[Expects, str] = {
    "object": "application/json",
    "list": "application/json",
    "raw": "*/*",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `path` is joined to the base URL, `{name}` filled from `values`.

    `path` is what is journalled, so ids and secrets belong in `values`.
    `repeatable`: sending it twice does no more than sending it once.
    `inputs`: how many records it is about.
    `form`: sent instead of JSON, and without the access token.
    `content`: sent instead of JSON, of `content_type`; a function makes it from the
    access token, for interfaces that want it inside.
    `expects`: "object" or "list" of JSON, else the answer is nothing we could use;
    "raw" takes any bytes, none included. `headers`: beside the usual ones.
    """

    method: Method
    path: str
    values: Mapping[str, str] | None = field(default=None, repr=False)
    query: Mapping[str, str] | None = None
    json: object | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    repeatable: bool = True
    inputs: int = 1
    bucket: str = "api"
    object_type: str = ""
    headers: Mapping[str, str] | None = None
    content: bytes | Callable[[str], bytes] | None = field(default=None, repr=False)
    content_type: str = ""
    expects: Expects = "object"


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx, or a 304 to a conditional call. headers: lower-case names.

    body: the JSON object, {} where there is none; items: the JSON list, () else;
    raw: the bytes as they came, b"" where the status brings none.
    """

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, object]
    items: Sequence[object] = ()
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What the journal may know of a call; no ids, bodies or tokens.

    `status` None: no answer. `outcome` "ok" or an error class.
    """

    method: str
    path: str
    status: int | None
    duration_s: float
    request_id: str
    inputs: int
    outcome: str


def payload(call: Call, token: str) -> tuple[bytes | None, str]:
    """Return the body to send and its content type, (None, "") for none."""
    if call.content is not None:
        made = call.content(token) if callable(call.content) else call.content
        return made, call.content_type
    if call.form is not None:
        return urlencode(call.form).encode(), "application/x-www-form-urlencoded"
    if call.json is None:
        return None, ""
    return quickjson.written(call.json), "application/json"


def headers_of(call: Call, content_type: str) -> dict[str, str]:
    """Return the headers of a call beside those of the session."""
    sent = {"Accept": _ACCEPT[call.expects]}
    if content_type:
        sent["Content-Type"] = content_type
    return sent | dict(call.headers or {})


def is_conditional(call: Call) -> bool:
    """Tell whether "not modified" is an answer to the call."""
    names = {name.lower() for name in call.headers or ()}
    return bool(names & {"if-modified-since", "if-none-match"})


def answer(
    call: Call, status: int, headers: Mapping[str, str], content: bytes
) -> Answer:
    """Read a success. Raises ValueError where it is not what the call expects."""
    if status in EMPTY:
        return Answer(status, headers, {})
    if call.expects == "raw":
        return Answer(status, headers, {}, raw=content)
    try:
        parsed = quickjson.read(content)
    except (ValueError, RecursionError):
        raise ValueError("The answer is not JSON") from None
    if call.expects == "list" and isinstance(parsed, list):
        return Answer(status, headers, {}, items=parsed)
    if call.expects == "object" and isinstance(parsed, dict):
        return Answer(status, headers, parsed)
    raise ValueError(f"The answer is not a JSON {call.expects}")
