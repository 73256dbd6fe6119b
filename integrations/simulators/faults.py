"""Faults a person or a test can switch on: what a vendor does on its bad days.

A rule matches requests by method, path pattern and object, fires with a probability a
limited number of times, and is repeatable when it has a seed.
"""

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import count
from typing import Any

from integrations.simulators.wire import DropConnectionError, Json, Reply, Request

ERROR_STATUS = {
    "401": 401,
    "403": 403,
    "409": 409,
    "423": 423,
    "429": 429,
    "477": 477,
    "500": 500,
    "502": 502,
    "503": 503,
    "504": 504,
}
BEFORE = frozenset({*ERROR_STATUS, "drop", "redirect"})
# What stands before a vendor's API answers these, with a page.
OF_THE_EDGE = frozenset({"502", "504"})
AFTER = frozenset(
    {
        "drop_after_apply",
        "hang_after_apply",
        "empty_2xx",
        "blank_2xx",
        "html_2xx",
        "truncated_json",
        "missing_results",
        "reordered_results",
        "slow_body",
    }
)
KINDS = BEFORE | AFTER | {"latency", "partial_batch"}
HTML_PAGE = b"<!doctype html><title>Service unavailable</title><h1>Be right back</h1>"


class FaultRuleError(ValueError):
    """The rule cannot be understood."""


@dataclass(slots=True)
class FaultRule:
    """One fault. seconds: of latency, hanging or slow body; left: None = for ever."""

    id: int
    kind: str
    path: re.Pattern[str] | None = None
    method: str = ""
    object: str = ""
    probability: float = 1.0
    left: int | None = None
    seed: int | None = None
    seconds: float = 1.0
    retry_after: str = ""
    policy: str = ""
    then: str = "close"
    fraction: float = 0.0
    positions: tuple[int, ...] = ()
    fired: int = 0
    dice: random.Random = field(default_factory=random.Random)

    def matches(self, request: Request) -> bool:
        """Return whether this request is in scope, before the dice are thrown."""
        if self.method and self.method != request.method:
            return False
        if self.object and self.object not in request.path.split("/"):
            return False
        return self.path is None or self.path.search(request.path) is not None

    def spoils(self, position: int) -> bool:
        """Return whether a partial batch loses the input at this position."""
        if self.positions:
            return position in self.positions
        return self.dice.random() < self.fraction

    def as_json(self) -> Json:
        """Return the rule as the control API shows it."""
        names = ("id", "kind", "method", "object", "probability", "seconds")
        shown: Json = {name: getattr(self, name) for name in names}
        shown |= {"path": self.path.pattern if self.path else "", "count": self.left}
        shown |= {"retry_after": self.retry_after, "policy": self.policy}
        shown |= {"fraction": self.fraction, "positions": list(self.positions)}
        return shown | {"then": self.then, "seed": self.seed, "fired": self.fired}


def parse_rule(number: int, raw: Any) -> FaultRule:
    """Read a rule from the control API; raises FaultRuleError."""
    if not isinstance(raw, dict):
        raise FaultRuleError("a fault is an object with at least a kind")
    kind = str(raw.get("kind", ""))
    if kind not in KINDS:
        raise FaultRuleError(f"kind is one of {', '.join(sorted(KINDS))}")
    try:
        seed = None if raw.get("seed") in (None, "") else int(raw["seed"])
        return FaultRule(
            id=number,
            kind=kind,
            path=re.compile(raw["path"]) if raw.get("path") else None,
            method=str(raw.get("method") or "").upper(),
            object=str(raw.get("object") or ""),
            probability=float(raw.get("probability", 1) or 0),
            left=None if raw.get("count") in (None, "") else int(raw["count"]),
            seed=seed,
            seconds=float(raw.get("seconds") or (60 if "hang" in kind else 1)),
            retry_after=str(raw.get("retry_after", "") or ""),
            policy=str(raw.get("policy") or ""),
            then=str(raw.get("then") or "close"),
            fraction=float(raw.get("fraction") or 0.5),
            positions=tuple(int(at) for at in raw.get("positions") or ()),
            dice=random.Random(seed),
        )
    except (TypeError, ValueError, re.error) as error:
        raise FaultRuleError(str(error)) from error


class Faults:
    """The rules in force; safe to use from many threads."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []
        self._numbers = count(1)
        self._lock = threading.Lock()

    def add(self, raw: Any) -> FaultRule:
        """Add one rule; raises FaultRuleError."""
        rule = parse_rule(next(self._numbers), raw)
        with self._lock:
            self._rules.append(rule)
        return rule

    def replace(self, raws: list[Any]) -> None:
        """Put these rules in place of all others; raises FaultRuleError."""
        rules = [parse_rule(next(self._numbers), raw) for raw in raws]
        with self._lock:
            self._rules = rules

    def remove(self, number: int | None = None) -> None:
        """Remove one rule, or all."""
        with self._lock:
            kept = [r for r in self._rules if number is not None and r.id != number]
            self._rules = kept

    def as_json(self) -> list[Json]:
        """Return all rules."""
        with self._lock:
            return [rule.as_json() for rule in self._rules]

    def pick(self, request: Request) -> list[FaultRule]:
        """Return the rules that fire for this request; a count is used up by it."""
        if not self._rules:
            return []
        with self._lock:
            return [rule for rule in self._rules if _fires(rule, request)]


def _fires(rule: FaultRule, request: Request) -> bool:
    if rule.left == 0 or not rule.matches(request):
        return False
    if rule.probability < 1 and rule.dice.random() >= rule.probability:
        return False
    if rule.left is not None:
        rule.left -= 1
    rule.fired += 1
    return True


def retry_after_value(rule: FaultRule, now: float) -> str:
    """Return the header value; "date:20" becomes an HTTP date 20 s from now."""
    if rule.retry_after.startswith("date:"):
        return formatdate(now + float(rule.retry_after[5:]), usegmt=True)
    return rule.retry_after


def respond_with(
    rules: list[FaultRule],
    request: Request,
    *,
    respond: Callable[[Request], Reply],
    error: Callable[[FaultRule, Request], Reply],
) -> Reply:
    """Answer a request under these rules; raises DropConnectionError.

    error: makes the vendor's own answer for a rule that refuses the request.
    """
    for rule in rules:
        if rule.kind == "latency":
            time.sleep(rule.seconds)
        elif rule.kind == "drop":
            raise DropConnectionError
        elif rule.kind in BEFORE:
            return error(rule, request)
        elif rule.kind == "partial_batch":
            request.poison, request.poison_code = rule.spoils, rule.policy
    reply = respond(request)
    for rule in rules:
        if rule.kind in AFTER:
            reply = _spoil(reply, rule)
    return reply


def _spoil(reply: Reply, rule: FaultRule) -> Reply:
    if rule.kind == "drop_after_apply":
        raise DropConnectionError
    if rule.kind == "hang_after_apply":
        time.sleep(rule.seconds)
        if rule.then == "close":
            raise DropConnectionError
        return reply
    if reply.status >= 300:
        return reply
    return _SPOILERS[rule.kind](reply, rule)


def _empty(reply: Reply, rule: FaultRule) -> Reply:
    return Reply(status=reply.status, body=b"{}", headers=reply.headers)


def _blank(reply: Reply, rule: FaultRule) -> Reply:
    return Reply(status=reply.status, headers=reply.headers)


def _html(reply: Reply, rule: FaultRule) -> Reply:
    return Reply(status=reply.status, body=HTML_PAGE, content_type="text/html")


def _truncated(reply: Reply, rule: FaultRule) -> Reply:
    half = reply.body[: len(reply.body) // 2]
    return Reply(status=reply.status, body=half, headers=reply.headers)


def _change_results(reply: Reply, change: Callable[[list[Any]], list[Any]]) -> Reply:
    try:
        payload = json.loads(reply.body)
    except ValueError:
        return reply
    if isinstance(payload, dict) and isinstance(payload.get("results"), list):
        payload["results"] = change(payload["results"])
    elif isinstance(payload, list):
        payload = change(payload)
    body = json.dumps(payload).encode()
    return Reply(status=reply.status, body=body, headers=reply.headers)


def _missing(reply: Reply, rule: FaultRule) -> Reply:
    return _change_results(reply, lambda results: results[:-1])


def _reordered(reply: Reply, rule: FaultRule) -> Reply:
    return _change_results(reply, lambda results: results[::-1])


def _slow(reply: Reply, rule: FaultRule) -> Reply:
    def drip() -> Iterator[bytes]:
        for byte in reply.body:
            time.sleep(rule.seconds)
            yield bytes((byte,))

    reply.chunks = drip()
    return reply


_SPOILERS: dict[str, Callable[[Reply, FaultRule], Reply]] = {
    "empty_2xx": _empty,
    "blank_2xx": _blank,
    "html_2xx": _html,
    "truncated_json": _truncated,
    "missing_results": _missing,
    "reordered_results": _reordered,
    "slow_body": _slow,
}
