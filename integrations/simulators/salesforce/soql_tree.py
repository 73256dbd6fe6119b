"""What a SOQL query says, as the parser leaves it."""

from dataclasses import dataclass, field
from typing import Any

from integrations.simulators.salesforce.soql_lexer import Token


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: kind is string, number, bool, null, date, datetime, days or query."""

    kind: str
    value: Any
    token: Token


@dataclass(frozen=True, slots=True)
class Compare:
    """path operator value. operator: =, !=, <, <=, >, >=, LIKE, IN, NOT IN, ..."""

    path: Token
    operator: str
    values: list[Literal]


@dataclass(frozen=True, slots=True)
class Logic:
    """AND, OR or NOT of other nodes."""

    operator: str
    nodes: "list[Node]"


Node = Compare | Logic


@dataclass(frozen=True, slots=True)
class Item:
    """One selected thing. function: empty for a plain field."""

    path: Token
    function: str = ""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Sort:
    """One part of ORDER BY."""

    path: Token
    descending: bool
    nulls_first: bool


@dataclass(slots=True)
class Query:
    """A parsed query. counted: SELECT COUNT(); group: FIELDS(ALL|STANDARD|CUSTOM)."""

    text: str
    items: list[Item] = field(default_factory=list)
    counted: bool = False
    group: str = ""
    object: Token = field(default_factory=Token)
    where: Node | None = None
    grouping: list[Token] = field(default_factory=list)
    order: list[Sort] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0
