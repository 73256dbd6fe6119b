"""The request and reply values every simulator speaks, and their WSGI border.

Holds no vendor knowledge.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote

Json = dict[str, Any]
Headers = list[tuple[str, str]]

REASONS = {status.value: status.phrase for status in HTTPStatus} | {
    207: "Multi-Status",
    477: "Migration In Progress",
}


class DropConnectionError(Exception):
    """The server must close the connection without answering."""


class BadJsonError(Exception):
    """The body is not the JSON this operation reads."""


@dataclass(slots=True)
class Request:
    """One request as read from the wire.

    query: name -> values, in order. poison: which batch inputs a fault spoils;
    poison_code: the vendor's error code for them, empty = its usual one.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    environ: dict[str, Any]
    body: bytes
    template: str = ""
    inputs: int = 0
    caller: str = ""
    poison: Callable[[int], bool] | None = None
    poison_code: str = ""
    _parsed: Any = None

    def header(self, name: str) -> str:
        """Return a header's value, empty when absent."""
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        value: str = self.environ.get(key, "")
        return value

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default

    def names(self, name: str) -> list[str]:
        """Return a repeated or comma-separated query parameter as a list."""
        values = self.query.get(name)
        if not values:
            return []
        return [part for value in values for part in value.split(",") if part]

    def flag(self, name: str) -> bool:
        """Return whether a query parameter says true."""
        return self.first(name).lower() == "true"

    def json(self) -> Any:
        """Return the parsed body, which nobody may change; raises BadJsonError."""
        if self._parsed is None:
            try:
                self._parsed = json.loads(self.body or b"{}")
            except ValueError as error:
                raise BadJsonError(str(error)) from error
        return self._parsed

    def object(self) -> Json:
        """Return the parsed body, which must be an object; raises BadJsonError."""
        payload = self.json()
        if not isinstance(payload, dict):
            raise BadJsonError("an object was expected")
        return payload

    def form(self) -> dict[str, str]:
        """Return a form-encoded body as name -> first value."""
        parsed = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[0] for name, values in parsed.items()}


@dataclass(slots=True)
class Reply:
    """One answer: status, body and extra headers; `chunks` is sent slowly if given."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=list)
    content_type: str = "application/json;charset=utf-8"
    chunks: Iterable[bytes] | None = None


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def json_reply(
    payload: Any, status: int = 200, headers: Headers | None = None
) -> Reply:
    """Return a JSON answer."""
    return Reply(status=status, body=_encode(payload).encode(), headers=headers or [])


def html_reply(text: str, status: int = 200) -> Reply:
    """Return an HTML page."""
    body = text.encode()
    return Reply(status=status, body=body, content_type="text/html;charset=utf-8")


def request_of(environ: dict[str, Any]) -> Request:
    """Read a WSGI environ into a Request."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    query = environ.get("QUERY_STRING", "")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"],
        query=parse_qs(query, keep_blank_values=True) if query else {},
        environ=environ,
        body=environ["wsgi.input"].read(length) if length else b"",
    )


def wsgi_app(handle: Callable[[Request], Reply]) -> Callable[..., Iterable[bytes]]:
    """Wrap a Request -> Reply function as a WSGI application."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        reply = handle(request_of(environ))
        headers = [("Content-Length", str(len(reply.body))), *reply.headers]
        if reply.body:
            headers.append(("Content-Type", reply.content_type))
        reason = REASONS.get(reply.status, "Unknown")
        start_response(f"{reply.status} {reason}", headers)
        return reply.chunks if reply.chunks is not None else [reply.body]

    return app


def path_segments(path: str) -> list[str]:
    """Split a path into decoded, non-empty segments.

    PATH_INFO reaches us still percent-encoded, so an encoded slash stays inside
    its segment (ids may be e-mail addresses or arbitrary unique values).
    """
    if "%" in path:
        return [unquote(part) for part in path.split("/") if part]
    return [part for part in path.split("/") if part]
