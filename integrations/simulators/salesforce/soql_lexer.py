"""SOQL text to tokens, and the way its errors point into the text."""

import re
from dataclasses import dataclass
from typing import Any

from integrations.simulators.salesforce.errors import ApiError, bad_request

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
  | (?P<date>\d{4}-\d\d-\d\d)
  | (?P<number>[+-]?\d+(?:\.\d+)?)
  | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::\d+)?)
  | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class SoqlError(ApiError):
    """The query cannot be understood."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word. kind: string, datetime, date, number, name, sign or end."""

    kind: str = "end"
    text: str = ""
    start: int = 0
    value: Any = None

    @property
    def upper(self) -> str:
        """The word in upper case."""
        return self.text.upper()


def tokens_of(text: str) -> list[Token]:
    """Return the tokens, an end among them; raises SoqlError."""
    found: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise malformed(text, at, f"unexpected token: '{text[at : at + 1]}'")
        kind = match.lastgroup or ""
        word = match[kind]
        value = unescape(word[1:-1]) if kind == "string" else word
        found.append(Token(kind, word, match.start(kind), value))
        at = match.end()
    return [*found, Token("end", "", end)]


def unescape(text: str) -> str:
    """Return what a quoted string says; % and _ keep their backslash for LIKE."""
    if "\\" not in text:
        return text
    return re.sub(r"\\(.)", lambda m: _unescaped(m[1]), text)


def _unescaped(char: str) -> str:
    return "\\" + char if char in "%_" else _ESCAPES.get(char.lower(), char)


def pointed(text: str, at: int, message: str) -> str:
    """Return a message below a caret below the query, as the vendor shows it."""
    before = text[:at]
    row, column = before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
    line = text.split("\n")[row - 1]
    where = f"ERROR at Row:{row}:Column:{column}"
    return f"\n{line}\n{' ' * (column - 1)}^\n{where}\n{message}"


def malformed(text: str, at: int, message: str) -> SoqlError:
    """Return the error of a query that is no SOQL."""
    return _error("MALFORMED_QUERY", pointed(text, at, message))


def invalid_field(text: str, at: int, message: str) -> SoqlError:
    """Return the error of a field that is not there or not usable this way."""
    return _error("INVALID_FIELD", pointed(text, at, message))


def no_such_column(text: str, token: Token, kind: str) -> SoqlError:
    """Return the error of an unknown or hidden field."""
    message = (
        f"No such column '{token.text}' on entity '{kind}'. If you are attempting to "
        "use a custom field, be sure to append the '__c' after the custom field name. "
        "Please reference your WSDL or the describe call for the appropriate names."
    )
    return invalid_field(text, token.start, message)


def no_such_object(text: str, token: Token) -> SoqlError:
    """Return the error of an unknown object."""
    message = (
        f"sObject type '{token.text}' is not supported. If you are attempting to use a "
        "custom object, be sure to append the '__c' after the entity name. Please "
        "reference your WSDL or the describe call for the appropriate names."
    )
    return _error("INVALID_TYPE", pointed(text, token.start, message))


def _error(code: str, message: str) -> SoqlError:
    made = bad_request(code, message)
    return SoqlError(made.status, made.body)
