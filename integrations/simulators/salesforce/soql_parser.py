"""SOQL text to a tree: the part of the language a synchronisation speaks.

Fields of parents (`Account.Name`), COUNT() and plain aggregates, AND/OR/NOT,
semi-joins, ORDER BY, LIMIT, OFFSET. No sub-queries in the select list, no TYPEOF.
"""

from typing import Any, NoReturn

from integrations.simulators.salesforce.soql_lexer import (
    Token,
    malformed,
    tokens_of,
)
from integrations.simulators.salesforce.soql_tree import (
    Compare,
    Item,
    Literal,
    Logic,
    Node,
    Query,
    Sort,
)

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"})
_OPERATORS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_GROUPS = frozenset({"ALL", "STANDARD", "CUSTOM"})


def parse(text: str) -> Query:
    """Return a query's tree; raises SoqlError."""
    parser = _Parser(text)
    query = parser.query()
    parser.end()
    return query


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.at = 0

    # -- tokens

    @property
    def now(self) -> Token:
        return self.tokens[self.at]

    def next(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1 if token.kind != "end" else 0
        return token

    def is_word(self, *words: str) -> bool:
        """Return whether these words come next."""
        ahead = self.tokens[self.at : self.at + len(words)]
        return [t.upper for t in ahead if t.kind == "name"] == list(words)

    def take(self, *words: str) -> bool:
        if not self.is_word(*words):
            return False
        self.at += len(words)
        return True

    def take_sign(self, sign: str) -> bool:
        if self.now.kind != "sign" or self.now.text != sign:
            return False
        self.at += 1
        return True

    def fail(self, token: Token | None = None) -> NoReturn:
        found = token or self.now
        shown = found.text or "<EOF>"
        raise malformed(self.text, found.start, f"unexpected token: '{shown}'")

    def need_sign(self, sign: str) -> None:
        if not self.take_sign(sign):
            self.fail()

    def name(self) -> Token:
        if self.now.kind != "name":
            self.fail()
        return self.next()

    def number(self) -> int:
        if self.now.kind != "number" or not self.now.text.isdigit():
            self.fail()
        return int(self.next().text)

    def end(self) -> None:
        if self.now.kind != "end":
            self.fail()

    # -- clauses

    def query(self) -> Query:
        query = Query(self.text)
        if not self.take("SELECT"):
            self.fail()
        self._select(query)
        if not self.take("FROM"):
            self.fail()
        query.object = self.name()
        self._alias(query)
        if self.take("USING"):
            self.name(), self.name()
        if self.take("WHERE"):
            query.where = self._either()
        self._grouping(query)
        if self.take("ORDER", "BY"):
            query.order = self._listed(self._sort)
        if self.take("LIMIT"):
            query.limit = self.number()
        if self.take("OFFSET"):
            query.offset = self.number()
        self._ending()
        return query

    def _alias(self, query: Query) -> None:
        clauses = {"WHERE", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL", "GROUP", "USING"}
        if self.now.kind == "name" and self.now.upper not in clauses:
            self.next()

    def _ending(self) -> None:
        if self.take("FOR"):
            self.name()
        self.take("ALL", "ROWS")

    def _listed(self, one: Any) -> list[Any]:
        found = [one()]
        while self.take_sign(","):
            found.append(one())
        return found

    def _select(self, query: Query) -> None:
        query.items = [item for item in self._listed(lambda: self._item(query)) if item]

    def _item(self, query: Query) -> Item | None:
        path = self.name()
        if not self.take_sign("("):
            return Item(path)
        function = path.upper
        if function == "COUNT" and self.take_sign(")"):
            query.counted = True
            return None
        inner = self.name()
        self.need_sign(")")
        if function == "FIELDS" and inner.upper in _GROUPS:
            query.group = inner.upper
            return None
        if function not in AGGREGATES:
            self.fail(path)
        alias = ""
        if self.now.kind == "name" and self.now.upper != "FROM":
            alias = self.next().text
        return Item(inner, function, alias)

    def _grouping(self, query: Query) -> None:
        if self.take("GROUP", "BY"):
            query.grouping = self._listed(self.name)

    def _sort(self) -> Sort:
        path = self.name()
        descending = self.take("DESC")
        if not descending:
            self.take("ASC")
        first = not descending
        if self.take("NULLS"):
            first = self.take("FIRST")
            if not first and not self.take("LAST"):
                self.fail()
        return Sort(path, descending, first)

    # -- conditions

    def _either(self) -> Node:
        first = self._both()
        nodes = [first]
        while self.take("OR"):
            nodes.append(self._both())
        return Logic("OR", nodes) if len(nodes) > 1 else first

    def _both(self) -> Node:
        first = self._one()
        nodes = [first]
        while self.take("AND"):
            nodes.append(self._one())
        return Logic("AND", nodes) if len(nodes) > 1 else first

    def _one(self) -> Node:
        if self.take("NOT"):
            return Logic("NOT", [self._one()])
        if self.take_sign("("):
            found = self._either()
            self.need_sign(")")
            return found
        return self._comparison()

    def _comparison(self) -> Compare:
        path = self.name()
        if self.take("LIKE"):
            return Compare(path, "LIKE", [self._literal()])
        for operator in ("IN", "INCLUDES", "EXCLUDES"):
            if self.take(operator):
                return Compare(path, operator, self._set())
        if self.take("NOT", "IN"):
            return Compare(path, "NOT IN", self._set())
        if self.now.kind != "sign" or self.now.text not in _OPERATORS:
            self.fail()
        operator = self.next().text.replace("<>", "!=")
        return Compare(path, operator, [self._literal()])

    def _set(self) -> list[Literal]:
        opening = self.now
        self.need_sign("(")
        if self.is_word("SELECT"):
            inner = self.query()
            found = [Literal("query", inner, opening)]
        else:
            found = self._listed(self._literal)
        self.need_sign(")")
        return found

    def _literal(self) -> Literal:
        token = self.next()
        if token.kind in ("string", "date", "datetime"):
            return Literal(token.kind, token.value, token)
        if token.kind == "number":
            return Literal("number", float(token.text), token)
        if token.kind != "name":
            self.fail(token)
        return self._word(token)

    def _word(self, token: Token) -> Literal:
        word = token.upper
        if word in ("TRUE", "FALSE"):
            return Literal("bool", word == "TRUE", token)
        if word == "NULL":
            return Literal("null", None, token)
        span = _span(word)
        if span is None:
            self.fail(token)
        return Literal("days", span, token)


def _span(word: str) -> tuple[int, int] | None:
    """Return a relative date as (first day, day after the last) from today."""
    name, _, number = word.partition(":")
    fixed = {"TODAY": (0, 1), "YESTERDAY": (-1, 0), "TOMORROW": (1, 2)}
    if not number:
        return fixed.get(name)
    days = int(number)
    return {
        "LAST_N_DAYS": (-days, 1),
        "NEXT_N_DAYS": (1, days + 1),
        "N_DAYS_AGO": (-days, 1 - days),
    }.get(name)
